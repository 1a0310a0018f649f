//! How much a volume holds.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use dhow_sys::tree::{EntryKind, MAX_DEPTH, read_dir, stat_at};
use rustix::fs::{CWD, Mode, OFlags, openat};

/// The lengths of all files below `path`, each counted once however many names
/// it has. What vanishes meanwhile, and what is too deep, is not counted.
pub(crate) fn measure(path: &Path) -> io::Result<u64> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = openat(CWD, path, flags, Mode::empty())?;
    let mut seen = HashSet::new();
    below(top.as_fd(), 0, &mut seen)
}

fn below(
    dir: BorrowedFd<'_>,
    depth: usize,
    seen: &mut HashSet<((u32, u32), u64)>,
) -> io::Result<u64> {
    let mut total: u64 = 0;
    for entry in read_dir(dir)? {
        let stat = match stat_at(dir, &entry.name) {
            Ok(stat) => stat,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if stat.kind == EntryKind::Dir {
            if depth < MAX_DEPTH
                && let Ok(child) = open_dir(dir, &entry.name)
            {
                total = total.saturating_add(below(child.as_fd(), depth + 1, seen)?);
            }
        } else if stat.nlink <= 1 || seen.insert((stat.dev, stat.ino)) {
            total = total.saturating_add(stat.size);
        }
    }
    Ok(total)
}

pub(crate) fn open_dir(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(dir, name, flags, Mode::empty())?)
}
