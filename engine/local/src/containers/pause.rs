//! `pause` and `unpause`.
//!
//! The status is not written here: what the shim tells of it is, in the order
//! in which it happened. A verb waits until it has been heard, so that the
//! next one does not find what was true before it.

use dhow_model::lifecycle::Request;
use tokio::sync::watch;

use super::container::{Container, Moment, NEWS_TAKE, ends_now};
use super::record::Status;
use crate::{LocalEngine, Result};

impl LocalEngine {
    /// Freezes every process of the container.
    pub async fn pause_container(&self, name: &str) -> Result<()> {
        let container = self.shared.containers.find(name)?;
        let _turn = container.operation.lock().await;
        container
            .status()
            .permits(Request::Pause, container.id.as_str())
            .map_err(crate::Error::of)?;
        freeze(&container).await
    }

    /// Thaws it.
    pub async fn unpause_container(&self, name: &str) -> Result<()> {
        let container = self.shared.containers.find(name)?;
        let _turn = container.operation.lock().await;
        container
            .status()
            .permits(Request::Unpause, container.id.as_str())
            .map_err(crate::Error::of)?;
        thaw(&container).await
    }
}

/// Freezes a container whose turn the caller holds; a conflict where it does
/// not run, or ends just now.
pub(crate) async fn freeze(container: &Container) -> Result<()> {
    let mut moments = container.watch();
    let frozen = container.running_shim()?.pause().await;
    settle(container, &mut moments, frozen, Status::Paused).await
}

/// The reverse.
pub(crate) async fn thaw(container: &Container) -> Result<()> {
    let mut moments = container.watch();
    let thawed = container.running_shim()?.resume().await;
    settle(container, &mut moments, thawed, Status::Running).await
}

async fn settle(
    container: &Container,
    moments: &mut watch::Receiver<Moment>,
    done: Result<()>,
    status: Status,
) -> Result<()> {
    match done {
        Err(_) if ends_now(moments).await => return Err(container.not_running()),
        done => done?,
    }
    // It is so, even if the news should be long in coming.
    let heard = moments.wait_for(|moment| container.status() == status || !moment.up);
    let _late = tokio::time::timeout(NEWS_TAKE, heard).await;
    Ok(())
}
