//! `stop`, `restart` and `kill`.

use std::sync::Arc;
use std::time::Duration;

use bollard_stubs::query_parameters::{
    KillContainerOptions, RestartContainerOptions, StopContainerOptions,
};
use dhow_model::lifecycle::Request;
use dhow_model::{restart, signal};

use super::container::{Container, Moment, ends_now};
use super::record::{Record, Status};
use super::shim::Shim;
use super::start::Cause;
use crate::db::Commit;
use crate::{Error, LocalEngine, Result};

/// What a container is given to end by itself, when nobody says otherwise.
const DEFAULT_GRACE_SECONDS: i64 = 10;

/// How long the kernel may take to end a process after SIGKILL.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait for the end of a container that takes no signal any more.
const UNSENT_PATIENCE: Duration = Duration::from_secs(2);

/// How much longer than the daemon the shim waits before it kills: it does so
/// only where the daemon does not.
const SHIM_WAITS_LONGER: Duration = Duration::from_secs(2);

impl LocalEngine {
    /// Asks the container to end, and ends it when it does not in time.
    pub async fn stop_container(
        &self,
        name: &str,
        options: Option<StopContainerOptions>,
    ) -> Result<()> {
        let options = options.unwrap_or_default();
        let container = self.shared.containers.find(name)?;
        let (engine, name) = (self.clone(), name.to_owned());
        // A client that hangs up has asked all the same.
        tokio::spawn(async move {
            let _turn = container.operation.lock().await;
            if !container.status().counts_as_running() {
                return Err(Error::not_modified());
            }
            let (signal, grace) = (options.signal.as_deref(), options.t.map(i64::from));
            let stopped = engine.stop(&container, signal, grace).await;
            stopped.map_err(|e| Error::system(format!("cannot stop container: {name}: {e}")))
        })
        .await?
    }

    /// Stops the container where it runs, and starts it.
    pub async fn restart_container(
        &self,
        name: &str,
        options: Option<RestartContainerOptions>,
    ) -> Result<()> {
        let options = options.unwrap_or_default();
        let container = self.shared.containers.find(name)?;
        let (engine, name) = (self.clone(), name.to_owned());
        // A client that hangs up must not leave it stopped.
        tokio::spawn(async move {
            let _turn = container.operation.lock().await;
            let restarted = engine.restart(&container, &options).await;
            restarted.map_err(|e| e.context(format!("Cannot restart container {name}")))
        })
        .await?
    }

    /// Stops and starts it; the caller holds its turn.
    async fn restart(
        &self,
        container: &Arc<Container>,
        options: &RestartContainerOptions,
    ) -> Result<()> {
        if container.status().counts_as_running() {
            // `--rm` means the container's end, not a restart's middle.
            let _kept = container.keep();
            let (signal, grace) = (options.signal.as_deref(), options.t.map(i64::from));
            self.stop(container, signal, grace).await?;
        }
        self.start(container, Cause::Asked).await?;
        self.container_event(container, "restart", &[]);
        Ok(())
    }

    /// Sends a signal; SIGKILL returns once the container has ended.
    pub async fn kill_container(
        &self,
        name: &str,
        options: Option<KillContainerOptions>,
    ) -> Result<()> {
        let text = options.map(|o| o.signal).filter(|s| !s.is_empty());
        let number = parse_signal(text.as_deref().unwrap_or("SIGKILL"))?;
        let container = self.shared.containers.find(name)?;
        let refused = |error: Error| error.context(format!("cannot kill container: {name}"));
        container
            .status()
            .permits(Request::Kill, container.id.as_str())
            .map_err(|e| refused(Error::of(e)))?;
        let shim = container.running_shim().map_err(refused)?;
        let own = container.read(own_stop_signal).transpose()?;
        let called_off = restart::is_called_off_by(number, own);
        let mut changes = container.watch();
        match self.signal(&container, &shim, number, called_off).await {
            Err(_) if ends_now(&mut changes).await => Err(refused(container.not_running()))?,
            signalled => signalled.map_err(refused)?,
        }
        if number == signal::KILL {
            let ended = changes.wait_for(|m| !m.up || m.removed);
            if tokio::time::timeout(KILL_PATIENCE, ended).await.is_err() {
                return Err(refused(no_exit()));
            }
        }
        Ok(())
    }

    /// Signals the container and tells the world, in this order and before
    /// anything that comes of it. `called_off` ends the restarts.
    pub(super) async fn signal(
        &self,
        container: &Container,
        shim: &Shim,
        signal: i32,
        called_off: bool,
    ) -> Result<()> {
        let _telling = container.telling.lock().await;
        self.note_signal(container, called_off, Commit::Quick)?;
        // One that waits for its restart has nothing to be signalled.
        let restarting = container.status() == Status::Restarting;
        shim.kill(signal, called_off).await?;
        if !restarting {
            self.kill_event(container, signal);
        }
        Ok(())
    }

    /// `unless-stopped` is to know it after a restart of the engine.
    fn note_signal(&self, container: &Container, called_off: bool, commit: Commit) -> Result<()> {
        container.change(&self.shared.db, commit, |r| {
            r.state.stopped_by_hand = true;
            r.state.restarts_called_off |= called_off;
        })
    }

    fn kill_event(&self, container: &Container, signal: i32) {
        self.container_event(container, "kill", &[("signal", &signal.to_string())]);
    }

    /// Ends a running container; the caller holds its turn.
    pub(crate) async fn stop(
        &self,
        container: &Container,
        signal: Option<&str>,
        grace: Option<i64>,
    ) -> Result<()> {
        let stop_signal = match signal.filter(|s| !s.is_empty()) {
            Some(text) => parse_signal(text)?,
            None => container.read(|r| self.stop_signal(r))?,
        };
        let grace = container.read(|r| self::grace(r, grace));
        self.note_signal(container, true, Commit::Durable)?;
        let mut changes = container.watch();
        let Ok(shim) = container.running_shim() else {
            return Ok(());
        };
        let sent = {
            let _telling = container.telling.lock().await;
            // The shim keeps the time as well, so that the container ends even
            // where the daemon does before it.
            let restarting = container.status() == Status::Restarting;
            let longer = grace.map(|grace| grace.saturating_add(SHIM_WAITS_LONGER));
            let sent = shim.stop(stop_signal, longer).await;
            if sent.is_ok() && !restarting {
                self.kill_event(container, stop_signal);
            }
            sent
        };
        // What cannot be signalled has ended, which will be told soon.
        let grace = match sent {
            Ok(()) => grace,
            Err(_) => Some(UNSENT_PATIENCE),
        };
        let ended = |m: &Moment| !m.up || m.removed;
        let in_time = match grace {
            Some(grace) => {
                let wait = changes.wait_for(ended);
                tokio::time::timeout(grace, wait).await.is_ok()
            }
            None => changes.wait_for(ended).await.is_ok(),
        };
        if !in_time {
            let _ended_meanwhile = self.signal(container, &shim, signal::KILL, true).await;
            let killed = tokio::time::timeout(KILL_PATIENCE, changes.wait_for(ended)).await;
            if killed.is_err() {
                return Err(no_exit());
            }
        }
        self.container_event(container, "stop", &[]);
        Ok(())
    }

    /// What asks the container to end.
    pub(super) fn stop_signal(&self, record: &Record) -> Result<i32> {
        own_stop_signal(record).unwrap_or(Ok(signal::DEFAULT_STOP))
    }
}

/// The stop signal that the container or its image names, if one does.
fn own_stop_signal(record: &Record) -> Option<Result<i32>> {
    let text = record.config.stop_signal.as_deref()?;
    (!text.is_empty()).then(|| parse_signal(text))
}

/// Docker's words for a process that even SIGKILL does not end.
fn no_exit() -> Error {
    Error::system("tried to kill container, but did not receive an exit event")
}

/// How long the container may take to end by itself: as asked, as it was
/// created, or ten seconds; without limit where that is negative.
pub(super) fn grace(record: &Record, asked: Option<i64>) -> Option<Duration> {
    let seconds = asked
        .or(record.config.stop_timeout)
        .unwrap_or(DEFAULT_GRACE_SECONDS);
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// Docker's text for a signal nobody knows.
fn parse_signal(text: &str) -> Result<i32> {
    signal::parse(text).map_err(|_| Error::invalid(format!("invalid signal: {text}")))
}
