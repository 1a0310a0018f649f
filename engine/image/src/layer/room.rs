//! Stopping before the disk is full: a few kilobytes of layer can unpack to
//! terabytes, or to millions of empty files.

use std::os::fd::BorrowedFd;

use super::UnpackError;

/// How much may be written before the disk is looked at again.
pub(super) const STEP: u64 = 32 << 20;

/// What a new inode counts for, so that empty files are not free.
const INODE: u64 = 4096;

/// What is left to everyone else: 1 % of the disk, at most 1 GiB.
const RESERVE: u64 = 1 << 30;

/// Watches the file system that a tree is written to.
pub(super) struct Room<'a> {
    root: BorrowedFd<'a>,
    unchecked: u64,
}

impl<'a> Room<'a> {
    pub fn new(root: BorrowedFd<'a>) -> Self {
        Self {
            root,
            // The first entry looks.
            unchecked: STEP,
        }
    }

    /// Accounts for a new file and `bytes` about to be written.
    pub fn claim(&mut self, bytes: u64) -> Result<(), UnpackError> {
        self.unchecked = self.unchecked.saturating_add(bytes).saturating_add(INODE);
        if self.unchecked < STEP {
            return Ok(());
        }
        self.unchecked = 0;
        // A file system that does not tell is taken to have room.
        let Ok(stat) = rustix::fs::fstatvfs(self.root) else {
            return Ok(());
        };
        let total = stat.f_blocks.saturating_mul(stat.f_frsize);
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        let reserve = (total / 100).min(RESERVE);
        if free < reserve + STEP {
            return Err(UnpackError::NoRoom("files"));
        }
        if stat.f_files > 0 && stat.f_favail < STEP / INODE {
            return Err(UnpackError::NoRoom("inodes"));
        }
        Ok(())
    }
}
