//! What a tree's writer is told, and what it answers.

use std::io;

use rustix::fs::Timespec;

/// What an entry carries beside its content.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meta<'a> {
    /// Permission bits with set-id and sticky bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time, seconds.
    pub mtime: i64,
    /// Modification time, nanoseconds within the second.
    pub mtime_nsec: u32,
    /// Extended attributes, in order.
    pub xattrs: &'a [(Vec<u8>, Vec<u8>)],
}

impl Meta<'_> {
    pub(super) fn time(&self) -> Timespec {
        Timespec {
            tv_sec: self.mtime,
            tv_nsec: self.mtime_nsec.min(999_999_999).into(),
        }
    }
}

/// A file that is neither regular, nor a directory, nor a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// A character device with its numbers.
    Char(u32, u32),
    /// A block device with its numbers.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
}

/// What to do where an entry meets a thing of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// The entry takes its place.
    Replace,
    /// A directory never gives way to another thing, nor another thing to a
    /// directory.
    KeepDirs,
}

/// How a tree is written.
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// What happens to things in the way.
    pub existing: Existing,
    /// The tree was empty when writing began and nobody else writes to it:
    /// new files belong to root without asking for it.
    pub fresh: bool,
}

/// Why an entry could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// An operation on the tree failed.
    #[error("{what} {}", String::from_utf8_lossy(.path))]
    Io {
        /// What was being done.
        what: &'static str,
        /// The entry's path.
        path: Vec<u8>,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// [`Existing::KeepDirs`] forbids it.
    #[error("cannot overwrite directory {:?} with non-directory", String::from_utf8_lossy(.0))]
    DirInTheWay(Vec<u8>),
    /// [`Existing::KeepDirs`] forbids it.
    #[error("cannot overwrite non-directory {:?} with directory", String::from_utf8_lossy(.0))]
    NonDirInTheWay(Vec<u8>),
    /// The root itself was to be something else than a directory.
    #[error("the root of a tree can only be a directory")]
    Root,
}

pub(super) fn failed(what: &'static str, path: &[u8]) -> impl FnOnce(io::Error) -> TreeError {
    let path = path.to_vec();
    move |source| TreeError::Io { what, path, source }
}
