//! A container's files before its root is mounted: the writable layer and the
//! read-only ones below it, searched from the top.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use dhow_sys::tree::Root;
use rustix::fs::{Mode, OFlags};

use crate::{Error, Result};

/// No file that names users is longer, or it is none.
const LONGEST: u64 = 4 << 20;

/// The layers of a container, top first.
pub(in crate::containers) struct Layered {
    layers: Vec<PathBuf>,
}

impl Layered {
    /// `upper` above `lower`.
    pub fn new(upper: &Path, lower: &[PathBuf]) -> Self {
        let layers = std::iter::once(upper.to_owned()).chain(lower.iter().cloned());
        Self {
            layers: layers.collect(),
        }
    }

    /// The text of a small file; empty where there is none. Links are followed
    /// within their own layer only, so a hostile image reads nothing else.
    pub fn read(&self, path: &str) -> String {
        for layer in &self.layers {
            let Ok(root) = Root::open(layer) else {
                continue;
            };
            match root.open_in(path.as_bytes(), OFlags::PATH, Mode::empty()) {
                Ok(handle) => {
                    let stat = rustix::fs::fstat(&handle);
                    let regular = stat
                        .is_ok_and(|s| rustix::fs::FileType::from_raw_mode(s.st_mode).is_file());
                    if !regular {
                        // A whiteout, or something that is no text.
                        return String::new();
                    }
                    let opened = root.open_in(path.as_bytes(), OFlags::RDONLY, Mode::empty());
                    let Ok(file) = opened.map(fs::File::from) else {
                        return String::new();
                    };
                    let mut bytes = Vec::new();
                    let _what_was_read_counts = file.take(LONGEST).read_to_end(&mut bytes);
                    return String::from_utf8_lossy(&bytes).into_owned();
                }
                Err(_) if self.hides(layer, path) => return String::new(),
                Err(_) => {}
            }
        }
        String::new()
    }

    /// Makes the working directory where the image lacks it, as dockerd does:
    /// in the writable layer, owned by root.
    pub fn make_working_directory(&self, path: &str) -> Result<()> {
        let relative = path.trim_start_matches('/');
        if relative.is_empty() {
            return Ok(());
        }
        if let Some(Found::Directory(..) | Found::Link) = self.kind(Path::new(relative)) {
            return Ok(());
        }
        let mut so_far = PathBuf::new();
        for part in relative.split('/').filter(|p| !p.is_empty()) {
            so_far.push(part);
            match self.kind(&so_far) {
                Some(Found::Directory(mode, uid, gid)) => {
                    // An opened path must exist above to put things below it.
                    self.copy_up(&so_far, mode, uid, gid)?;
                }
                // The container's own root resolves it; it knows better.
                Some(Found::Link) => return Ok(()),
                Some(Found::Other) => {
                    return Err(Error::system(format!(
                        "Cannot mkdir: {path} is not a directory"
                    )));
                }
                None => self.copy_up(&so_far, 0o755, 0, 0)?,
            }
        }
        Ok(())
    }

    fn copy_up(&self, path: &Path, mode: u32, uid: u32, gid: u32) -> Result<()> {
        use std::os::unix::fs::{PermissionsExt, chown};
        let target = self.layers[0].join(path);
        match fs::create_dir(&target) {
            Ok(()) => {
                chown(&target, Some(uid), Some(gid))?;
                fs::set_permissions(&target, fs::Permissions::from_mode(mode & 0o7777))?;
                Ok(())
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(e) => Err(Error::system(format!("{}: {e}", target.display()))),
        }
    }

    /// What is at `path`, whose parents are directories in some layer.
    fn kind(&self, path: &Path) -> Option<Found> {
        for layer in &self.layers {
            match fs::symlink_metadata(layer.join(path)) {
                Ok(meta) if meta.is_dir() => {
                    return Some(Found::Directory(meta.mode(), meta.uid(), meta.gid()));
                }
                Ok(meta) if meta.is_symlink() => return Some(Found::Link),
                // A whiteout: nothing here any more.
                Ok(meta) if meta.file_type().is_char_device() && meta.rdev() == 0 => return None,
                Ok(_) => return Some(Found::Other),
                Err(_) if self.hides(layer, &path.to_string_lossy()) => return None,
                Err(_) => {}
            }
        }
        None
    }

    /// Whether `layer` says that what lower layers have at `path` is gone: a
    /// parent is a whiteout, or opaque.
    fn hides(&self, layer: &Path, path: &str) -> bool {
        let mut at = layer.to_owned();
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        for part in &parts[..parts.len().saturating_sub(1)] {
            at.push(part);
            let Ok(meta) = fs::symlink_metadata(&at) else {
                return false;
            };
            if !meta.is_dir() {
                return true;
            }
            let mut value = [0; 1];
            let opaque = rustix::fs::lgetxattr(&at, "trusted.overlay.opaque", &mut value);
            if opaque.is_ok() && value[0] == b'y' {
                return true;
            }
        }
        false
    }
}

enum Found {
    Directory(u32, u32, u32),
    Link,
    Other,
}
