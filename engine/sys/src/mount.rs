//! Mounts: detached ones made from descriptors, private mount namespaces, and
//! what the mount table says. Overlays are in [`overlay`](crate::overlay),
//! `mount(2)` as people use it in [`call`].

pub mod call;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};
use rustix::thread::UnshareFlags;

/// A read-only copy of the mount of one file or directory, detached: visible
/// only through the descriptor.
pub fn clone_read_only(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = rustix::mount::open_tree(CWD, path, flags)?;
    set_read_only(tree.as_fd())?;
    Ok(tree)
}

/// A copy of the mount at `path` with all mounts below it, detached.
pub fn clone_tree(dir: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(rustix::mount::open_tree(dir, path, flags)?)
}

/// A copy of the mount at what was opened, with all mounts below it, detached.
pub fn clone_opened_tree(opened: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    Ok(rustix::mount::open_tree(opened, "", flags)?)
}

/// Attaches a detached mount at `target`.
pub fn attach(mount: BorrowedFd<'_>, target: &Path) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(rustix::mount::move_mount(mount, "", CWD, target, flags)?)
}

/// Whether something is mounted at exactly `path`.
pub fn is_mount_root(path: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, StatxAttributes, StatxFlags, statx};
    let flags = AtFlags::NO_AUTOMOUNT | AtFlags::SYMLINK_NOFOLLOW;
    let stat = statx(CWD, path, flags, StatxFlags::empty())?;
    Ok(stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Makes a detached mount read-only.
pub fn set_read_only(mount: BorrowedFd<'_>) -> io::Result<()> {
    let attributes = MountAttributes {
        set: libc::MOUNT_ATTR_RDONLY,
        clear: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path is NUL-terminated, the structure is the kernel's
    // `struct mount_attr` in its first version, of the size given; the call
    // reads both and keeps neither.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The kernel's `struct mount_attr`.
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Gives the calling thread a mount namespace of its own that sees what the
/// host mounts and unmounts, but shows the host nothing, except below the
/// mounts that hold one of `shared`: those stay peers of the host's.
pub fn private_namespace(shared: &[PathBuf]) -> io::Result<()> {
    // SAFETY: a mount namespace is not among what `unshare` may pull from
    // under other code of this thread (descriptors and memory stay shared).
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS)? };
    let slave = MountPropagationFlags::DOWNSTREAM;
    if shared.is_empty() {
        let all = slave | MountPropagationFlags::REC;
        return Ok(rustix::mount::mount_change("/", all)?);
    }
    let table = mount_points(&std::fs::read_to_string("/proc/self/mountinfo")?);
    let kept: Vec<&Path> = shared
        .iter()
        .filter_map(|source| containing(&table, source))
        .collect();
    for point in &table {
        let below = |source: &PathBuf| point.starts_with(source);
        if !kept.contains(&point.as_path()) && !shared.iter().any(below) {
            match rustix::mount::mount_change(point, slave) {
                // Covered by another mount, or gone meanwhile: out of reach.
                Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
    Ok(())
}

/// Detaches whatever is mounted at `target`.
pub fn detach(target: &Path) -> io::Result<()> {
    Ok(rustix::mount::unmount(target, UnmountFlags::DETACH)?)
}

/// The mount points of a `mountinfo` table, in its order.
pub fn mount_points(mountinfo: &str) -> Vec<PathBuf> {
    let field = |line: &str| line.split(' ').nth(4).map(unescape);
    mountinfo.lines().filter_map(field).collect()
}

/// The innermost of `points` that holds `path`.
fn containing<'a>(points: &'a [PathBuf], path: &Path) -> Option<&'a Path> {
    let holding = points.iter().filter(|point| path.starts_with(point));
    holding
        .max_by_key(|point| point.components().count())
        .map(PathBuf::as_path)
}

/// Undoes the kernel's `\040` for space, tab, line feed and backslash.
fn unescape(field: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes = field.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'\\')
            .then(|| field.get(at + 1..at + 4))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 4 } else { 1 };
    }
    std::ffi::OsString::from_vec(plain).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_table_is_read() {
        let table = "22 1 0:5 / /a\\040b rw - tmpfs x rw\n23 22 0:6 / /a\\040b/c rw - proc p rw\n";
        let points = mount_points(table);
        assert_eq!(points, [PathBuf::from("/a b"), PathBuf::from("/a b/c")]);
        let inner = containing(&points, Path::new("/a b/c/d"));
        assert_eq!(inner, Some(Path::new("/a b/c")));
        let outer = containing(&points, Path::new("/a b/cd"));
        assert_eq!(outer, Some(Path::new("/a b")));
    }
}
