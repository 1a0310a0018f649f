//! What a daemon does when it starts: finds the containers whose shims kept
//! them running, learns what happened meanwhile, and starts those whose policy
//! says so.

use std::collections::HashSet;
use std::sync::Arc;

use dhow_model::Id;
use dhow_runtime::protocol::client;

use super::container::Container;
use super::record::{Record, Status, pin_container};
use super::shim::Shim;
use super::start::Cause;
use crate::{LocalEngine, Result};

impl LocalEngine {
    /// Enters all recorded containers in the table, connects to living shims
    /// and applies what dead ones left.
    pub(crate) async fn recover(&self) -> Result<()> {
        // Those whose record cannot be read as well: a daemon that can may come.
        let mut known = HashSet::new();
        for (id, text) in self.shared.db.containers()? {
            let read = serde_json::from_str(&text);
            known.insert(id.clone());
            let record: Record = match read {
                Ok(record) => record,
                Err(error) => {
                    tracing::error!(%id, %error, "its record cannot be read; it is left out");
                    continue;
                }
            };
            let container = Arc::new(Container::new(record));
            let name = container.name();
            self.shared.containers.insert(&name, container)?;
        }
        self.adopt_endpoints();
        for container in self.shared.containers.all() {
            if container.status() == Status::Removing {
                // The daemon died between two steps of a removal.
                self.erase(&container, false).await?;
            } else if container.status().counts_as_running() {
                self.find_again(&container).await;
            } else {
                self.find_half_started(&container).await;
            }
        }
        self.reconcile_endpoints();
        self.sweep(&known);
        Ok(())
    }

    async fn find_again(&self, container: &Arc<Container>) {
        match self.reconnect(container).await {
            Ok(()) => tracing::info!(container = %container.id, "found again"),
            Err(error) => {
                tracing::info!(container = %container.id, %error, "its shim is gone");
                // Started again with the others, when everything is known.
                let _due = self.shim_left(container).await;
            }
        }
        self.remove_when_due(container);
    }

    /// A shim whose start was not acknowledged: the daemon died in between,
    /// and nobody was told that the container runs.
    async fn find_half_started(&self, container: &Arc<Container>) {
        let run_dir = self.run_directory(&container.id);
        if run_dir.exists() {
            self.kill_leftovers(container).await;
            self.remove_run_directory(&container.id);
        }
    }

    async fn reconnect(&self, container: &Arc<Container>) -> Result<()> {
        let socket = client::connect(&self.run_directory(&container.id))?;
        let (shim, events) = Shim::new(socket, None)?;
        // A shim that is there answers; one that is stuck must not hold up
        // the daemon's start for ever.
        let patience = std::time::Duration::from_secs(5);
        let snapshot = tokio::time::timeout(patience, shim.snapshot())
            .await
            .map_err(|_| crate::Error::system("the shim does not answer"))??;
        *container.shim_slot() = Some(Arc::clone(&shim));
        for exec in &snapshot.execs {
            container.exec_started(&exec.id, exec.pid);
        }
        shim.subscribe(container.read(|r| r.state.seq)).await?;
        self.follow(Arc::clone(container), events).await;
        Ok(())
    }

    /// Starts the containers whose restart policy wants them up.
    pub(crate) async fn start_by_policy(&self) {
        for container in self.shared.containers.all() {
            let due = container.read(|r| {
                let ended = !r.state.status.counts_as_running() && r.state.started_at != 0;
                ended && r.is_due()
            });
            if !due {
                continue;
            }
            let _turn = container.operation.lock().await;
            if let Err(error) = self.start(&container, Cause::Asked).await {
                tracing::warn!(container = %container.id, %error, "not started");
            }
        }
    }

    /// Lets go of what belongs to no container: directories and layers that a
    /// removal or a creation left half done.
    fn sweep(&self, known: &HashSet<String>) {
        let config = self.config();
        for parent in [
            config.data_root.join("containers"),
            config.exec_root.join("c"),
        ] {
            for entry in std::fs::read_dir(&parent).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let stale = name
                    .to_str()
                    .and_then(|n| n.parse::<Id>().ok())
                    .is_some_and(|id| !known.contains(id.as_str()));
                if stale && let Err(error) = std::fs::remove_dir_all(entry.path()) {
                    tracing::warn!(path = %entry.path().display(), %error, "cannot be swept");
                }
            }
        }
        let exists = |owner: &str| known.contains(pin_container(owner));
        if let Err(error) = self.shared.images.retain_pins(exists) {
            tracing::warn!(%error, "layers of containers that are gone stay pinned");
        }
    }
}
