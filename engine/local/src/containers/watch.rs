//! What shims tell, written into the records: starts, ends, restarts, health.
//! One task follows each shim and is the only one to apply its events.

use std::sync::Arc;

use dhow_model::{health, lifecycle};
use dhow_runtime::protocol::{Event, EventKind, Exit, ProbeStep, StateFile};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::container::Container;
use super::exec::exec_words;
use super::record::Status;
use super::shim::Told;
use super::start::Cause;
use crate::LocalEngine;
use crate::db::Commit;

/// The exit code of a container whose shim was killed, and it with it.
const KILLED: i32 = 137;

/// What dockerd says of containers that went down with the computer.
const UNKNOWN: i32 = 255;

impl LocalEngine {
    /// Follows the container's shim until it leaves.
    pub(crate) async fn follow(
        &self,
        container: Arc<Container>,
        mut told: mpsc::UnboundedReceiver<Told>,
    ) {
        let engine = self.clone();
        let followed = Arc::clone(&container);
        let task = tokio::spawn(async move {
            while let Some(told) = told.recv().await {
                match told {
                    Told::Event(event) => engine.apply(&container, event).await,
                    Told::Probe(step) => engine.tell_probe(&container, step),
                }
            }
            if engine.shim_left(&container).await {
                // Apart, because a start waits for this task to end.
                tokio::spawn(engine.start_again(container));
            }
        });
        *followed.followed.lock().await = Some(task);
    }

    /// Writes one event into the record and tells the world.
    pub(crate) async fn apply(&self, container: &Arc<Container>, event: Event) {
        if event.seq <= container.read(|r| r.state.seq) {
            return;
        }
        let _telling = container.telling.lock().await;
        let at = event.at.nanos();
        match event.kind {
            EventKind::Started { pid, restarts } => {
                let again = container.status() == Status::Restarting;
                self.record_event(container, event.seq, |state| {
                    state.status = Status::Running;
                    state.pid = Some(pid);
                    state.started_at = at;
                    state.restart_count = u64::from(restarts);
                    state.exit_code = 0;
                    state.error.clear();
                    state.oom_killed = false;
                    state.memory_peak = None;
                    if let Some(health) = &mut state.health {
                        health.restart();
                    }
                });
                if again {
                    self.tell_start(container);
                }
            }
            EventKind::Exited { exit, restart_in } => {
                self.ended(container, event.seq, exit, restart_in.is_some())
                    .await;
            }
            EventKind::RestartFailed {
                failure,
                restart_in,
            } => {
                self.record_event(container, event.seq, |state| {
                    state.error = failure.message;
                    state.exit_code = i64::from(failure.kind.exit_code());
                    state.finished_at = at;
                    if restart_in.is_none() {
                        state.status = Status::Exited;
                        state.pid = None;
                    }
                });
                if restart_in.is_none() {
                    self.release_network(container).await;
                }
            }
            EventKind::Oom => {
                self.record_event(container, event.seq, |_| {});
                self.container_event(container, "oom", &[]);
            }
            // Told before it is written: who waits for the status goes on then.
            EventKind::Paused => {
                if container.status() != Status::Paused {
                    self.container_event(container, "pause", &[]);
                }
                self.record_status(container, event.seq, lifecycle::Event::Paused);
                self.record_event(container, event.seq, |state| {
                    state.health.iter_mut().for_each(health::Machine::abandon);
                });
            }
            EventKind::Resumed => {
                if container.status() == Status::Paused {
                    self.container_event(container, "unpause", &[]);
                }
                self.record_status(container, event.seq, lifecycle::Event::Resumed);
            }
            EventKind::Health { .. } => self.record_health(container, event.seq).await,
            EventKind::ExecStarted { exec, pid } => {
                self.record_event(container, event.seq, |_| {});
                container.exec_started(&exec, pid);
            }
            EventKind::ExecExited { exec, code } => {
                self.record_event(container, event.seq, |_| {});
                if container.exec_exited(&exec, i64::from(code)) {
                    self.container_event(
                        container,
                        "exec_die",
                        &[("execID", exec.as_str()), ("exitCode", &code.to_string())],
                    );
                }
            }
            EventKind::Detached { exec } => {
                self.record_event(container, event.seq, |_| {});
                match exec {
                    Some(exec) => {
                        self.container_event(container, "exec_detach", &[("execID", exec.as_str())])
                    }
                    None => self.container_event(container, "detach", &[]),
                }
            }
        }
    }

    async fn ended(&self, container: &Arc<Container>, seq: u64, exit: Exit, will_restart: bool) {
        let at = exit.at.nanos();
        let ran_for = at.saturating_sub(container.read(|r| r.state.started_at)) / 1_000_000_000;
        // Then this is the end that was told before, now without a restart.
        let called_off = container.status() == Status::Restarting;
        if !will_restart {
            self.release_network(container).await;
        }
        if !called_off {
            self.network_event(container, "disconnect");
            self.volumes_unmounted(container);
        }
        container.execs_ended();
        if !called_off {
            self.container_event(
                container,
                "die",
                &[
                    ("exitCode", &exit.code.to_string()),
                    ("execDuration", &ran_for.to_string()),
                ],
            );
        }
        self.record_event(container, seq, |state| {
            let event = lifecycle::Event::Exited { will_restart };
            state.status = state.status.after(event).unwrap_or(Status::Exited);
            state.pid = None;
            state.health.iter_mut().for_each(health::Machine::abandon);
            state.exit_code = i64::from(exit.code);
            state.oom_killed = exit.oom_killed;
            state.memory_peak = exit.memory_peak;
            state.finished_at = at;
        });
        if !will_restart {
            *container.shim_slot() = None;
            self.remove_when_due(container);
        }
    }

    /// `--rm`: the container goes with its end, and its anonymous volumes too.
    pub(crate) fn remove_when_due(&self, container: &Arc<Container>) {
        if !container.read(|r| r.auto_remove()) || container.is_kept() {
            return;
        }
        let engine = self.clone();
        let container = Arc::clone(container);
        tokio::spawn(async move {
            let _turn = container.operation.lock().await;
            let due = !container.status().counts_as_running()
                && container.status() != Status::Created
                && !container.watch().borrow().removed;
            if due && let Err(error) = engine.erase(&container, true).await {
                tracing::warn!(container = %container.id, %error, "not removed");
            }
        });
    }

    /// Tells of a probe what dockerd tells, to which probes are execs like any.
    fn tell_probe(&self, container: &Container, step: ProbeStep) {
        let mut running = container.probe.lock().unwrap_or_else(|p| p.into_inner());
        match step {
            ProbeStep::Begun { probe } => {
                let (Some(check), Ok(id)) = (
                    super::prepare::probe(&container.record()),
                    super::create::new_id(),
                ) else {
                    return;
                };
                for action in ["exec_create", "exec_start"] {
                    let action = format!("{action}: {}", exec_words(&check.command));
                    self.container_event(container, &action, &[("execID", id.as_str())]);
                }
                *running = Some((probe, id));
            }
            // Of one that began before this daemon did, nobody knows the id.
            ProbeStep::Ended { probe, code } => {
                if let Some((_, id)) = running.take_if(|(number, _)| *number == probe) {
                    let code = code.to_string();
                    let attributes = [("execID", id.as_str()), ("exitCode", &code)];
                    self.container_event(container, "exec_die", &attributes);
                }
            }
        }
    }

    async fn record_health(&self, container: &Arc<Container>, seq: u64) {
        // The event says that something changed; the log is in the snapshot.
        let shim = container.shim_slot().clone();
        let health = match shim {
            Some(shim) => shim.snapshot().await.ok().and_then(|s| s.health),
            None => None,
        };
        let before = container.read(|r| r.state.health.as_ref().map(|h| h.status()));
        let after = health.as_ref().map(|h| h.status());
        self.record_event(container, seq, |state| {
            if health.is_some() {
                state.health = health;
            }
        });
        if let Some(status) = after
            && before != after
        {
            let action = format!("health_status: {}", status.as_str());
            self.container_event(container, &action, &[]);
        }
    }

    fn record_status(&self, container: &Container, seq: u64, event: lifecycle::Event) {
        self.record_event(container, seq, |state| {
            // The verb that asked for it may have written it already.
            if let Some(next) = state.status.after(event) {
                state.status = next;
            }
        });
    }

    fn record_event(
        &self,
        container: &Container,
        seq: u64,
        change: impl FnOnce(&mut super::record::State),
    ) {
        let written = container.change(&self.shared.db, Commit::Quick, |record| {
            change(&mut record.state);
            record.state.seq = seq;
        });
        if let Err(error) = written {
            tracing::error!(container = %container.id, %error, "state not written");
        }
    }

    /// The shim is gone: what it left in its state file is applied, and a
    /// container it did not see end is ended now. Returns whether that one is
    /// to be started again.
    pub(crate) async fn shim_left(&self, container: &Arc<Container>) -> bool {
        *container.shim_slot() = None;
        if !container.status().counts_as_running() {
            self.remove_run_directory(&container.id);
            return false;
        }
        let path = container
            .directory(&self.config().data_root)
            .join("state.json");
        let left = tokio::task::spawn_blocking(move || StateFile::read(&path)).await;
        match left {
            Ok(Ok(Some(file))) => {
                let seq = container.read(|r| r.state.seq);
                for event in file.events_after(seq).cloned().collect::<Vec<_>>() {
                    Box::pin(self.apply(container, event)).await;
                }
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => {
                tracing::error!(container = %container.id, %error, "state file unreadable");
            }
            Err(error) => tracing::error!(%error, "state file not read"),
        }
        let lost = container.status().counts_as_running();
        if lost {
            self.kill_leftovers(container).await;
            self.shim_was_killed(container).await;
        }
        self.remove_run_directory(&container.id);
        lost && container.read(|r| r.is_due() && !r.state.restarts_called_off)
    }

    /// A shim that was killed takes its container along: nobody would see its
    /// end, keep its log or restart it. The restart policy is the daemon's to
    /// follow this once. Without a run directory the computer went down.
    async fn shim_was_killed(&self, container: &Arc<Container>) {
        let (code, signal) = match self.run_directory(&container.id).exists() {
            true => (KILLED, Some(dhow_model::signal::KILL)),
            false => (UNKNOWN, None),
        };
        tracing::warn!(container = %container.id, code, "ended without its shim");
        let seq = container.read(|r| r.state.seq);
        let exit = Exit {
            code,
            signal,
            oom_killed: false,
            memory_peak: None,
            at: dhow_model::Timestamp::from_nanos(crate::clock::now()),
        };
        self.ended(container, seq, exit, false).await;
    }

    /// Boxed, because following a shim may start a container, and starting one
    /// follows a shim.
    fn start_again(&self, container: Arc<Container>) -> BoxFuture<'static, ()> {
        let engine = self.clone();
        Box::pin(async move {
            let _turn = container.operation.lock().await;
            if let Err(error) = engine.start(&container, Cause::Policy).await {
                tracing::warn!(container = %container.id, %error, "not started again");
            }
        })
    }
}
