//! `POST /containers/{id}/exec` and `/exec/…`: further processes in a running
//! container.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bollard_stubs::models::{
    ExecConfig, ExecInspectResponse, ExecStartConfig, IdResponse, ProcessConfig,
};
use bollard_stubs::query_parameters::ResizeExecOptions;
use dhow_model::Id;
use dhow_model::lifecycle::Request;
use dhow_runtime::protocol::{self, Attach, Console, Failure};
use tokio::io::AsyncWriteExt;

use super::container::Container;
use super::{PreparedStream, detach};
use crate::{ClientSocket, Error, LocalEngine, Result};

/// How long the last words of a shim may take to be heard.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that was asked for.
pub(crate) struct Exec {
    pub id: Id,
    pub container: Arc<Container>,
    pub config: ExecConfig,
    state: Mutex<ExecState>,
}

#[derive(Debug, Clone, Copy, Default)]
struct ExecState {
    begun: bool,
    running: bool,
    pid: Option<u32>,
    exit_code: Option<i64>,
}

impl Exec {
    fn state(&self) -> MutexGuard<'_, ExecState> {
        self.state.lock().unwrap_or_else(|p| p.into_inner())
    }

    fn tty(&self) -> bool {
        self.config.tty == Some(true)
    }

    /// Learns of a start and an end whose news are still on their way: a client
    /// asks for the exit code as soon as the stream ends, and the shim ends it.
    async fn catch_up(&self) {
        let state = *self.state();
        if !state.begun || state.exit_code.is_some() {
            return;
        }
        let mut changes = self.container.watch();
        let Ok(shim) = self.container.running_shim() else {
            return;
        };
        match shim.snapshot().await {
            Ok(snapshot) => {
                let known = snapshot.execs.iter().find(|e| e.id == self.id);
                if let Some(known) = known {
                    self.container.exec_started(&self.id, known.pid);
                }
                if let Some(code) = known.and_then(|e| e.exit_code) {
                    self.container.exec_exited(&self.id, i64::from(code));
                }
            }
            Err(_) => {
                // The container ended, and its shim has left: what it said
                // last is being written down.
                let ended = changes.wait_for(|m| !m.up || m.removed);
                let _written = tokio::time::timeout(PATIENCE, ended).await;
            }
        }
    }
}

impl Container {
    /// The execs that run.
    pub fn running_execs(&self) -> Vec<Id> {
        let execs = self.execs.lock().unwrap_or_else(|p| p.into_inner());
        execs
            .values()
            .filter(|e| e.state().running)
            .map(|e| e.id.clone())
            .collect()
    }

    /// The shim started one.
    pub fn exec_started(&self, id: &Id, pid: u32) {
        if let Some(exec) = self.exec(id) {
            let mut state = exec.state();
            if state.exit_code.is_none() {
                state.running = true;
                state.pid = Some(pid);
            }
        }
    }

    /// One ended; false for those nobody here asked for (health probes).
    pub fn exec_exited(&self, id: &Id, code: i64) -> bool {
        let Some(exec) = self.exec(id) else {
            return false;
        };
        let mut state = exec.state();
        state.running = false;
        state.exit_code = Some(code);
        true
    }

    /// The container ended, and its execs with it.
    pub fn execs_ended(&self) {
        let execs = self.execs.lock().unwrap_or_else(|p| p.into_inner());
        for exec in execs.values() {
            let mut state = exec.state();
            if state.running {
                state.running = false;
                state.exit_code.get_or_insert(137);
            }
        }
    }

    fn exec(&self, id: &Id) -> Option<Arc<Exec>> {
        let execs = self.execs.lock().unwrap_or_else(|p| p.into_inner());
        execs.get(id).cloned()
    }
}

impl LocalEngine {
    /// Prepares a process; nothing runs yet.
    pub async fn create_exec(&self, container: &str, config: ExecConfig) -> Result<IdResponse> {
        if config.cmd.as_ref().is_none_or(Vec::is_empty) {
            return Err(Error::invalid("No exec command specified"));
        }
        for variable in config.env.iter().flatten() {
            if variable.is_empty() || variable.starts_with('=') {
                return Err(Error::invalid(format!(
                    "invalid environment variable: {variable}"
                )));
            }
        }
        detach::parse(config.detach_keys.as_deref())?;
        let container = self.shared.containers.find(container)?;
        container
            .status()
            .permits(Request::Exec, container.id.as_str())
            .map_err(Error::of)?;
        let id = super::create::new_id()?;
        let command = exec_words(config.cmd.as_deref().unwrap_or_default());
        let exec = Arc::new(Exec {
            id: id.clone(),
            container: Arc::clone(&container),
            config,
            state: Mutex::default(),
        });
        container
            .execs
            .lock()
            .unwrap_or_else(|p| p.into_inner())
            .insert(id.clone(), Arc::clone(&exec));
        self.shared.execs.insert(exec);
        self.container_event(
            &container,
            &format!("exec_create: {command}"),
            &[("execID", id.as_str())],
        );
        Ok(IdResponse { id: id.to_string() })
    }

    /// Starts detached (`detach` true) and returns `None`, or prepares the
    /// stream: the process starts when the client is connected; a failure to
    /// start is then told in the stream, as dockerd does.
    pub async fn start_exec(
        &self,
        exec: &str,
        config: ExecStartConfig,
    ) -> Result<Option<PreparedStream>> {
        let exec = self.shared.execs.find(exec)?;
        exec.container
            .status()
            .permits(Request::Exec, exec.container.id.as_str())
            .map_err(Error::of)?;
        {
            let mut state = exec.state();
            if state.begun {
                let short = exec.id.short();
                return Err(Error::conflict(match state.exit_code {
                    Some(_) => format!("Error: Exec command {} has already run", exec.id),
                    None => format!("Error: Exec command {short} is already running"),
                }));
            }
            state.begun = true;
        }
        let console = config
            .console_size
            .clone()
            .or_else(|| exec.config.console_size.clone())
            .and_then(|size| console(&size));
        let engine = self.clone();
        if config.detach == Some(true) {
            return match engine.run_exec(&exec, None, console).await? {
                Ok(_) => Ok(None),
                Err(failure) => {
                    engine.exec_failed(&exec, &failure);
                    Err(Error::invalid(exec_error(&failure)))
                }
            };
        }
        // As whoever starts it says: a terminal's output comes in frames to one
        // who did not say that it is a terminal's.
        let multiplexed = config.tty != Some(true);
        Ok(Some(PreparedStream::new(multiplexed, move |client| {
            Box::pin(async move {
                // Kept to write the failure to, should there be one.
                let spare = client.socket.try_clone()?;
                match engine
                    .run_exec(&exec, Some((client, multiplexed)), console)
                    .await
                {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(failure)) => {
                        engine.exec_failed(&exec, &failure);
                        tell(spare, &exec_error(&failure), multiplexed).await
                    }
                    Err(error) => {
                        exec.state().exit_code = Some(126);
                        tell(spare, &error.to_string(), multiplexed).await
                    }
                }
            })
        })))
    }

    /// Runs it for a client, with frames around its output or without.
    async fn run_exec(
        &self,
        exec: &Arc<Exec>,
        client: Option<(ClientSocket, bool)>,
        console: Option<Console>,
    ) -> Result<std::result::Result<u32, Failure>> {
        let container = &exec.container;
        let shim = container.running_shim()?;
        let engine = self.clone();
        let planned = Arc::clone(exec);
        // Looks into the container's passwd file: blocking work.
        let process =
            tokio::task::spawn_blocking(move || engine.exec_process(&planned, console)).await??;
        let config = &exec.config;
        let on = |flag: Option<bool>| flag == Some(true);
        let (attach, socket) = match client {
            Some((client, framed)) => (
                Some(Attach {
                    exec: Some(exec.id.clone()),
                    stdin: on(config.attach_stdin),
                    stdout: on(config.attach_stdout),
                    stderr: on(config.attach_stderr),
                    detach_keys: if exec.tty() {
                        detach::parse(config.detach_keys.as_deref())?
                    } else {
                        Vec::new()
                    },
                    framed: Some(framed),
                    early_input: client.early.to_vec(),
                }),
                Some(client.socket),
            ),
            None => (None, None),
        };
        self.container_event(
            container,
            &format!(
                "exec_start: {}",
                exec_words(config.cmd.as_deref().unwrap_or_default())
            ),
            &[("execID", exec.id.as_str())],
        );
        let request = protocol::Exec {
            id: exec.id.clone(),
            process,
            seccomp: !on(config.privileged),
            stdin: on(config.attach_stdin),
            attach,
        };
        let started = shim.exec(request, socket).await?;
        if let Ok(pid) = &started {
            container.exec_started(&exec.id, *pid);
        }
        Ok(started)
    }

    fn exec_failed(&self, exec: &Exec, failure: &Failure) {
        let mut state = exec.state();
        state.running = false;
        state.exit_code = Some(exit_code_of(&failure.message));
    }

    /// How an exec stands.
    pub async fn inspect_exec(&self, exec: &str) -> Result<ExecInspectResponse> {
        let exec = self.shared.execs.find(exec)?;
        exec.catch_up().await;
        let state = *exec.state();
        let config = &exec.config;
        let mut command = config.cmd.iter().flatten().cloned();
        Ok(ExecInspectResponse {
            can_remove: Some(false),
            detach_keys: Some(config.detach_keys.clone().unwrap_or_default()),
            id: Some(exec.id.to_string()),
            running: Some(state.running),
            exit_code: state.exit_code,
            process_config: Some(ProcessConfig {
                privileged: Some(config.privileged == Some(true)),
                user: config.user.clone(),
                tty: Some(exec.tty()),
                entrypoint: command.next(),
                arguments: Some(command.collect()),
            }),
            open_stdin: Some(config.attach_stdin == Some(true)),
            open_stderr: Some(config.attach_stderr == Some(true)),
            open_stdout: Some(config.attach_stdout == Some(true)),
            container_id: Some(exec.container.id.to_string()),
            pid: Some(state.pid.map_or(0, i64::from)),
        })
    }

    /// Resizes an exec's terminal.
    pub async fn resize_exec(&self, exec: &str, options: ResizeExecOptions) -> Result<()> {
        let exec = self.shared.execs.find(exec)?;
        let size = super::resize::console(options.w, options.h)?;
        let shim = exec.container.running_shim()?;
        shim.resize(Some(exec.id.clone()), size).await
    }
}

/// What dockerd records for an exec that did not start: anything missing, the
/// working directory too, counts as the program missing.
fn exit_code_of(message: &str) -> i64 {
    let missing = ["executable file not found", "no such file or directory"];
    match missing.iter().any(|text| message.contains(text)) {
        true => 127,
        false => 126,
    }
}

/// A command as dockerd's events show it: with a space after a program that
/// has no arguments, too.
pub(super) fn exec_words(command: &[String]) -> String {
    match command.split_first() {
        Some((program, arguments)) => format!("{program} {}", arguments.join(" ")),
        None => String::new(),
    }
}

/// A size given as height and width; none for `[0, 0]`.
pub(super) fn console(size: &[usize]) -> Option<Console> {
    match size {
        [height, width] if *height > 0 && *width > 0 => Some(Console {
            width: u16::try_from(*width).ok()?,
            height: u16::try_from(*height).ok()?,
        }),
        _ => None,
    }
}

/// Docker's words for a process that did not start.
fn exec_error(failure: &Failure) -> String {
    format!(
        "OCI runtime exec failed: exec failed: unable to start container process: {}: unknown",
        failure.message
    )
}

/// Writes `text` as the stream's only content and closes it.
async fn tell(socket: OwnedFd, text: &str, multiplexed: bool) -> Result<()> {
    let line = format!("{text}\r\n");
    let socket = std::os::unix::net::UnixStream::from(socket);
    socket.set_nonblocking(true)?;
    let mut socket = tokio::net::UnixStream::from_std(socket)?;
    if multiplexed {
        let length = u32::try_from(line.len()).unwrap_or(u32::MAX);
        let mut header = [1, 0, 0, 0, 0, 0, 0, 0];
        header[4..].copy_from_slice(&length.to_be_bytes());
        socket.write_all(&header).await?;
    }
    socket.write_all(line.as_bytes()).await?;
    socket.shutdown().await?;
    Ok(())
}
