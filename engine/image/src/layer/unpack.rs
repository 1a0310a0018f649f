//! Entries of a layer archive, put on disk the way overlayfs wants them.

use std::io::BufRead;

use dhow_sys::tree::{Existing, FileSink, Meta, Node, Root, TreeWriter, WriterOptions, ZeroUmask};

use super::room::Room;
use super::{UnpackError, clean};
use crate::tar::{Entry, Kind, TarReader};

/// What stands before the name of something that is gone (OCI image spec,
/// "Whiteouts").
pub(crate) const WHITEOUT: &[u8] = b".wh.";
/// What stands in a directory that hides those below it.
pub(crate) const OPAQUE: &[u8] = b".wh..wh..opq";
/// AUFS' own bookkeeping, which some old layers carry.
const AUFS: &[u8] = b".wh..wh.";

/// What errors call the root.
const ROOT: &str = "the layer";

/// What was unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// Bytes in regular files.
    pub bytes: u64,
}

/// Unpacks the layer archive `input` into the empty directory `root`. Returns
/// the stream behind the archive's end.
pub(crate) fn unpack_layer<R: BufRead>(
    input: R,
    root: &Root,
    umask: &ZeroUmask,
) -> Result<(Unpacked, R), UnpackError> {
    let options = WriterOptions {
        existing: Existing::Replace,
        fresh: true,
    };
    let mut target = Target {
        writer: TreeWriter::new(root, options, umask),
        room: Room::new(root.fd()),
        unpacked: Unpacked::default(),
        name: ROOT,
    };
    let mut archive = TarReader::new(input);
    while let Some(entry) = archive.next_entry()? {
        let path = clean(&entry.path, ROOT)?;
        if !target.mark(&path)? {
            target.entry(&mut archive, &entry, &path)?;
        }
    }
    target.writer.finish()?;
    Ok((target.unpacked, archive.into_inner()))
}

/// How [`unpack_archive`] differs from unpacking a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArchiveOptions {
    /// Directories and other things never replace each other.
    pub keep_dirs: bool,
    /// Everything belongs to this user and group.
    pub owner: Option<(u32, u32)>,
}

/// Unpacks an ordinary archive into directory `dest` below `root`, which may
/// hold anything. Names that look like whiteouts are ordinary here.
pub(crate) fn unpack_archive<R: BufRead>(
    input: R,
    root: &Root,
    dest: &[u8],
    options: ArchiveOptions,
    umask: &ZeroUmask,
) -> Result<(Unpacked, R), UnpackError> {
    let existing = if options.keep_dirs {
        Existing::KeepDirs
    } else {
        Existing::Replace
    };
    let writer = WriterOptions {
        existing,
        fresh: false,
    };
    let mut target = Target {
        writer: TreeWriter::new(root, writer, umask),
        room: Room::new(root.fd()),
        unpacked: Unpacked::default(),
        name: "the destination",
    };
    let mut archive = TarReader::new(input);
    while let Some(mut entry) = archive.next_entry()? {
        let path = clean(&entry.path, target.name)?;
        // The destination itself is the caller's, not the archive's.
        if path.is_empty() {
            continue;
        }
        if let Some((uid, gid)) = options.owner {
            (entry.uid, entry.gid) = (uid, gid);
        }
        // A hard link's target is a path in the archive as well.
        if entry.kind == Kind::Hardlink {
            entry.link = below(dest, &clean(&entry.link, target.name)?);
        }
        target.entry(&mut archive, &entry, &below(dest, &path))?;
    }
    target.writer.finish()?;
    Ok((target.unpacked, archive.into_inner()))
}

/// `path` in directory `dest`, whose own `..` the kernel resolves.
fn below(dest: &[u8], path: &[u8]) -> Vec<u8> {
    let end = dest.iter().rposition(|&b| b != b'/');
    let dest = &dest[..end.map_or(0, |last| last + 1)];
    match dest {
        b"" => path.to_vec(),
        dest => [dest, b"/", path].concat(),
    }
}

struct Target<'a> {
    writer: TreeWriter<'a>,
    room: Room<'a>,
    unpacked: Unpacked,
    name: &'static str,
}

impl Target<'_> {
    /// Handles a whiteout or an opaque mark; false for an ordinary entry.
    fn mark(&mut self, path: &[u8]) -> Result<bool, UnpackError> {
        let slash = path.iter().rposition(|&b| b == b'/');
        let (dir, name) = match slash {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&path[..0], path),
        };
        if name == OPAQUE {
            self.writer.opaque(dir)?;
            return Ok(true);
        }
        if name.starts_with(AUFS) {
            return Ok(true);
        }
        let Some(hidden) = name.strip_prefix(WHITEOUT) else {
            return Ok(false);
        };
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(UnpackError::Outside(path.to_vec(), self.name));
        }
        self.room.claim(0)?;
        let hidden = match slash {
            Some(_) => [dir, b"/", hidden].concat(),
            None => hidden.to_vec(),
        };
        self.writer.whiteout(&hidden)?;
        Ok(true)
    }

    fn entry<R: BufRead>(
        &mut self,
        archive: &mut TarReader<R>,
        entry: &Entry,
        path: &[u8],
    ) -> Result<(), UnpackError> {
        let xattrs = attributes(entry, path)?;
        let meta = Meta {
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            mtime: entry.mtime,
            mtime_nsec: entry.mtime_nsec,
            xattrs: &xattrs,
        };
        let (major, minor) = entry.device;
        if entry.kind != Kind::File {
            self.room.claim(0)?;
        }
        match entry.kind {
            Kind::Dir => self.writer.dir(path, &meta)?,
            Kind::File => {
                let sink = self.writer.file(path, &meta)?;
                let claimed = self.content(archive, entry, sink, &meta);
                claimed.map_err(|error| match error {
                    UnpackError::Write(_, source) => UnpackError::Write(path.to_vec(), source),
                    other => other,
                })?;
            }
            Kind::Symlink => self.writer.symlink(path, &entry.link, &meta)?,
            Kind::Hardlink => {
                let link = clean(&entry.link, self.name)?;
                self.writer.hardlink(path, &link)?;
            }
            Kind::Char => self.writer.node(path, Node::Char(major, minor), &meta)?,
            Kind::Block => self.writer.node(path, Node::Block(major, minor), &meta)?,
            Kind::Fifo => self.writer.node(path, Node::Fifo, &meta)?,
        }
        Ok(())
    }

    fn content<R: BufRead>(
        &mut self,
        archive: &mut TarReader<R>,
        entry: &Entry,
        mut sink: FileSink,
        meta: &Meta<'_>,
    ) -> Result<(), UnpackError> {
        let failed = |error| UnpackError::Write(Vec::new(), error);
        self.room.claim(0)?;
        let whole = [(0, entry.size)];
        let pieces = entry.pieces.as_deref().unwrap_or(&whole);
        for &(offset, length) in pieces {
            if entry.pieces.is_some() {
                sink.seek(offset).map_err(failed)?;
            }
            let mut left = length;
            while left > 0 {
                let data = archive.fill()?;
                let step = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                self.room.claim(step as u64)?;
                sink.write(&data[..step]).map_err(failed)?;
                archive.consume(step);
                left -= step as u64;
            }
            self.unpacked.bytes += length;
        }
        sink.finish(entry.size, meta).map_err(failed)
    }
}

/// Names and values.
type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

/// The attributes to set: those that mean something in a container. What
/// belongs to the host's security modules is left out; what overlayfs itself
/// acts on is refused.
fn attributes(entry: &Entry, path: &[u8]) -> Result<Attributes, UnpackError> {
    let mut kept = Vec::new();
    for (key, value) in &entry.xattrs {
        if key.starts_with(b"trusted.") {
            return Err(UnpackError::Attribute(path.to_vec(), key.clone()));
        }
        let known = key.starts_with(b"user.")
            || matches!(
                key.as_slice(),
                b"security.capability" | b"system.posix_acl_access" | b"system.posix_acl_default"
            );
        if known {
            kept.push((key.clone(), value.clone()));
        }
    }
    Ok(kept)
}
