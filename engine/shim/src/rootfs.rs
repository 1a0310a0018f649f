//! The container's root filesystem, mounted in a namespace of the shim's own:
//! the host never sees it, and it is gone with the shim and the container.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use dhow_runtime::protocol::{BorrowedMount, ROOTFS_DIR, Rootfs, ShimConfig};
use dhow_sys::mount;
use dhow_sys::overlay::Overlay;
use rustix::fs::CWD;

use crate::child;
use crate::made::{self, MadeError};

/// Why the root filesystem is not there.
#[derive(Debug, thiserror::Error)]
pub enum RootfsError {
    #[error("the mount namespace cannot be made")]
    Namespace(#[source] io::Error),
    #[error("the root filesystem cannot be mounted")]
    Mount(#[source] io::Error),
    #[error("the mount {path} of process {pid} cannot be shared")]
    Borrow {
        path: String,
        pid: u32,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Made(#[from] MadeError),
}

/// Moves into a mount namespace of its own and mounts everything there.
pub fn mount(run_dir: &Path, config: &ShimConfig) -> Result<(), RootfsError> {
    mount::private_namespace(&config.shared_sources).map_err(RootfsError::Namespace)?;
    mount_root(run_dir, &config.rootfs).map_err(RootfsError::Mount)?;
    for borrowed in &config.borrowed_mounts {
        borrow(borrowed).map_err(|source| RootfsError::Borrow {
            path: borrowed.source.display().to_string(),
            pid: borrowed.pid,
            source,
        })?;
    }
    for mount in &config.made_mounts {
        made::make(mount)?;
    }
    Ok(())
}

/// Unmounts the root filesystem and what was made beside it, so that layers,
/// devices and servers are free at once.
pub fn unmount(run_dir: &Path, config: &ShimConfig) {
    for made in config.made_mounts.iter().rev() {
        let _ = mount::detach(&made.target);
    }
    let _ = mount::detach(&run_dir.join(ROOTFS_DIR));
}

fn mount_root(run_dir: &Path, rootfs: &Rootfs) -> io::Result<()> {
    let target = run_dir.join(ROOTFS_DIR);
    fs::create_dir_all(&target)?;
    match rootfs {
        Rootfs::Directory(directory) => {
            let tree = mount::clone_tree(CWD, directory)?;
            mount::attach(tree.as_fd(), &target)
        }
        Rootfs::Overlay { lower, upper, work } => {
            let empty = [run_dir.join("empty")];
            let lower = match lower.is_empty() {
                true => {
                    fs::create_dir_all(&empty[0])?;
                    &empty[..]
                }
                false => &lower[..],
            };
            let writable = Some((upper.as_path(), work.as_path()));
            Overlay { lower, writable }.mount(&target)
        }
    }
}

fn borrow(borrowed: &BorrowedMount) -> io::Result<()> {
    let tree = fetch_mount(borrowed.pid, &borrowed.source, |_| Ok(()))?;
    fs::create_dir_all(&borrowed.target)?;
    mount::attach(tree.as_fd(), &borrowed.target)
}

/// Clones a mount from another process's namespace, where `check` finds it
/// right. Going there takes a process of its own; the mount comes back by
/// descriptor.
pub fn fetch_mount(
    pid: u32,
    path: &Path,
    check: impl Fn(&Path) -> io::Result<()>,
) -> io::Result<OwnedFd> {
    child::fetch(|| {
        let namespace = fs::File::open(format!("/proc/{pid}/ns/mnt"))?;
        let kind = Some(rustix::thread::LinkNameSpaceType::Mount);
        rustix::thread::move_into_link_name_space(namespace.as_fd(), kind)?;
        check(path)?;
        mount::clone_tree(CWD, path)
    })
}
