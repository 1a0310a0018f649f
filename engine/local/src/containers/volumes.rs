//! The volumes a container brings: made with it, filled from its image, gone
//! with it where nobody named them.

use std::path::{Path, PathBuf};

use dhow_model::Timestamp;
use dhow_model::mount::Kind;
use dhow_sys::tree::Root;
use dhow_volume::{Creation, Volume, check_name};

use super::container::Container;
use super::record::{Mounted, Record};
use crate::volumes::ANONYMOUS;
use crate::{Error, LocalEngine, Result, clock};

impl LocalEngine {
    /// Makes the volumes that are not there and fills empty ones with what the
    /// image has at their place.
    pub(super) fn make_volumes(&self, container: &Container, record: &Record) -> Result<()> {
        let volumes = record
            .mounts
            .iter()
            .filter(|m| m.point.spec.kind == Kind::Volume);
        for mounted in volumes {
            let volume = self.make_volume(mounted)?;
            let subpath = mounted.point.spec.volume.as_ref().map(|v| &v.subpath);
            if mounted.point.copy_data && subpath.is_none_or(String::is_empty) {
                self.fill_volume(container, mounted, &volume)?;
            }
        }
        Ok(())
    }

    fn make_volume(&self, mounted: &Mounted) -> Result<Volume> {
        let asked = mounted.point.spec.volume.clone().unwrap_or_default();
        let mut labels = asked.labels;
        if mounted.anonymous {
            labels.insert(ANONYMOUS.to_owned(), String::new());
        }
        let creation = Creation {
            labels,
            options: asked.driver_options,
            created_at: Some(Timestamp::from_nanos(clock::now())),
        };
        self.ensure_volume(&mounted.point.name, &creation)
    }

    fn fill_volume(&self, container: &Container, mounted: &Mounted, volume: &Volume) -> Result<()> {
        let root = self.tree(container)?;
        let path = mounted.point.destination.as_bytes();
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
        let Ok(source) = root.open_in(path, flags, rustix::fs::Mode::empty()) else {
            // The image has no directory there: nothing to copy.
            return Ok(());
        };
        let unfilled = |e: Error| e.context("failed to populate volume");
        let own = self.mounted_volume(volume).map_err(unfilled)?;
        if volume.mount_plan().is_some_and(|plan| plan.is_memory()) {
            // What is copied would be gone with this mount.
            return Ok(());
        }
        let (volumes, name) = (&self.shared.volumes, &volume.name);
        let source = Root::from_fd(source);
        match own {
            Some(target) => volumes.fill_tree(name, &target, &source),
            None => volumes.fill(name, &source),
        }
        .map_err(Error::of)?;
        Ok(())
    }

    /// The root of a volume that is a file system of its own, mounted where
    /// only the caller sees it; `None` for a plain one. Blocks.
    pub(super) fn mounted_volume(&self, volume: &Volume) -> Result<Option<Root>> {
        let Some(call) = self.volume_call(volume)? else {
            return Ok(None);
        };
        let place = &volume.mountpoint;
        let mounted = call.detached(place).map_err(|e| {
            Error::system(format!(
                "error while mounting volume '{}': failed to mount local volume: {}",
                place.display(),
                call.failure(place, &e)
            ))
        })?;
        Ok(Some(Root::from_fd(mounted)))
    }

    /// Takes back the anonymous volumes of a container that could not be made.
    pub(super) fn remove_new_volumes(&self, record: &Record) {
        for mounted in record.mounts.iter().filter(|m| m.anonymous) {
            let _not_made_yet = self.delete_volume(&mounted.point.name);
        }
    }

    /// Removes an anonymous volume whose container is gone, unless another
    /// container has taken it over.
    pub(super) async fn remove_unused_volume(&self, name: &str) {
        let engine = self.clone();
        let name = name.to_owned();
        let removed = tokio::task::spawn_blocking(move || engine.delete_volume(&name)).await;
        if let Ok(Err(error)) = removed {
            tracing::debug!(%error, "an anonymous volume stays");
        }
    }

    /// Docker's refusal of names that are none.
    pub(super) fn check_volume_name(&self, name: &str) -> Result<()> {
        check_name(name).map_err(|reason| Error::invalid(format!("create {name}: {reason}")))
    }

    /// Where a volume's content is, or is mounted on.
    pub(super) fn volume_directory(&self, name: &str) -> PathBuf {
        let volumes = self.config().data_root.join("volumes");
        volumes.join(name).join("_data")
    }
}

/// The root of a container looks as dockerd's does, whatever the image's first
/// layer says: overlayfs shows the writable layer's own directory.
pub(super) fn make_writable_layer(directory: &Path) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let failed = |path: &Path, e: std::io::Error| Error::system(format!("{}: {e}", path.display()));
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o710)
        .create(directory)
        .map_err(|e| failed(directory, e))?;
    for (name, mode) in [("upper", 0o755), ("work", 0o700)] {
        let path = directory.join(name);
        std::fs::create_dir(&path).map_err(|e| failed(&path, e))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
            .map_err(|e| failed(&path, e))?;
    }
    Ok(())
}
