//! Copying the image's content into an empty volume: owners, modes, times,
//! extended attributes, links, devices and holes as they are.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use dhow_sys::tree::{
    EntryKind, Existing, MAX_DEPTH, Meta, Node, Root, Stat, TreeError, TreeWriter, WriterOptions,
    ZeroUmask, get_xattr, list_xattrs, open_file, read_dir, stat_at,
};

use crate::usage::open_dir;

/// Copies everything in `source`, and what `source` itself is, to `target`.
/// Works on a thread of its own, whose umask it clears.
pub(crate) fn copy(source: BorrowedFd<'_>, target: &Root) -> Result<(), TreeError> {
    let work = || {
        let umask = ZeroUmask::for_this_thread().map_err(failed("prepare to write", b""))?;
        let options = WriterOptions {
            existing: Existing::Replace,
            fresh: false,
        };
        let mut copier = Copier {
            writer: TreeWriter::new(target, options, &umask),
            names: HashMap::new(),
        };
        copier.dir(source, &mut Vec::new(), 0)?;
        copier.writer.finish()
    };
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

struct Copier<'a> {
    writer: TreeWriter<'a>,
    /// Where files with several names were copied to first.
    names: HashMap<((u32, u32), u64), Vec<u8>>,
}

impl Copier<'_> {
    fn dir(
        &mut self,
        dir: BorrowedFd<'_>,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), TreeError> {
        let stat = stat_at(dir, b"").map_err(failed("stat", path))?;
        let attributes = attributes(dir, b"").map_err(failed("read attributes of", path))?;
        self.writer.dir(path, &meta(&stat, &attributes))?;
        for entry in read_dir(dir).map_err(failed("list", path))? {
            let parent = path.len();
            if parent > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(&entry.name);
            self.entry(dir, &entry.name, path, depth)?;
            path.truncate(parent);
        }
        Ok(())
    }

    fn entry(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), TreeError> {
        let stat = stat_at(dir, name).map_err(failed("stat", path))?;
        if stat.kind == EntryKind::Dir {
            if depth >= MAX_DEPTH {
                return Err(failed("descend into", path)(io::Error::other("too deep")));
            }
            let child = open_dir(dir, name).map_err(failed("open", path))?;
            return self.dir(child.as_fd(), path, depth + 1);
        }
        if stat.nlink > 1 {
            let inode = (stat.dev, stat.ino);
            if let Some(first) = self.names.get(&inode) {
                let first = first.clone();
                return self.writer.hardlink(path, &first);
            }
            self.names.insert(inode, path.clone());
        }
        let attributes = attributes(dir, name).map_err(failed("read attributes of", path))?;
        let meta = meta(&stat, &attributes);
        match stat.kind {
            EntryKind::File => self.file(dir, name, path, &meta),
            EntryKind::Symlink => {
                let target = rustix::fs::readlinkat(dir, name, Vec::new())
                    .map_err(|error| failed("read link", path)(error.into()))?;
                self.writer.symlink(path, target.as_bytes(), &meta)
            }
            EntryKind::Char => self
                .writer
                .node(path, Node::Char(stat.rdev.0, stat.rdev.1), &meta),
            EntryKind::Block => {
                self.writer
                    .node(path, Node::Block(stat.rdev.0, stat.rdev.1), &meta)
            }
            EntryKind::Fifo => self.writer.node(path, Node::Fifo, &meta),
            // Nobody listens on a socket in an image.
            EntryKind::Socket | EntryKind::Dir => Ok(()),
        }
    }

    fn file(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
        meta: &Meta<'_>,
    ) -> Result<(), TreeError> {
        let (file, stat) = open_file(dir, name).map_err(failed("open", path))?;
        let mut sink = self.writer.file(path, meta)?;
        let sparse = stat.blocks.saturating_mul(512) < stat.size;
        let mut buffer = vec![0; 256 << 10];
        let mut position: u64 = 0;
        loop {
            let read = match rustix::io::read(&file, &mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(failed("read", path)(error.into())),
            };
            position += read as u64;
            let data = &buffer[..read];
            let written = if sparse && data.iter().all(|&byte| byte == 0) {
                sink.seek(position)
            } else {
                sink.write(data)
            };
            written.map_err(failed("write", path))?;
        }
        sink.finish(position, meta).map_err(failed("finish", path))
    }
}

fn meta<'a>(stat: &Stat, xattrs: &'a Attributes) -> Meta<'a> {
    Meta {
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        mtime: stat.mtime,
        mtime_nsec: stat.mtime_nsec,
        xattrs,
    }
}

/// All attributes but those overlayfs keeps for itself.
fn attributes(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<Attributes> {
    let mut found = Vec::new();
    for key in list_xattrs(dir, name)? {
        let of_overlay = key.starts_with(b"trusted.overlay.") || key.starts_with(b"user.overlay.");
        if !of_overlay && let Some(value) = get_xattr(dir, name, &key)? {
            found.push((key, value));
        }
    }
    Ok(found)
}

fn failed(what: &'static str, path: &[u8]) -> impl FnOnce(io::Error) -> TreeError {
    let path = path.to_vec();
    move |source| TreeError::Io { what, path, source }
}
