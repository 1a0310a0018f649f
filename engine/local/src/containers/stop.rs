//! `stop`, `restart` and `kill`.

use std::time::Duration;

use bollard_stubs::query_parameters::{
    KillContainerOptions, RestartContainerOptions, StopContainerOptions,
};
use dhow_model::lifecycle::Request;
use dhow_model::signal;

use super::container::{Container, Moment};
use super::record::{Record, Status};
use crate::db::Commit;
use crate::{Error, LocalEngine, Result};

/// What a container is given to end by itself, when nobody says otherwise.
const DEFAULT_GRACE_SECONDS: i64 = 10;

/// How long the kernel may take to end a process after SIGKILL.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

impl LocalEngine {
    /// Asks the container to end, and ends it when it does not in time.
    pub async fn stop_container(
        &self,
        name: &str,
        options: Option<StopContainerOptions>,
    ) -> Result<()> {
        let options = options.unwrap_or_default();
        let container = self.shared.containers.find(name)?;
        let _turn = container.operation.lock().await;
        if !container.status().counts_as_running() {
            return Err(Error::not_modified());
        }
        self.stop(
            &container,
            options.signal.as_deref(),
            options.t.map(i64::from),
        )
        .await
    }

    /// Stops the container where it runs, and starts it.
    pub async fn restart_container(
        &self,
        name: &str,
        options: Option<RestartContainerOptions>,
    ) -> Result<()> {
        let options = options.unwrap_or_default();
        let container = self.shared.containers.find(name)?;
        let _turn = container.operation.lock().await;
        if container.status().counts_as_running() {
            // `--rm` means the container's end, not a restart's middle.
            let kept = container.keep();
            let stopped = self
                .stop(
                    &container,
                    options.signal.as_deref(),
                    options.t.map(i64::from),
                )
                .await;
            drop(kept);
            stopped?;
        }
        self.start(&container).await?;
        self.container_event(&container, "restart", &[]);
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
        let fatal =
            number == signal::KILL || Some(number) == container.read(|r| self.stop_signal(r)).ok();
        if fatal {
            // `unless-stopped` is to know it after a restart of the engine.
            container.change(&self.shared.db, Commit::Quick, |r| {
                r.state.stopped_by_hand = true;
            })?;
        }
        let mut changes = container.watch();
        shim.kill(number, fatal).await.map_err(refused)?;
        self.container_event(&container, "kill", &[("signal", &number.to_string())]);
        if number == signal::KILL {
            let ended = changes.wait_for(|m| !m.up || m.removed);
            let _patience = tokio::time::timeout(KILL_PATIENCE, ended).await;
        }
        Ok(())
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
        container.change(&self.shared.db, Commit::Durable, |r| {
            r.state.stopped_by_hand = true;
        })?;
        let mut changes = container.watch();
        let Ok(shim) = container.running_shim() else {
            return Ok(());
        };
        // The shim keeps the time as well, so that the container ends even
        // where the daemon does before it.
        let restarting = container.status() == Status::Restarting;
        shim.stop(stop_signal, grace).await?;
        let kill_event = |signal: i32| {
            self.container_event(container, "kill", &[("signal", &signal.to_string())]);
        };
        if !restarting {
            kill_event(stop_signal);
        }
        let ended = |m: &Moment| !m.up || m.removed;
        let in_time = match grace {
            Some(grace) => {
                let wait = changes.wait_for(ended);
                tokio::time::timeout(grace, wait).await.is_ok()
            }
            None => changes.wait_for(ended).await.is_ok(),
        };
        if !in_time {
            kill_event(signal::KILL);
            let killed = tokio::time::timeout(KILL_PATIENCE, changes.wait_for(ended)).await;
            if killed.is_err() {
                return Err(Error::system(format!(
                    "cannot stop container: {}: tried to kill container, but did not receive an \
                     exit event",
                    container.id
                )));
            }
        }
        self.container_event(container, "stop", &[]);
        Ok(())
    }

    /// What asks the container to end.
    pub(super) fn stop_signal(&self, record: &Record) -> Result<i32> {
        match record.config.stop_signal.as_deref() {
            Some(text) if !text.is_empty() => parse_signal(text),
            _ => Ok(signal::DEFAULT_STOP),
        }
    }
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
