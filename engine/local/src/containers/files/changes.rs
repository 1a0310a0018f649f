//! `GET /containers/{id}/changes`.

use bollard_stubs::models::{ChangeType, FilesystemChange};
use dhow_image::tree::{Change, ChangeKind, changes};
use dhow_sys::tree::Root;

use crate::containers::container::Container;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// What the container did to its image's files; `None` when nothing.
    pub async fn container_changes(&self, name: &str) -> Result<Option<Vec<FilesystemChange>>> {
        let container = self.shared.containers.find(name)?;
        let engine = self.clone();
        let list = tokio::task::spawn_blocking(move || engine.changes_of(&container)).await??;
        let list: Vec<_> = list.into_iter().map(wire).collect();
        Ok((!list.is_empty()).then_some(list))
    }

    /// The changes in the container's writable layer. Blocks.
    pub(crate) fn changes_of(&self, container: &Container) -> Result<Vec<Change>> {
        let upper = container.directory(&self.config().data_root).join("upper");
        let upper = Root::open(&upper)?;
        let lowers = self
            .layers_of(&container.record())?
            .iter()
            .map(|layer| Root::open(layer))
            .collect::<Result<Vec<_>, _>>()?;
        changes(&upper, &lowers).map_err(Error::of)
    }
}

fn wire(change: Change) -> FilesystemChange {
    FilesystemChange {
        path: format!("/{}", String::from_utf8_lossy(&change.path)),
        kind: match change.kind {
            ChangeKind::Modified => ChangeType::_0,
            ChangeKind::Added => ChangeType::_1,
            ChangeKind::Deleted => ChangeType::_2,
        },
    }
}
