//! Writing a tree entry by entry, in the order a hostile archive dictates.
//!
//! Paths given here are already split from `.` and `..` by the caller; what
//! remains dangerous is links made by earlier entries, or found in the tree.
//! Parents are therefore resolved inside the root, once per directory, and
//! every last component is created by name in that directory, never followed.
//!
//! Directory times (and set-id bits, which children would inherit) are applied
//! when the tree is complete.

use std::collections::HashMap;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, chownat, fchmod, fchown, linkat,
    makedev, mkdirat, mknodat, openat, symlinkat, utimensat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::entry::{Existing, Meta, Node, TreeError, WriterOptions, failed};
use super::remove::remove;
use super::root::Root;
use super::sink::FileSink;
use super::walk::{EntryKind, Stat, stat_at};
use super::xattr::{set_opaque, set_xattr};

/// How much memory the paths of unfinished directories may take; beyond it
/// their times are applied early, at the price of being disturbed later.
const PENDING_BYTES: usize = 32 << 20;

/// How many parents are kept open at once.
const HELD_PARENTS: usize = 32;

/// The mode of parents that no entry has described.
const IMPLICIT_DIR: u32 = 0o755;

/// Proof that this thread, and no other, has a umask of zero, so that a mode
/// given at creation is the mode a file gets.
#[derive(Debug)]
pub struct ZeroUmask(PhantomData<*const ()>);

impl ZeroUmask {
    /// Parts this thread's umask and working directory from the process's for
    /// good, and clears the umask. For threads made for the purpose.
    pub fn for_this_thread() -> io::Result<Self> {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS)?;
        rustix::process::umask(Mode::empty());
        Ok(Self(PhantomData))
    }
}

/// A directory whose last touches wait for the end.
#[derive(Debug, Clone, Copy)]
struct Pending {
    mtime: Timespec,
    mode: Option<u32>,
}

/// Writes entries below a root.
#[derive(Debug)]
pub struct TreeWriter<'a> {
    root: &'a Root,
    options: WriterOptions,
    /// Open parents, each a path below the one before it.
    parents: Vec<(Vec<u8>, OwnedFd)>,
    pending: HashMap<Vec<u8>, Pending>,
    pending_bytes: usize,
    /// Something was replaced: an old pending directory may be gone.
    replaced: bool,
    _umask: PhantomData<*const ()>,
}

impl<'a> TreeWriter<'a> {
    /// A writer into `root`, on a thread whose umask is zero.
    pub fn new(root: &'a Root, options: WriterOptions, _umask: &ZeroUmask) -> Self {
        Self {
            root,
            options,
            parents: Vec::new(),
            pending: HashMap::new(),
            pending_bytes: 0,
            replaced: false,
            _umask: PhantomData,
        }
    }

    /// A directory; where there is one already it takes on `meta`.
    pub fn dir(&mut self, path: &[u8], meta: &Meta<'_>) -> Result<(), TreeError> {
        let (parent, name) = split(path);
        let existed = if name.is_empty() {
            true
        } else {
            self.parent(parent)?;
            let dir = self.here();
            match mkdirat(dir, name, Mode::from_raw_mode(meta.mode & 0o1777)) {
                Ok(()) => false,
                Err(Errno::EXIST) => {
                    let stat = stat_at(dir, name).map_err(failed("stat", path))?;
                    if stat.kind == EntryKind::Dir {
                        true
                    } else {
                        if self.options.existing == Existing::KeepDirs {
                            return Err(TreeError::NonDirInTheWay(path.to_vec()));
                        }
                        let whiteout = stat.is_whiteout();
                        self.clear_way(path, name)?;
                        let dir = self.here();
                        mkdirat(dir, name, Mode::from_raw_mode(meta.mode & 0o1777))
                            .map_err(|e| failed("mkdir", path)(e.into()))?;
                        if whiteout {
                            // The layer said "gone", then "a directory": what
                            // lies below stays hidden.
                            set_opaque(dir, name).map_err(failed("mark opaque", path))?;
                        }
                        false
                    }
                }
                Err(error) => return Err(failed("mkdir", path)(error.into())),
            }
        };
        self.dir_meta(path, meta, existed)?;
        let set_id = meta.mode & 0o6000 != 0 || self.pending_mode(path);
        let pending = Pending {
            mtime: meta.time(),
            mode: set_id.then_some(meta.mode & 0o7777),
        };
        if self.pending.insert(path.to_vec(), pending).is_none() {
            self.pending_bytes += path.len() + 64;
            if self.pending_bytes > PENDING_BYTES {
                self.settle()?;
            }
        }
        Ok(())
    }

    /// A regular file; its content goes into the sink.
    pub fn file(&mut self, path: &[u8], meta: &Meta<'_>) -> Result<FileSink, TreeError> {
        let name = self.place(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(meta.mode & 0o7777);
        let create = |dir: BorrowedFd<'_>| openat(dir, name, flags | OFlags::CLOEXEC, mode);
        let fd = match create(self.here()) {
            Err(Errno::EXIST) => {
                self.clear_way(path, name)?;
                create(self.here())
            }
            other => other,
        };
        let fd = fd.map_err(|e| failed("create", path)(e.into()))?;
        Ok(FileSink::new(fd, self.options.fresh))
    }

    /// A symbolic link with any target: it is never followed out of the root.
    pub fn symlink(
        &mut self,
        path: &[u8],
        target: &[u8],
        meta: &Meta<'_>,
    ) -> Result<(), TreeError> {
        let name = self.place(path)?;
        match symlinkat(target, self.here(), name) {
            Err(Errno::EXIST) => {
                self.clear_way(path, name)?;
                symlinkat(target, self.here(), name)
            }
            other => other,
        }
        .map_err(|e| failed("symlink", path)(e.into()))?;
        self.own(path, name, meta)?;
        self.attributes(path, name, meta)?;
        self.times(path, name, meta)
    }

    /// Another name for the file at `target`.
    pub fn hardlink(&mut self, path: &[u8], target: &[u8]) -> Result<(), TreeError> {
        let (target_parent, target_name) = split(target);
        let from = self
            .root
            .dir(target_parent)
            .map_err(failed("link to", target))?;
        let name = self.place(path)?;
        let link = |dir: BorrowedFd<'_>| linkat(&from, target_name, dir, name, AtFlags::empty());
        match link(self.here()) {
            Err(Errno::EXIST) => {
                // A link to itself must not remove its only name first.
                let there = stat_at(from.as_fd(), target_name).map_err(failed("stat", target))?;
                let here = stat_at(self.here(), name).map_err(failed("stat", path))?;
                if (there.dev, there.ino) == (here.dev, here.ino) {
                    return Ok(());
                }
                self.clear_way(path, name)?;
                link(self.here())
            }
            other => other,
        }
        .map_err(|e| failed("link", path)(e.into()))
    }

    /// A device or a pipe.
    pub fn node(&mut self, path: &[u8], node: Node, meta: &Meta<'_>) -> Result<(), TreeError> {
        let name = self.place(path)?;
        let (kind, device) = match node {
            Node::Char(major, minor) => (FileType::CharacterDevice, makedev(major, minor)),
            Node::Block(major, minor) => (FileType::BlockDevice, makedev(major, minor)),
            Node::Fifo => (FileType::Fifo, 0),
        };
        let mode = Mode::from_raw_mode(meta.mode & 0o7777);
        let make = |dir: BorrowedFd<'_>| mknodat(dir, name, kind, mode, device);
        match make(self.here()) {
            Err(Errno::EXIST) => {
                self.clear_way(path, name)?;
                make(self.here())
            }
            other => other,
        }
        .map_err(|e| failed("mknod", path)(e.into()))?;
        self.own(path, name, meta)?;
        self.attributes(path, name, meta)?;
        self.times(path, name, meta)
    }

    /// Hides `path` of the layers below. What this layer has there itself
    /// stays, since a whiteout speaks of lower layers only.
    pub fn whiteout(&mut self, path: &[u8]) -> Result<(), TreeError> {
        let name = self.place(path)?;
        let dir = self.here();
        match mknodat(dir, name, FileType::CharacterDevice, Mode::empty(), 0) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => {
                let stat = stat_at(dir, name).map_err(failed("stat", path))?;
                if stat.kind == EntryKind::Dir {
                    set_opaque(dir, name).map_err(failed("mark opaque", path))?;
                }
                Ok(())
            }
            Err(error) => Err(failed("whiteout", path)(error.into())),
        }
    }

    /// Hides everything that the layers below have in directory `path`.
    pub fn opaque(&mut self, path: &[u8]) -> Result<(), TreeError> {
        self.parent(path)?;
        set_opaque(self.here(), b"").map_err(failed("mark opaque", path))
    }

    /// Applies what had to wait for the end.
    pub fn finish(mut self) -> Result<(), TreeError> {
        self.settle()
    }

    fn settle(&mut self) -> Result<(), TreeError> {
        let mut pending: Vec<_> = self.pending.drain().collect();
        self.pending_bytes = 0;
        pending.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (path, last) in pending {
            match self.settle_one(&path, last) {
                Ok(()) => {}
                // Replaced by a later entry: nothing left to touch.
                Err(TreeError::Io { source, .. })
                    if matches!(
                        Errno::from_io_error(&source),
                        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
                    ) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn settle_one(&mut self, path: &[u8], last: Pending) -> Result<(), TreeError> {
        let (parent, name) = split(path);
        self.existing_parent(parent)?;
        let dir = self.here();
        let name = if name.is_empty() { b"." } else { name };
        let times = Timestamps {
            last_access: last.mtime,
            last_modification: last.mtime,
        };
        if let Some(mode) = last.mode {
            let fd = open_dir(dir, name).map_err(failed("open", path))?;
            fchmod(&fd, Mode::from_raw_mode(mode)).map_err(|e| failed("chmod", path)(e.into()))?;
        }
        utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| failed("set times of", path)(e.into()))
    }

    fn pending_mode(&self, path: &[u8]) -> bool {
        self.pending.get(path).is_some_and(|p| p.mode.is_some())
    }

    /// Owner, mode and attributes of a directory that exists by now.
    fn dir_meta(&mut self, path: &[u8], meta: &Meta<'_>, existed: bool) -> Result<(), TreeError> {
        let own = existed || !self.options.fresh || meta.uid != 0 || meta.gid != 0;
        if !own && meta.xattrs.is_empty() {
            return Ok(());
        }
        let (parent, name) = split(path);
        self.parent(parent)?;
        if own {
            let name = if name.is_empty() { b"." } else { name };
            let fd = open_dir(self.here(), name).map_err(failed("open", path))?;
            fchown(
                &fd,
                Some(Uid::from_raw(meta.uid)),
                Some(Gid::from_raw(meta.gid)),
            )
            .map_err(|e| failed("chown", path)(e.into()))?;
            fchmod(&fd, Mode::from_raw_mode(meta.mode & 0o1777))
                .map_err(|e| failed("chmod", path)(e.into()))?;
        }
        self.attributes(path, name, meta)
    }

    fn own(&self, path: &[u8], name: &[u8], meta: &Meta<'_>) -> Result<(), TreeError> {
        if self.options.fresh && meta.uid == 0 && meta.gid == 0 {
            return Ok(());
        }
        chownat(
            self.here(),
            name,
            Some(Uid::from_raw(meta.uid)),
            Some(Gid::from_raw(meta.gid)),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .map_err(|e| failed("chown", path)(e.into()))
    }

    fn attributes(&self, path: &[u8], name: &[u8], meta: &Meta<'_>) -> Result<(), TreeError> {
        for (key, value) in meta.xattrs {
            match set_xattr(self.here(), name, key, value) {
                Ok(()) => {}
                // Links and devices have no user attributes, and some file
                // systems none at all; Docker goes on as well.
                Err(error)
                    if matches!(
                        Errno::from_io_error(&error),
                        Some(Errno::OPNOTSUPP | Errno::PERM)
                    ) => {}
                Err(error) => return Err(failed("set attributes of", path)(error)),
            }
        }
        Ok(())
    }

    fn times(&self, path: &[u8], name: &[u8], meta: &Meta<'_>) -> Result<(), TreeError> {
        let times = Timestamps {
            last_access: meta.time(),
            last_modification: meta.time(),
        };
        utimensat(self.here(), name, &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| failed("set times of", path)(e.into()))
    }

    /// Opens the parent of `path`; the last name of it.
    fn place<'p>(&mut self, path: &'p [u8]) -> Result<&'p [u8], TreeError> {
        let (parent, name) = split(path);
        if name.is_empty() {
            return Err(TreeError::Root);
        }
        if self.replaced {
            self.pending.remove(path);
        }
        self.parent(parent)?;
        Ok(name)
    }

    /// Removes what is in the way of an entry that cannot merge with it.
    fn clear_way(&mut self, path: &[u8], name: &[u8]) -> Result<(), TreeError> {
        let dir = self.here();
        if self.options.existing == Existing::KeepDirs {
            let stat: Stat = stat_at(dir, name).map_err(failed("stat", path))?;
            if stat.kind == EntryKind::Dir {
                return Err(TreeError::DirInTheWay(path.to_vec()));
            }
        }
        remove(dir, name).map_err(failed("replace", path))?;
        self.replaced = true;
        self.pending.remove(path);
        // Any kept directory may have been below, or reached through, what is
        // gone now; only the one in use is sure to be there.
        if let Some(keep) = self.parents.pop() {
            self.parents.clear();
            self.parents.push(keep);
        }
        Ok(())
    }

    /// The parent that was asked for last.
    fn here(&self) -> BorrowedFd<'_> {
        match self.parents.last() {
            Some((_, fd)) => fd.as_fd(),
            None => self.root.fd(),
        }
    }

    /// Opens directory `path`, making what is missing of it.
    fn parent(&mut self, path: &[u8]) -> Result<(), TreeError> {
        match self.existing_parent(path) {
            Err(TreeError::Io { source, .. })
                if Errno::from_io_error(&source) == Some(Errno::NOENT) =>
            {
                let (above, name) = split(path);
                self.parent(above)?;
                let mode = Mode::from_raw_mode(IMPLICIT_DIR);
                match mkdirat(self.here(), name, mode) {
                    Ok(()) => {}
                    Err(error) => return Err(failed("make parent", path)(error.into())),
                }
                self.existing_parent(path)
            }
            other => other,
        }
    }

    fn existing_parent(&mut self, path: &[u8]) -> Result<(), TreeError> {
        while let Some((held, _)) = self.parents.last() {
            if held == path {
                return Ok(());
            }
            let above = held.is_empty() || (path.starts_with(held) && path[held.len()] == b'/');
            if above && self.parents.len() < HELD_PARENTS {
                break;
            }
            self.parents.pop();
        }
        let fd = self.root.dir(path).map_err(failed("open parent", path))?;
        self.parents.push((path.to_vec(), fd));
        Ok(())
    }
}

fn open_dir(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(dir, name, flags, Mode::empty())?)
}

/// `a/b/c` as `a/b` and `c`; a single name has an empty parent.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}
