//! A directory that no path given to it can leave.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};

use crate::openat;

/// A directory used as if it were `/`: links inside it, absolute ones and `..`
/// too, are followed within it and never beyond.
#[derive(Debug)]
pub struct Root(OwnedFd);

impl Root {
    /// Opens the directory at `path`, which is trusted.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(CWD, path, flags, Mode::empty())?))
    }

    /// Takes an open directory (not `O_PATH`) as the root.
    pub fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// The directory itself.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Another handle on the same directory.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Opens what `path` leads to, all links followed inside the root (the
    /// last one too, unless `flags` has `O_NOFOLLOW`).
    pub fn open_in(&self, path: &[u8], flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        // An absolute path would be taken inside the root by the kernel as
        // well, but an empty one is an error there and the root here.
        let path = if path.is_empty() { b"." } else { path };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        openat::open(&self.0, path, flags, mode, resolve)
    }

    /// A handle (`O_PATH`) on the directory `path` leads to.
    pub fn dir(&self, path: &[u8]) -> io::Result<OwnedFd> {
        self.open_in(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())
    }
}
