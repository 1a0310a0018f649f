//! Trees as archives: a container's whole file system, a part of it, or what
//! it changed.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use dhow_sys::tree::{
    EntryKind, MAX_DEPTH, Root, Stat, get_xattr, is_kernel_state, is_opaque, list_xattrs,
    open_file, read_dir, read_link, stat_at,
};

use super::changes::open_dir;
use super::error::{join, reading};
use super::{Change, ChangeKind, TreeOpError, stat};
use crate::layer::{OPAQUE, WHITEOUT};
use crate::tar::{Kind, Record, TarWriter};

/// What to do with file systems mounted inside a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mounts {
    /// Leave them out: a mount point is an empty directory or file.
    Skip,
    /// Go into them, but not into the kernel's own (`/proc` and such).
    Enter,
}

/// Writes what `path` leads to below `root` as an archive whose entries begin
/// with `name` (an empty one for the content of a directory alone). Links in
/// `path` are followed inside the root, a link at its end is not.
pub fn pack(
    root: &Root,
    path: &[u8],
    name: &[u8],
    mounts: Mounts,
    out: &mut dyn Write,
) -> Result<(), TreeOpError> {
    let found = stat::locate(root, path)?;
    let mut packer = Packer::new(out, mounts);
    let dir = found.parent.as_fd();
    packer.mount = found.stat.mount;
    packer.tree(dir, &found.name, name, &found.stat, 0)?;
    packer.finish()
}

/// Writes `changes` of `upper` as a layer: deletions become whiteouts.
pub fn pack_changes(
    upper: &Root,
    changes: &[Change],
    out: &mut dyn Write,
) -> Result<(), TreeOpError> {
    let kinds = changes
        .iter()
        .map(|c| (c.path.as_slice(), c.kind))
        .collect();
    let mut packer = Packer::new(out, Mounts::Skip);
    packer.layer(upper.fd(), b"", &kinds, 0)?;
    packer.finish()
}

struct Packer<'a> {
    out: TarWriter<&'a mut dyn Write>,
    mounts: Mounts,
    /// The mount the tree is on.
    mount: u64,
    /// Files with several names, by the first name they were written under.
    links: HashMap<((u32, u32), u64), Vec<u8>>,
}

impl<'a> Packer<'a> {
    fn new(out: &'a mut dyn Write, mounts: Mounts) -> Self {
        Self {
            out: TarWriter::new(out),
            mounts,
            mount: 0,
            links: HashMap::new(),
        }
    }

    fn finish(self) -> Result<(), TreeOpError> {
        self.out.finish().map_err(TreeOpError::Write)?;
        Ok(())
    }

    /// The entry `name` in `dir`, as `path`, with all below it.
    fn tree(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
        stat: &Stat,
        depth: usize,
    ) -> Result<(), TreeOpError> {
        if depth > MAX_DEPTH {
            return Err(TreeOpError::TooDeep(path.to_vec()));
        }
        let elsewhere = stat.mount != self.mount;
        if elsewhere && self.mounts == Mounts::Skip && stat.kind != EntryKind::Dir {
            let record = record(path, Kind::File, stat);
            return self.out.header(&record).map_err(TreeOpError::Write);
        }
        if stat.kind != EntryKind::Dir {
            return self.entry(dir, name, path, stat);
        }
        let child = match open_dir(dir, name) {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(reading("open", path)(error)),
        };
        // The content of a directory alone has no entry for the directory.
        if !path.is_empty() {
            self.entry(child.as_fd(), b"", path, stat)?;
        }
        if elsewhere {
            let kernel = is_kernel_state(child.as_fd()).map_err(reading("stat", path))?;
            if self.mounts == Mounts::Skip || kernel {
                return Ok(());
            }
        }
        for entry in read_dir(child.as_fd()).map_err(reading("read", path))? {
            let path = join(path, &entry.name);
            match stat_at(child.as_fd(), &entry.name) {
                Ok(stat) => self.tree(child.as_fd(), &entry.name, &path, &stat, depth + 1)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(reading("stat", &path)(error)),
            }
        }
        Ok(())
    }

    /// The changed entries of `dir` and below.
    fn layer(
        &mut self,
        dir: BorrowedFd<'_>,
        path: &[u8],
        kinds: &HashMap<&[u8], ChangeKind>,
        depth: usize,
    ) -> Result<(), TreeOpError> {
        if depth > MAX_DEPTH {
            return Err(TreeOpError::TooDeep(path.to_vec()));
        }
        for entry in read_dir(dir).map_err(reading("read", path))? {
            let name = entry.name.as_slice();
            let whole = join(path, name);
            let stat = match stat_at(dir, name) {
                Ok(stat) => stat,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(reading("stat", &whole)(error)),
            };
            let Some(kind) = kinds.get(whole.as_slice()) else {
                continue;
            };
            if *kind == ChangeKind::Deleted {
                let marked = join(path, &[WHITEOUT, name].concat());
                self.mark(&marked)?;
                continue;
            }
            if name.starts_with(WHITEOUT) {
                return Err(TreeOpError::WhiteoutName(whole));
            }
            if stat.kind != EntryKind::Dir {
                self.entry(dir, name, &whole, &stat)?;
                continue;
            }
            let child = open_dir(dir, name).map_err(reading("open", &whole))?;
            self.entry(child.as_fd(), b"", &whole, &stat)?;
            // What is new hides nothing by being opaque.
            if *kind == ChangeKind::Modified
                && is_opaque(child.as_fd(), b"").map_err(reading("stat", &whole))?
            {
                self.mark(&join(&whole, OPAQUE))?;
            }
            self.layer(child.as_fd(), &whole, kinds, depth + 1)?;
        }
        Ok(())
    }

    fn mark(&mut self, path: &[u8]) -> Result<(), TreeOpError> {
        let record = Record {
            mode: 0o600,
            ..Record::file(path, 0, 0)
        };
        self.out.header(&record).map_err(TreeOpError::Write)
    }

    /// One entry, without what is below it.
    fn entry(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
        stat: &Stat,
    ) -> Result<(), TreeOpError> {
        let kind = match stat.kind {
            EntryKind::File => Kind::File,
            EntryKind::Dir => Kind::Dir,
            EntryKind::Symlink => Kind::Symlink,
            EntryKind::Char => Kind::Char,
            EntryKind::Block => Kind::Block,
            EntryKind::Fifo => Kind::Fifo,
            // An archive cannot hold a socket, and a copy would be dead.
            EntryKind::Socket => return Ok(()),
        };
        let first = match stat.nlink > 1 && stat.kind != EntryKind::Dir {
            true => self.links.get(&(stat.dev, stat.ino)),
            false => None,
        };
        if let Some(first) = first {
            let mut record = record(path, Kind::Hardlink, stat);
            record.link = first;
            return self.out.header(&record).map_err(TreeOpError::Write);
        }
        let xattrs = match attributes(dir, name, path) {
            Ok(xattrs) => xattrs,
            Err(error) => return gone(error),
        };
        let mut record = record(path, kind, stat);
        record.xattrs = &xattrs;
        match kind {
            Kind::File => {
                // What was measured just now may be another file by now.
                let (file, stat) = match open_file(dir, name) {
                    Ok(found) => found,
                    Err(error) => return gone(reading("open", path)(error)),
                };
                record.size = stat.size;
                let mut file = File::from(file);
                self.out
                    .copy(&record, &mut file)
                    .map_err(TreeOpError::Write)?;
            }
            Kind::Symlink => {
                let target = match read_link(dir, name) {
                    Ok(target) => target,
                    Err(error) => return gone(reading("read", path)(error)),
                };
                record.link = &target;
                self.out.header(&record).map_err(TreeOpError::Write)?;
            }
            _ => self.out.header(&record).map_err(TreeOpError::Write)?,
        }
        if stat.nlink > 1 && stat.kind != EntryKind::Dir {
            self.links.insert((stat.dev, stat.ino), path.to_vec());
        }
        Ok(())
    }
}

fn record<'a>(path: &'a [u8], kind: Kind, stat: &Stat) -> Record<'a> {
    Record {
        path,
        kind,
        link: b"",
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        mtime: stat.mtime,
        mtime_nsec: stat.mtime_nsec,
        size: 0,
        device: match kind {
            Kind::Char | Kind::Block => stat.rdev,
            _ => (0, 0),
        },
        xattrs: &[],
    }
}

/// What a running container removed while it was read is left out.
fn gone(error: TreeOpError) -> Result<(), TreeOpError> {
    match error {
        TreeOpError::Read { source, .. }
            if matches!(
                source.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::InvalidInput
            ) =>
        {
            Ok(())
        }
        error => Err(error),
    }
}

type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

/// The attributes that belong to the content: those a layer may carry.
fn attributes(dir: BorrowedFd<'_>, name: &[u8], path: &[u8]) -> Result<Attributes, TreeOpError> {
    let mut kept = Vec::new();
    for key in list_xattrs(dir, name).map_err(reading("read attributes of", path))? {
        if matches!(
            key.as_slice(),
            b"trusted.overlay.redirect" | b"trusted.overlay.metacopy"
        ) {
            return Err(TreeOpError::Redirected(path.to_vec()));
        }
        if key.starts_with(b"user.") || key == b"security.capability" {
            let value = get_xattr(dir, name, &key);
            if let Some(value) = value.map_err(reading("read attributes of", path))? {
                kept.push((key, value));
            }
        }
    }
    Ok(kept)
}
