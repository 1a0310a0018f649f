//! `pause` and `unpause`.

use dhow_model::lifecycle::Request;

use super::container::ends_now;
use super::record::Status;
use crate::db::Commit;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// Freezes every process of the container.
    pub async fn pause_container(&self, name: &str) -> Result<()> {
        let container = self.shared.containers.find(name)?;
        let _turn = container.operation.lock().await;
        container
            .status()
            .permits(Request::Pause, container.id.as_str())
            .map_err(Error::of)?;
        let _telling = container.telling.lock().await;
        let mut moments = container.watch();
        match container.running_shim()?.pause().await {
            Err(_) if ends_now(&mut moments).await => Err(container.not_running())?,
            paused => paused?,
        }
        container.change(&self.shared.db, Commit::Quick, |r| {
            r.state.status = Status::Paused;
        })?;
        self.container_event(&container, "pause", &[]);
        Ok(())
    }

    /// Thaws it.
    pub async fn unpause_container(&self, name: &str) -> Result<()> {
        let container = self.shared.containers.find(name)?;
        let _turn = container.operation.lock().await;
        container
            .status()
            .permits(Request::Unpause, container.id.as_str())
            .map_err(Error::of)?;
        let _telling = container.telling.lock().await;
        container.running_shim()?.resume().await?;
        container.change(&self.shared.db, Commit::Quick, |r| {
            r.state.status = Status::Running;
        })?;
        self.container_event(&container, "unpause", &[]);
        Ok(())
    }
}
