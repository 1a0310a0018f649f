//! Creating and starting the container: libcontainer's work, done in a process
//! forked for it. The container's first process becomes a child of the shim.
//!
//! What is ours: programs are looked up and executed with runc's messages and
//! with the environment in the order it was given, the score for the kernel's
//! choice of victims is set on the container's process only, and what
//! libcontainer logs of an error is reported with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use dhow_runtime::protocol::{Failure, FailureKind, ROOTFS_DIR, SPEC_FILE};
use dhow_sys::cgroup::{Cgroup, Layout};
use dhow_sys::fdpass;
use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use libcontainer::workload::{
    Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError,
};
use oci_spec::runtime::Spec;

use super::report::{Report, Reporter};
use super::{executable, propagation, spec, steps};

/// The directory in the run directory that libcontainer keeps its state in.
pub const STATE_DIR: &str = "state";
const BUNDLE_DIR: &str = "bundle";
const CONSOLE_SOCKET: &str = "console.sock";
/// libcontainer's name for the container; unique within its directory only.
const NAME: &str = "container";

/// What the container is started with.
#[derive(Debug)]
pub struct Start<'a> {
    pub run_dir: &'a Path,
    /// The engine's name for the container.
    pub id: &'a str,
    pub cgroup: &'a Cgroup,
    /// Its own ends of the standard streams; absent with a terminal.
    pub stdio: Option<[OwnedFd; 3]>,
}

/// Does it all; for a process of its own. Returns its exit code.
pub fn run(start: Start<'_>, reporter: Reporter) -> i32 {
    match create_and_start(start, reporter) {
        Ok(()) => 0,
        Err(failure) => {
            reporter.send(&Report::Failed(failure));
            1
        }
    }
}

/// Removes what libcontainer left in the run directory.
pub fn clean_up(run_dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(run_dir.join(STATE_DIR)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn create_and_start(start: Start<'_>, reporter: Reporter) -> Result<(), Failure> {
    let rootfs = start.run_dir.join(ROOTFS_DIR);
    let state = start.run_dir.join(STATE_DIR);
    let bundle = state.join(BUNDLE_DIR);
    let files = |e: io::Error| {
        let message = format!("{} cannot be prepared: {e}", state.display());
        Failure::new(FailureKind::Other, message)
    };

    let mut spec = spec::load(&start.run_dir.join(SPEC_FILE))?;
    let process = spec.process().as_ref();
    let process = process
        .ok_or_else(|| Failure::new(FailureKind::Other, "the spec has no process to run"))?;
    steps::check_rlimits(process.rlimits().as_deref().unwrap_or_default())?;
    let oom_score = process.oom_score_adj();
    steps::check_oom_score(oom_score.unwrap_or(0))?;
    let passwd = steps::read_in_root(&rootfs, "etc/passwd").unwrap_or_default();
    let environment = steps::environment(process, &passwd);
    make_working_directory(&spec, &rootfs);
    spec::prepare(&mut spec, &rootfs, environment.clone());
    fs::create_dir_all(&bundle).map_err(files)?;
    let text = serde_json::to_vec(&spec).map_err(|e| files(e.into()))?;
    fs::write(bundle.join(SPEC_FILE), text).map_err(files)?;

    steps::join_session_keyring(start.id);
    steps::drop_groups().map_err(files)?;
    crate::diagnosis::listen(reporter);
    let created = create(start.stdio, &state, &bundle, environment, reporter);
    let (mut container, console) = created.map_err(|e| steps::name_sysctl(e, &spec))?;
    let pid = container
        .pid()
        .map_or(0, |pid| pid.as_raw().cast_unsigned());
    reporter.send(&Report::Process(pid));
    if let Some(console) = console {
        let master = accept_terminal(&console).map_err(files)?;
        reporter.send_with(&Report::Terminal, Some(master.as_fd()));
    }
    if let Err(e) = steps::set_oom_score(pid, oom_score.unwrap_or(0)) {
        let warning = format!("the OOM score was not set to {oom_score:?}: {e}");
        reporter.send(&Report::Warning(warning));
    }
    propagation::set(pid, &spec).map_err(|e| {
        let message = format!("the propagation of mounts cannot be set: {e}");
        Failure::new(FailureKind::Other, message)
    })?;
    if let Err(e) = steps::disable_oom_killer(&spec) {
        reporter.send(&Report::Warning(format!(
            "the OOM killer was not disabled: {e}"
        )));
    }
    if start.cgroup.layout() == Layout::V2 {
        let rules = spec::device_rules(&spec);
        start.cgroup.restrict_devices(&rules).map_err(|e| {
            let message = format!("devices cannot be restricted: {e}");
            Failure::new(FailureKind::Other, message)
        })?;
    }
    container
        .start()
        .map_err(|e| Failure::new(FailureKind::Other, e.to_string()))
}

fn create(
    stdio: Option<[OwnedFd; 3]>,
    state: &Path,
    bundle: &Path,
    environment: Vec<String>,
    reporter: Reporter,
) -> Result<(Container, Option<UnixListener>), Failure> {
    let other = |e: &dyn std::error::Error| Failure::new(FailureKind::Other, e.to_string());
    let program = Program {
        reporter,
        environment: Rc::new(environment),
        found: Rc::default(),
    };
    let mut builder = ContainerBuilder::new(NAME.to_owned(), SyscallType::Linux)
        .with_root_path(state)
        .map_err(|e| other(&e))?
        .with_executor(program);
    let mut console = None;
    match stdio {
        Some([stdin, stdout, stderr]) => {
            builder = builder
                .with_stdin(stdin)
                .with_stdout(stdout)
                .with_stderr(stderr);
        }
        None => {
            console = Some(fdpass::listen_in(state, CONSOLE_SOCKET).map_err(|e| other(&e))?);
            builder = builder.with_console_socket(Some(state.join(CONSOLE_SOCKET)));
        }
    }
    let container = builder
        .as_init(bundle)
        .with_systemd(false)
        .as_sibling(true)
        .build()
        .map_err(|e| other(&e))?;
    Ok((container, console))
}

/// The container made its terminal and sent the master side.
fn accept_terminal(console: &UnixListener) -> io::Result<OwnedFd> {
    let (socket, _) = console.accept()?;
    let mut name = [0; 256];
    let mut fds = Vec::new();
    fdpass::recv(&socket, &mut name, &mut fds)?;
    fds.pop().ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Makes the working directory where it is missing, as Docker does: in the
/// root filesystem, or in the directory that will be bound over that part.
fn make_working_directory(spec: &Spec, rootfs: &Path) {
    let Some(cwd) = spec.process().as_ref().map(|process| process.cwd()) else {
        return;
    };
    let covering = spec
        .mounts()
        .iter()
        .flatten()
        .filter(|mount| cwd.starts_with(mount.destination()))
        .max_by_key(|mount| mount.destination().components().count());
    let (root, inside) = match covering {
        None => (rootfs, cwd.as_path()),
        Some(mount) => match (mount.source(), cwd.strip_prefix(mount.destination())) {
            (Some(source), Ok(inside)) if source.is_absolute() => (source.as_path(), inside),
            _ => return,
        },
    };
    // Where this fails, entering the directory will, and tell.
    let _ = steps::make_in_root(root, inside);
}

/// Looks up and executes the container's program.
#[derive(Clone)]
struct Program {
    reporter: Reporter,
    environment: Rc<Vec<String>>,
    found: Rc<RefCell<Option<PathBuf>>>,
}

impl Executor for Program {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        let arguments = arguments(spec).unwrap_or_default();
        let name = arguments.first().map(String::as_str).unwrap_or_default();
        match executable::find(name, &self.environment) {
            Ok(found) => {
                *self.found.borrow_mut() = Some(found);
                Ok(())
            }
            Err(failure) => {
                let message = failure.message.clone();
                self.reporter.send(&Report::Failed(failure));
                Err(ExecutorValidationError::ArgValidationError(message))
            }
        }
    }

    fn setup_envs(&self, _: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let found = self
            .found
            .borrow()
            .clone()
            .ok_or(ExecutorError::InvalidArg)?;
        let arguments = arguments(spec).ok_or(ExecutorError::InvalidArg)?;
        let error = executable::execute(&found, arguments, &self.environment);
        // From here on the container counts as started, as with runc: the
        // message goes to its own standard error.
        eprintln!("exec {}: {}", found.display(), executable::go_text(&error));
        std::process::exit(255);
    }
}

fn arguments(spec: &Spec) -> Option<&[String]> {
    let process = spec.process().as_ref()?;
    process.args().as_deref()
}
