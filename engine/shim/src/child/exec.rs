//! Running a further process in the container.
//!
//! libcontainer's own way (its tenant builder) leaves out the system call
//! filter, goes through files and takes several times as long; so this joins
//! cgroup and namespaces by itself, in the order runc does, and uses
//! libcontainer for filter and capabilities.
//!
//! ```text
//! shim ─fork─► joiner: cgroup, setns ─fork─► process: terminal, user, filter, exec
//!   └─────────────── both are children of the shim ──────────────────┘
//! ```

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use dhow_runtime::protocol::{Console, Failure, FailureKind, SPEC_FILE};
use dhow_sys::cgroup::Cgroup;
use dhow_sys::pidfd::PidFd;
use libcontainer::syscall::Syscall;
use libcontainer::syscall::syscall::create_syscall;
use libcontainer::{capabilities, seccomp};
use oci_spec::runtime::{Process, Spec};

use super::executable::{self, go_text};
use super::report::{Report, Reporter};
use super::{fork_sibling, spec, steps};

/// What the process is run with.
#[derive(Debug)]
pub struct Exec<'a> {
    pub run_dir: &'a Path,
    pub id: &'a str,
    /// The container's first process.
    pub init: u32,
    pub cgroup: &'a Cgroup,
    pub program: Program<'a>,
    /// Load the container's system call filter.
    pub seccomp: bool,
    /// Its own ends of the standard streams; absent with a terminal.
    pub stdio: Option<[OwnedFd; 3]>,
    pub console: Option<Console>,
}

/// What to run.
#[derive(Debug)]
pub enum Program<'a> {
    Process(&'a Process),
    /// Other arguments, otherwise like the container's first process.
    Command(&'a [String]),
}

/// Does it all; for a process of its own. Returns its exit code.
pub fn run(exec: Exec<'_>, reporter: Reporter) -> i32 {
    match join(exec, reporter) {
        Ok(()) => 0,
        Err(failure) => {
            reporter.send(&Report::Failed(failure));
            1
        }
    }
}

fn join(exec: Exec<'_>, reporter: Reporter) -> Result<(), Failure> {
    let spec = spec::load(&exec.run_dir.join(SPEC_FILE))?;
    let own = spec.process().as_ref();
    let process = match (&exec.program, own) {
        (Program::Process(process), _) => (*process).clone(),
        (Program::Command(arguments), Some(own)) => {
            let mut process = own.clone();
            process.set_args(Some(arguments.to_vec()));
            process.set_terminal(Some(false));
            process
        }
        (Program::Command(_), None) => return Err(failed("the spec has no process")),
    };
    steps::check_rlimits(process.rlimits().as_deref().unwrap_or_default())?;
    let oom_score = own.and_then(|own| own.oom_score_adj()).unwrap_or(0);

    let init = PidFd::open(exec.init).map_err(|e| step("the container is gone", &e))?;
    exec.cgroup
        .add(0)
        .map_err(|e| step("the container's cgroup cannot be joined", &e))?;
    if let Err(e) = steps::set_oom_score(0, oom_score) {
        reporter.send(&Report::Warning(format!("the OOM score was not set: {e}")));
    }
    steps::join_session_keyring(exec.id);
    // Whoever is in the container must not look into a process that comes in,
    // nor reach the shim's executable through it.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(|e| step("hiding from the container failed", &e.into()))?;
    enter(init.as_fd(), spec::joined_namespaces(&spec))
        .map_err(|e| step("the container's namespaces cannot be joined", &e))?;
    let child = fork_sibling(|| {
        let failure = become_process(&spec, process, exec, reporter);
        reporter.send(&Report::Failed(failure));
        1
    })
    .map_err(|e| step("forking in the container failed", &e))?;
    let pid = child.as_raw_nonzero().get().cast_unsigned();
    reporter.send(&Report::Process(pid));
    Ok(())
}

/// Joins the namespaces of a process, all at once.
fn enter(process: BorrowedFd<'_>, namespaces: libc::c_int) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: the call changes what this process sees of the system and no
    // memory; the process has one thread.
    match unsafe { libc::setns(process.as_raw_fd(), namespaces) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Turns the calling process, which is in the container already, into the
/// program. Returns only why it could not.
fn become_process(spec: &Spec, process: Process, exec: Exec<'_>, reporter: Reporter) -> Failure {
    match prepare(spec, &process, exec, reporter) {
        Err(failure) => failure,
        Ok((path, arguments, environment)) => {
            let error = executable::execute(&path, &arguments, &environment);
            let kind = match error.raw_os_error() {
                Some(libc::ENOENT) => FailureKind::NotFound,
                _ => FailureKind::NotExecutable,
            };
            Failure::new(
                kind,
                format!("exec {}: {}", path.display(), go_text(&error)),
            )
        }
    }
}

type Prepared = (PathBuf, Vec<String>, Vec<String>);

fn prepare(
    spec: &Spec,
    process: &Process,
    exec: Exec<'_>,
    reporter: Reporter,
) -> Result<Prepared, Failure> {
    let system = create_syscall();
    let os = |what: &'static str| move |e: rustix::io::Errno| step(what, &e.into());
    rustix::process::setsid().map_err(os("a new session was refused"))?;
    match exec.stdio {
        Some(stdio) => replace_stdio(stdio.each_ref().map(OwnedFd::as_fd)),
        None => super::terminal::open(exec.console).and_then(|terminal| {
            reporter.send_with(&Report::Terminal, Some(terminal.master.as_fd()));
            let slave = terminal.slave.as_fd();
            replace_stdio([slave, slave, slave])
        }),
    }
    .map_err(|e| step("the standard streams cannot be set up", &e))?;

    for limit in process.rlimits().iter().flatten() {
        let what = "a ulimit cannot be set";
        system.set_rlimit(limit).map_err(|e| other(what, &e))?;
    }
    if process.no_new_privileges() == Some(true) {
        rustix::thread::set_no_new_privs(true).map_err(os("no_new_privs was refused"))?;
    }
    if let Some(profile) = process.apparmor_profile() {
        libcontainer::apparmor::apply_profile(profile)
            .map_err(|e| other("the AppArmor profile cannot be set", &e))?;
    }
    let filter = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.seccomp().as_ref());
    let filter = filter.filter(|_| exec.seccomp);
    let load = |wanted: bool| match filter {
        Some(filter) if wanted => seccomp::initialize_seccomp(filter)
            .map(drop)
            .map_err(|e| other("the system call filter cannot be loaded", &e)),
        _ => Ok(()),
    };
    let unprivileged = process.no_new_privileges() == Some(true);
    // Enter the directory with all rights first: the user may have none to
    // what lies above it.
    let entered = enter_directory(process.cwd());
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let environment = steps::environment(process, &passwd);
    let umask = process.user().umask().unwrap_or(0o022);
    rustix::process::umask(rustix::fs::Mode::from(umask));

    load(!unprivileged)?;
    drop_rights(process, &*system)?;
    if entered.is_err() {
        enter_directory(process.cwd())?;
    }
    close_others().map_err(|e| step("descriptors cannot be closed", &e))?;
    let arguments = process.args().clone().unwrap_or_default();
    let name = arguments.first().map(String::as_str).unwrap_or_default();
    let path = executable::find(name, &environment)?;
    load(unprivileged)?;
    Ok((path, arguments, environment))
}

/// Takes on the user, its groups, and the capabilities.
fn drop_rights(process: &Process, system: &dyn Syscall) -> Result<(), Failure> {
    use rustix::process::{Gid, Uid};
    use rustix::thread as own;
    let os = |what: &'static str| move |e: rustix::io::Errno| step(what, &e.into());
    let user = process.user();
    let groups: Vec<Gid> = user
        .additional_gids()
        .iter()
        .flatten()
        .map(|gid| Gid::from_raw(*gid))
        .collect();
    own::set_thread_groups(&groups).map_err(os("the groups cannot be set"))?;
    // Keep the right to choose capabilities when root is given up.
    own::set_keep_capabilities(true).map_err(os("capabilities cannot be kept"))?;
    let (uid, gid) = (Uid::from_raw(user.uid()), Gid::from_raw(user.gid()));
    own::set_thread_res_gid(gid, gid, gid).map_err(os("the group cannot be set"))?;
    own::set_thread_res_uid(uid, uid, uid).map_err(os("the user cannot be set"))?;
    own::set_keep_capabilities(false).map_err(os("capabilities cannot be kept"))?;
    capabilities::reset_effective(system)
        .map_err(|e| other("the capabilities cannot be set", &e))?;
    if let Some(set) = process.capabilities() {
        capabilities::drop_privileges(set, system)
            .map_err(|e| other("the capabilities cannot be set", &e))?;
    }
    Ok(())
}

fn enter_directory(directory: &Path) -> Result<(), Failure> {
    std::env::set_current_dir(directory).map_err(|e| {
        failed(format!(
            "chdir to cwd (\"{}\") set in config.json failed: {}",
            directory.display(),
            go_text(&e)
        ))
    })?;
    // A path through a descriptor may lead out; then the directory has no name
    // here.
    std::env::current_dir().map(drop).map_err(|_| {
        failed(
            "current working directory is outside of container mount namespace root \
             -- possible container breakout detected",
        )
    })
}

fn replace_stdio(fds: [BorrowedFd<'_>; 3]) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    for (fd, number) in fds.iter().zip(0..) {
        // SAFETY: replaces one of the standard streams, which nothing owns.
        if unsafe { libc::dup2(fd.as_raw_fd(), number) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Has every descriptor but the standard streams closed on exec.
fn close_others() -> io::Result<()> {
    // SAFETY: the call changes flags of descriptors; none is closed while
    // something here still owns it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3 as libc::c_uint,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn failed(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Other, message)
}

fn step(what: &str, error: &io::Error) -> Failure {
    failed(format!("{what}: {}", go_text(error)))
}

fn other(what: &str, error: &dyn std::error::Error) -> Failure {
    let mut message = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        message.push_str(&format!(": {error}"));
        source = error.source();
    }
    failed(message)
}
