//! A container's cgroup: where it is, who is in it, and its end.

use std::time::Duration;

use dhow_model::mount::clean;
use dhow_sys::cgroup::Cgroup;

use super::container::Container;
use super::record::Record;
use crate::{Error, LocalEngine, Result};

/// How long killed processes may take to leave.
const PATIENCE: Duration = Duration::from_secs(10);

impl LocalEngine {
    /// The path of a container's cgroup, the same in every hierarchy.
    pub(crate) fn cgroup_path(&self, record: &Record) -> String {
        let config = self.config();
        let parent = match record.host_config.cgroup_parent.as_deref() {
            None | Some("") => config.cgroup_parent.as_str(),
            Some(parent) => parent,
        };
        // No parent lies outside the hierarchy.
        clean(&format!("/{parent}/{}", record.id))
    }

    pub(crate) fn cgroup(&self, container: &Container) -> Cgroup {
        let path = container.read(|r| self.cgroup_path(r));
        self.shared.hierarchies.cgroup(&path)
    }

    /// Every process of the container, in the host's numbering.
    pub(crate) fn container_pids(&self, container: &Container) -> Result<Vec<u32>> {
        self.cgroup(container)
            .pids()
            .map_err(|e| Error::system(format!("cannot list the container's processes: {e}")))
    }

    /// Ends what a killed shim left behind.
    pub(crate) async fn kill_leftovers(&self, container: &Container) {
        let cgroup = self.cgroup(container);
        let ended = tokio::task::spawn_blocking(move || {
            if !cgroup.exists() {
                return Ok(());
            }
            cgroup.kill(PATIENCE)?;
            cgroup.remove()
        })
        .await;
        if let Ok(Err(error)) = ended {
            tracing::error!(container = %container.id, %error, "left-over processes stay");
        }
    }

    /// Removes the engine's own cgroup; it is empty by now.
    pub(crate) fn remove_cgroups(&self) {
        let parent = self.shared.hierarchies.cgroup(&self.config().cgroup_parent);
        if parent.exists()
            && let Err(error) = parent.remove()
        {
            tracing::warn!(%error, "the engine's cgroup stays");
        }
    }
}
