//! Mounts that are the shim's to make, in its own mount namespace, so that
//! the spec can bind them: images, volumes that are file systems of their
//! own, and places inside either that no link leads out of.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use dhow_runtime::protocol::{Lender, Made, MadeMount};
use dhow_sys::mount::{self, call};
use dhow_sys::openat;
use dhow_sys::overlay::Overlay;
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};

use crate::rootfs;

/// Why one is not there, in Docker's words.
#[derive(Debug, thiserror::Error)]
pub enum MadeError {
    #[error("the image cannot be mounted: {}", call::reason(.0))]
    Image(io::Error),
    #[error("error while mounting volume '{volume}': failed to mount local volume: {failure}")]
    Volume { volume: String, failure: String },
    #[error("cannot access path {path}: {}", call::reason(.source))]
    NotAccessible { path: String, source: io::Error },
    #[error("path concatenation escapes the base directory, base: {base}, subpath: {subpath}")]
    Escapes { base: String, subpath: String },
}

/// Makes one; those it builds on are there already.
pub fn make(made: &MadeMount) -> Result<(), MadeError> {
    match &made.what {
        Made::Image { lower } => image(lower, &made.target).map_err(MadeError::Image),
        Made::Volume {
            call,
            named,
            lenders,
        } => {
            let shared = lenders.iter().find_map(|lender| lent(lender).ok());
            let mounted = fs::create_dir_all(&made.target).and_then(|()| match shared {
                Some(tree) => mount::attach(tree.as_fd(), &made.target),
                None => call.run(&made.target),
            });
            mounted.map_err(|error| MadeError::Volume {
                volume: named.display().to_string(),
                failure: call.failure(named, &error),
            })
        }
        Made::Inside {
            root,
            subpath,
            named,
        } => inside(root, subpath, &made.target).map_err(|source| match source.raw_os_error() {
            Some(libc::EXDEV) => MadeError::Escapes {
                base: named.display().to_string(),
                subpath: subpath.clone(),
            },
            _ => MadeError::NotAccessible {
                path: named.join(subpath).display().to_string(),
                source,
            },
        }),
    }
}

/// An overlay without a writable layer is read-only, and wants two others.
fn image(layers: &[PathBuf], target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
    let mut lower = layers.to_vec();
    while lower.len() < 2 {
        let mut empty = target.as_os_str().to_owned();
        empty.push(format!(".empty{}", lower.len()));
        fs::create_dir_all(&empty)?;
        lower.push(empty.into());
    }
    let overlay = Overlay {
        lower: &lower,
        writable: None,
    };
    overlay.mount(target)
}

/// The volume as another container has it; an error where that one has ended
/// meanwhile. What has the other's number now may have the same path, but
/// nothing is mounted there.
fn lent(lender: &Lender) -> io::Result<OwnedFd> {
    rootfs::fetch_mount(
        lender.pid,
        &lender.path,
        |path| match mount::is_mount_root(path)? {
            true => Ok(()),
            false => Err(io::ErrorKind::NotFound.into()),
        },
    )
}

fn open_beneath(root: &OwnedFd, path: &str) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    openat::open(root, path, OFlags::PATH, Mode::empty(), resolve)
}

/// Binds what `subpath` leads to below `root`. What was opened is what is
/// bound, whatever others make of the path meanwhile.
fn inside(root: &Path, subpath: &str, target: &Path) -> io::Result<()> {
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(root, directory, Mode::empty())?;
    let found = open_beneath(&root, subpath)?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode);
    if kind == FileType::Directory {
        fs::create_dir_all(target)?;
    } else {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::File::create(target)?;
    }
    let tree = mount::clone_opened_tree(found.as_fd())?;
    mount::attach(tree.as_fd(), target)
}
