//! What the engine mounts things on in every container, as the lowest layer of
//! all: an image's own entries cover it, and `diff` and `commit` don't take
//! the engine's mount points for the container's doing.
//!
//! Docker makes such a layer for each container, above the image's; below it,
//! one serves all and the image's own modes and owners stay.

use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{ImageStore, StoreError, at};
use crate::image::LayerDir;

/// Its short link; layers' numbers begin at one.
pub(super) const LINK: &str = "0";

const DIRS: [&str; 6] = ["dev", "dev/pts", "dev/shm", "etc", "proc", "sys"];
const FILES: [&str; 5] = [
    ".dockerenv",
    "dev/console",
    "etc/hostname",
    "etc/hosts",
    "etc/resolv.conf",
];

impl ImageStore {
    /// The directory of mount points, for the bottom of every overlay.
    pub(crate) fn mount_points(&self) -> LayerDir {
        LayerDir {
            path: self.root().join("init/diff"),
            link: Path::new("layers/l").join(LINK),
        }
    }

    /// Makes whatever of it is missing. So little that it is made in place:
    /// what a power cut takes is here again at the next open.
    pub(super) fn make_mount_points(&self) -> Result<(), StoreError> {
        let root = self.root().join("init/diff");
        make_dir(&root)?;
        for dir in DIRS {
            make_dir(&root.join(dir))?;
        }
        for file in FILES {
            let path = root.join(file);
            if !path.is_file() {
                File::create(&path).map_err(at("create", &path))?;
                std::fs::set_permissions(&path, Permissions::from_mode(0o755))
                    .map_err(at("chmod", &path))?;
            }
        }
        make_link(Path::new("/proc/mounts"), &root.join("etc/mtab"))?;
        let link = self.root().join("layers/l").join(LINK);
        make_link(Path::new("../../init/diff"), &link)
    }
}

fn make_dir(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(path).map_err(at("create", path))?;
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(at("chmod", path))
}

fn make_link(target: &Path, path: &Path) -> Result<(), StoreError> {
    match symlink(target, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(at("link", path)(error))
        }
        _ => Ok(()),
    }
}
