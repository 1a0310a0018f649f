//! `POST /containers/{id}/start`: plan, launch the shim, hand it what it is to
//! hold, start. What fails leaves nothing behind.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bollard_stubs::query_parameters::StartContainerOptions;
use dhow_model::lifecycle::Request;
use dhow_model::{ErrorKind, Id, health};
use dhow_runtime::launch::Launched;
use dhow_runtime::protocol::{Failure, FailureKind, SPEC_FILE, ShimConfig};
use oci_spec::runtime::Spec;

use super::container::Container;
use super::detach;
use super::network::Prepared;
use super::record::{Plugged, Record, State, Status};
use super::shim::Shim;
use crate::db::Commit;
use crate::{Error, LocalEngine, Result, clock};

/// How long a new shim waits for the one before it to leave.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a container is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A person asked for it, or the engine starts: restarts count from 0, and
    /// what a person called off is on again.
    Asked,
    /// Its policy does, because its shim was lost: one more restart.
    Policy,
}

/// Everything a start needs, made and not yet used.
pub(super) struct Plan {
    pub spec: Spec,
    pub config: ShimConfig,
}

impl LocalEngine {
    /// Starts a container that is not running.
    pub async fn start_container(
        &self,
        name: &str,
        options: Option<StartContainerOptions>,
    ) -> Result<()> {
        detach::parse(options.and_then(|o| o.detach_keys).as_deref())?;
        let container = self.shared.containers.find(name)?;
        let engine = self.clone();
        // A client that hangs up in the middle must not leave half a start.
        tokio::spawn(async move {
            let _turn = container.operation.lock().await;
            engine.start(&container, Cause::Asked).await
        })
        .await?
    }

    /// Starts it; the caller holds its turn.
    pub(crate) async fn start(&self, container: &Arc<Container>, cause: Cause) -> Result<()> {
        container
            .status()
            .permits(Request::Start, container.id.as_str())
            .map_err(Error::of)?;
        if container.watch().borrow().removed {
            return Err(Error::not_found(format!(
                "No such container: {}",
                container.id
            )));
        }
        let before = container.followed.lock().await.take();
        if let Some(before) = before {
            let _left = tokio::time::timeout(PATIENCE, before).await;
        }

        let started = self.launch(container, cause).await;
        if let Err(error) = &started {
            drop(container.attachments.take().await);
            let message = error.to_string();
            let exit_code = exit_code_of(&message);
            container
                .change(&self.shared.db, Commit::Quick, |r| {
                    r.state.error = message;
                    r.state.exit_code = exit_code;
                })
                .ok();
            container.tell(|m| m.exits += 1);
            self.remove_failed(container);
        }
        started
    }

    async fn launch(&self, container: &Arc<Container>, cause: Cause) -> Result<()> {
        let mut record = container.record();
        match cause {
            Cause::Asked => {
                record.state.restart_count = 0;
                record.state.stopped_by_hand = false;
                record.state.restarts_called_off = false;
            }
            Cause::Policy => record.state.restart_count += 1,
        }
        let beginning = record.state.clone();
        let _turns = self.mounting_turns(&record).await;
        let engine = self.clone();
        let prepared = tokio::task::spawn_blocking(move || engine.prepare(&record)).await??;
        let (launched, plugged) = prepared.inspect_err(|_| self.tell_failed_start(container))?;
        let outcome = self
            .run(container, launched, plugged.as_ref(), beginning)
            .await;
        if outcome.is_err() {
            let engine = self.clone();
            let id = container.id.clone();
            let undo = move || {
                engine.give_back_network(plugged.as_ref());
                engine.remove_run_directory(&id);
            };
            tokio::task::spawn_blocking(undo).await?;
            self.tell_failed_start(container);
        }
        outcome
    }

    /// Makes the network ready, plans, and starts the shim. What fails once the
    /// network is ready is the inner error. Blocks.
    fn prepare(&self, record: &Record) -> Result<Result<(Launched, Option<Plugged>)>> {
        let Prepared { plugged, inherited } = self.prepare_network(record)?;
        let launched = self.plan(record, plugged.as_ref()).and_then(|mut plan| {
            let directory = self.run_directory(&record.id);
            make_run_directory(&directory)?;
            let spec = serde_json::to_vec(&plan.spec)?;
            std::fs::write(directory.join(SPEC_FILE), spec)?;
            self.shared
                .launcher
                .launch(&directory, &mut plan.config, &inherited)
                .map_err(Error::of)
        });
        match launched {
            Ok(launched) => Ok(Ok((launched, plugged))),
            Err(error) => {
                self.give_back_network(plugged.as_ref());
                self.remove_run_directory(&record.id);
                Ok(Err(error))
            }
        }
    }

    async fn run(
        &self,
        container: &Arc<Container>,
        launched: Launched,
        plugged: Option<&Plugged>,
        beginning: State,
    ) -> Result<()> {
        let Launched { process, control } = launched;
        let (shim, events) = Shim::new(control, Some(process))?;
        // First of all, because the container may have ended before the next
        // request is sent. Events wait until they are followed.
        shim.subscribe(container.read(|r| r.state.seq)).await?;
        for (attach, client) in container.attachments.take().await {
            shim.attach(attach, client).await?;
        }
        let pid = match shim.start().await? {
            Ok(pid) => pid,
            Err(failure) => return Err(start_error(failure)),
        };
        *container.shim_slot() = Some(Arc::clone(&shim));
        let plugged = plugged.cloned();
        let has_probe = super::prepare::probe(&container.record()).is_some();
        let commit = match container.read(Record::auto_remove) {
            true => Commit::Quick,
            false => Commit::Durable,
        };
        let written = container.change(&self.shared.db, commit, |r| {
            let state = &mut r.state;
            state.status = Status::Running;
            state.pid = Some(pid);
            state.started_at = clock::now();
            state.exit_code = 0;
            state.error.clear();
            state.oom_killed = false;
            state.memory_peak = None;
            state.restart_count = beginning.restart_count;
            state.stopped_by_hand = beginning.stopped_by_hand;
            state.restarts_called_off = beginning.restarts_called_off;
            state.health = has_probe.then(health::Machine::default);
            state.network = plugged;
        });
        if let Err(error) = written {
            // It runs; that it could not be written down does not stop it.
            tracing::error!(container = %container.id, %error, "state not written");
        }
        self.tell_start(container);
        self.follow(Arc::clone(container), events).await;
        Ok(())
    }

    /// `--rm` of a container that could not start: dockerd removes it as well.
    fn remove_failed(&self, container: &Arc<Container>) {
        if !container.read(Record::auto_remove) {
            return;
        }
        let engine = self.clone();
        let container = Arc::clone(container);
        tokio::spawn(async move {
            let _turn = container.operation.lock().await;
            let still_failed = !container.status().counts_as_running();
            if still_failed && let Err(error) = engine.erase(&container, true).await {
                tracing::warn!(container = %container.id, %error, "not removed");
            }
        });
    }

    /// Where a running container's shim has its files.
    pub(crate) fn run_directory(&self, id: &Id) -> PathBuf {
        self.config().exec_root.join("c").join(id.as_str())
    }

    pub(super) fn remove_run_directory(&self, id: &Id) {
        let directory = self.run_directory(id);
        if let Err(error) = std::fs::remove_dir_all(&directory)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(directory = %directory.display(), %error, "cannot be deleted");
        }
    }
}

/// An empty directory only the engine may look into; what a killed engine left
/// there goes.
fn make_run_directory(directory: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let failed = |e: std::io::Error| Error::system(format!("{}: {e}", directory.display()));
    match std::fs::remove_dir_all(directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(failed)
}

/// Docker's words for a program that did not start; clients turn them into
/// exit codes 125, 126 and 127.
fn start_error(failure: Failure) -> Error {
    let message = failure.message;
    match failure.kind {
        FailureKind::NotFound | FailureKind::NotExecutable => Error::invalid(format!(
            "failed to create task for container: failed to create shim task: OCI runtime create \
             failed: unable to start container process: error during container init: {message}: \
             unknown"
        )),
        FailureKind::Unsupported => Error::invalid(message),
        FailureKind::Mount => Error::system(message),
        FailureKind::Conflict | FailureKind::NoSuchExec | FailureKind::Other => Error::new(
            ErrorKind::System,
            format!(
                "failed to create task for container: failed to create shim task: OCI runtime \
                 create failed: unable to start container process: {message}: unknown"
            ),
        ),
    }
}

/// What dockerd records as the exit code of a container that did not start.
fn exit_code_of(message: &str) -> i64 {
    let says = |text: &str| message.contains(text);
    // What fails before there is a task says nothing of the program.
    if !says("failed to create task for container") {
        128
    } else if says("executable file not found") || says("no such file or directory") {
        127
    } else if says("permission denied") || says("is a directory") || says("exec format error") {
        126
    } else {
        128
    }
}
