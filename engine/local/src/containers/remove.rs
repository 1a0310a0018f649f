//! `DELETE /containers/{id}`, `POST /containers/prune`, and what `--rm` does.

use std::path::Path;
use std::sync::Arc;

use bollard_stubs::models::ContainerPruneResponse;
use bollard_stubs::query_parameters::{PruneContainersOptions, RemoveContainerOptions};
use dhow_model::lifecycle::Request;
use dhow_model::{Filters, Timestamp, signal};

use super::container::Container;
use super::record::Status;
use crate::db::Commit;
use crate::{Error, LocalEngine, Result, clock};

impl LocalEngine {
    /// Removes a container; with `force` a running one as well, with `v` its
    /// anonymous volumes too.
    pub async fn remove_container(
        &self,
        name: &str,
        options: Option<RemoveContainerOptions>,
    ) -> Result<()> {
        let options = options.unwrap_or_default();
        if options.link {
            return Err(Error::invalid(format!(
                "cannot remove link {name}: the default bridge has no links"
            )));
        }
        let container = self.shared.containers.find(name)?;
        let Ok(turn) = container.operation.try_lock() else {
            return self.remove_in_turn(&container, options).await;
        };
        self.remove(&container, options.force, options.v, turn)
            .await
    }

    async fn remove_in_turn(
        &self,
        container: &Arc<Container>,
        options: RemoveContainerOptions,
    ) -> Result<()> {
        if container.status() == Status::Removing {
            return Err(Error::conflict(format!(
                "removal of container {} is already in progress",
                container.id
            )));
        }
        // A stop may be waiting for a container that does not want to end;
        // force does not wait behind it.
        if options.force && container.status().counts_as_running() {
            self.end_now(container).await;
        }
        let turn = container.operation.lock().await;
        if container.watch().borrow().removed {
            return Err(Error::not_found(format!(
                "No such container: {}",
                container.id
            )));
        }
        self.remove(container, options.force, options.v, turn).await
    }

    async fn remove(
        &self,
        container: &Arc<Container>,
        force: bool,
        volumes: bool,
        _turn: tokio::sync::MutexGuard<'_, ()>,
    ) -> Result<()> {
        let status = container.status();
        status
            .permits(Request::Remove { force }, &format!("/{}", container.name()))
            .map_err(Error::of)?;
        if status.counts_as_running() {
            let _kept = container.keep();
            self.end_now(container).await;
        }
        self.erase(container, volumes).await
    }

    /// Kills whatever runs and waits until it has ended.
    async fn end_now(&self, container: &Container) {
        let mut changes = container.watch();
        if let Ok(shim) = container.running_shim() {
            let _ended_meanwhile = self.signal(container, &shim, signal::KILL, true).await;
            let patience = std::time::Duration::from_secs(10);
            let ended = changes.wait_for(|m| !m.up || m.removed);
            let _killed = tokio::time::timeout(patience, ended).await;
        }
    }

    /// Takes an ended container out of the books, then off the disk.
    pub(crate) async fn erase(&self, container: &Arc<Container>, volumes: bool) -> Result<()> {
        let record = container.record();
        container.change(&self.shared.db, Commit::Quick, |r| {
            r.state.status = Status::Removing;
        })?;
        // Once the row is gone the container is gone; files that a crash
        // leaves behind are swept when the engine opens.
        let commit = if record.auto_remove() {
            Commit::Quick
        } else {
            Commit::Durable
        };
        if let Err(error) = self
            .shared
            .db
            .delete_container(container.id.as_str(), commit)
        {
            container.change(&self.shared.db, Commit::Quick, |r| {
                r.state = record.state.clone();
            })?;
            container.tell(|m| m.error = Some(error.to_string()));
            return Err(error);
        }
        self.shared.containers.remove(&container.id, &record.name);
        self.unpin_layers(&record);
        self.shared.execs.forget(&container.id);
        let directory = container.directory(&self.config().data_root);
        let deleted = tokio::task::spawn_blocking(move || delete_tree(&directory)).await?;
        if let Err(error) = deleted {
            tracing::warn!(container = %container.id, %error, "files of a removed container stay");
        }
        if volumes {
            for mounted in record.mounts.iter().filter(|m| m.anonymous) {
                self.remove_unused_volume(&mounted.point.name).await;
            }
        }
        self.container_event(container, "destroy", &[]);
        container.tell(|m| m.removed = true);
        Ok(())
    }

    /// Removes every container that is not up and passes the filters.
    pub async fn prune_containers(
        &self,
        options: Option<PruneContainersOptions>,
    ) -> Result<ContainerPruneResponse> {
        let filters = Filters::from_map(options.and_then(|o| o.filters).unwrap_or_default());
        filters
            .validate(&["label", "label!", "until"])
            .map_err(Error::of)?;
        let until = filters
            .get("until")
            .next()
            .map(|text| Timestamp::parse_relative(text, Timestamp::from_nanos(clock::now()), 0))
            .transpose()
            .map_err(Error::of)?;
        let mut deleted = Vec::new();
        let mut reclaimed = 0;
        for container in self.shared.containers.all() {
            let Ok(turn) = container.operation.try_lock() else {
                continue;
            };
            let record = container.record();
            let labels = record.config.labels.clone().unwrap_or_default();
            let chosen = !record.state.status.counts_as_running()
                && until.is_none_or(|until| record.created <= until.nanos())
                && filters.matches_labels("label", &labels)
                && filters.spares_labels("label!", &labels);
            if !chosen {
                continue;
            }
            let size = self.sizes(&container).await.map_or(0, |(own, _)| own);
            if self.remove(&container, false, false, turn).await.is_ok() {
                reclaimed += size;
                deleted.push(container.id.to_string());
            }
        }
        self.daemon_event(
            bollard_stubs::models::EventMessageTypeEnum::CONTAINER,
            "prune",
            "",
            &[("reclaimed", &reclaimed.to_string())],
        );
        Ok(ContainerPruneResponse {
            containers_deleted: Some(deleted),
            space_reclaimed: Some(reclaimed),
        })
    }
}

/// Deletes a directory and what is in it; nothing to do is no error.
fn delete_tree(directory: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
