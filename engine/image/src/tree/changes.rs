//! What a container changed: its upper directory held against the layers
//! below.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use dhow_sys::tree::{EntryKind, MAX_DEPTH, Root, Stat, is_opaque, read_dir, read_link, stat_at};
use rustix::fs::{Mode, OFlags, openat};

use super::TreeOpError;
use super::error::{join, reading};

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was there and is different now, or something below it is.
    Modified,
    /// It was not there.
    Added,
    /// It is not there any more.
    Deleted,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path, without a leading slash.
    pub path: Vec<u8>,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// The changes in `upper` against `lowers` (top first), in order of paths.
pub fn changes(upper: &Root, lowers: &[Root]) -> Result<Vec<Change>, TreeOpError> {
    let mut comparison = Comparison {
        lowers,
        found: Vec::new(),
    };
    let all: Vec<usize> = (0..lowers.len()).collect();
    comparison.dir(upper.fd(), b"", &all, 0)?;
    let mut found = comparison.found;
    found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

struct Comparison<'a> {
    lowers: &'a [Root],
    found: Vec<Change>,
}

impl Comparison<'_> {
    /// Compares directory `dir` at `path`, to which the lower directories
    /// `below` contribute; whether anything in it changed.
    fn dir(
        &mut self,
        dir: BorrowedFd<'_>,
        path: &[u8],
        below: &[usize],
        depth: usize,
    ) -> Result<bool, TreeOpError> {
        if depth > MAX_DEPTH {
            return Err(TreeOpError::TooDeep(path.to_vec()));
        }
        let mut changed = false;
        for entry in read_dir(dir).map_err(reading("read", path))? {
            let path = join(path, &entry.name);
            let stat = match stat_at(dir, &entry.name) {
                Ok(stat) => stat,
                // Gone since the directory was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(reading("stat", &path)(error)),
            };
            let old = self.lookup(below, &path)?;
            let kind = match (&old, stat.is_whiteout()) {
                (None, true) => None,
                (Some(_), true) => Some(ChangeKind::Deleted),
                (None, false) => Some(ChangeKind::Added),
                (Some(old), false) => self
                    .differs(dir, &entry.name, &path, &stat, old)?
                    .then_some(ChangeKind::Modified),
            };
            let mut inside = false;
            if stat.kind == EntryKind::Dir {
                let child = open_dir(dir, &entry.name).map_err(reading("open", &path))?;
                let merged = match &old {
                    Some(old) if old.kind == EntryKind::Dir => self.merged(below, &path)?,
                    _ => Vec::new(),
                };
                if is_opaque(child.as_fd(), b"").map_err(reading("stat", &path))? {
                    inside |= self.hidden(child.as_fd(), &path, &merged)?;
                    // What is shown is compared with what was there all the
                    // same: a directory made anew with the same file in it.
                }
                inside |= self.dir(child.as_fd(), &path, &merged, depth + 1)?;
            }
            let kind = kind.or(inside.then_some(ChangeKind::Modified));
            if let Some(kind) = kind {
                changed = true;
                self.found.push(Change { path, kind });
            }
        }
        Ok(changed)
    }

    /// Reports what the lower directories have and opaque `dir` has not.
    fn hidden(
        &mut self,
        dir: BorrowedFd<'_>,
        path: &[u8],
        below: &[usize],
    ) -> Result<bool, TreeOpError> {
        let mut names = BTreeSet::new();
        for &layer in below {
            let lower = self.lowers[layer].dir(path);
            let lower = lower.map_err(reading("open", path))?;
            let entries = read_dir(lower.as_fd()).map_err(reading("read", path))?;
            names.extend(entries.into_iter().map(|entry| entry.name));
        }
        let mut any = false;
        for name in names {
            let path = join(path, &name);
            // A whiteout is reported when the directory itself is walked.
            if stat_at(dir, &name).is_err() && self.lookup(below, &path)?.is_some() {
                self.found.push(Change {
                    path,
                    kind: ChangeKind::Deleted,
                });
                any = true;
            }
        }
        Ok(any)
    }

    /// What the lower layers show at `path`, whose directory `below`
    /// contribute to.
    fn lookup(&self, below: &[usize], path: &[u8]) -> Result<Option<Stat>, TreeOpError> {
        for &layer in below {
            match stat_at(self.lowers[layer].fd(), path) {
                Ok(stat) if stat.is_whiteout() => return Ok(None),
                Ok(stat) => return Ok(Some(stat)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(reading("stat", path)(error)),
            }
        }
        Ok(None)
    }

    /// Which layers contribute to directory `path`, top first.
    fn merged(&self, below: &[usize], path: &[u8]) -> Result<Vec<usize>, TreeOpError> {
        let mut merged = Vec::new();
        for &layer in below {
            let root = self.lowers[layer].fd();
            match stat_at(root, path) {
                Ok(stat) if stat.kind == EntryKind::Dir => merged.push(layer),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(reading("stat", path)(error)),
            }
            if is_opaque(root, path).map_err(reading("stat", path))? {
                break;
            }
        }
        Ok(merged)
    }

    /// Whether an entry that was copied up is any different from below.
    fn differs(
        &self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
        new: &Stat,
        old: &Stat,
    ) -> Result<bool, TreeOpError> {
        let same = new.kind == old.kind
            && (new.mode, new.uid, new.gid, new.rdev) == (old.mode, old.uid, old.gid, old.rdev);
        if !same {
            return Ok(true);
        }
        match new.kind {
            // A directory's time changes with its entries, which speak for
            // themselves; its size is the file system's affair.
            EntryKind::Dir => Ok(false),
            EntryKind::Symlink => {
                let target = read_link(dir, name).map_err(reading("read", path))?;
                for lower in self.lowers {
                    match stat_at(lower.fd(), path) {
                        Ok(stat) if (stat.dev, stat.ino) == (old.dev, old.ino) => {
                            let old = read_link(lower.fd(), path);
                            return Ok(old.map_err(reading("read", path))? != target);
                        }
                        _ => {}
                    }
                }
                Ok(true)
            }
            _ => Ok((new.size, new.mtime, new.mtime_nsec) != (old.size, old.mtime, old.mtime_nsec)),
        }
    }
}

/// Opens the directory `name`, or `dir` itself anew where it is empty.
pub(super) fn open_dir(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    let name = if name.is_empty() { b"." } else { name };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(dir, name, flags, Mode::empty())?)
}
