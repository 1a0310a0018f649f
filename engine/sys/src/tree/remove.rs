//! Removing trees, however deep, without following a link.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::walk::read_dir;

/// Below this depth directories are moved up before they are emptied, so that
/// a tree as deep as a container cares to make it takes few descriptors.
const MAX_HELD: usize = 64;

/// Removes `name` in `dir` and all below it; nothing to remove is success.
pub fn remove(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    match unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // Linux says EISDIR; POSIX, and some file systems, EPERM.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let child = open_dir(dir, name)?;
    empty(child.as_fd())?;
    match unlinkat(dir, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Removes everything in the directory `dir`, which stays.
pub fn empty(dir: BorrowedFd<'_>) -> io::Result<()> {
    let mut moved = 0;
    // Deep parts were moved up into `dir` itself: one more round each time.
    loop {
        let before = moved;
        empty_below(dir, dir, 0, &mut moved)?;
        if moved == before {
            return Ok(());
        }
    }
}

fn empty_below(
    top: BorrowedFd<'_>,
    dir: BorrowedFd<'_>,
    depth: usize,
    moved: &mut u64,
) -> io::Result<()> {
    for entry in read_dir(dir)? {
        let name = entry.name.as_slice();
        match unlinkat(dir, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => continue,
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        if depth >= MAX_HELD {
            let aside = format!(".deep-{}-{moved}", std::process::id());
            renameat(dir, name, top, aside.as_bytes())?;
            *moved += 1;
            continue;
        }
        let child = open_dir(dir, name)?;
        empty_below(top, child.as_fd(), depth + 1, moved)?;
        match unlinkat(dir, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn open_dir(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(dir, name, flags, Mode::empty())?)
}
