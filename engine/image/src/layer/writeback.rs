//! Blobs on their way to disk: written out while they come, so that the sync
//! at their end finds little left to do, and then let go from memory.
//!
//! Nobody reads a blob again before it is pushed, while the pages it would
//! keep are wanted at once for the files that are unpacked from it. Everything
//! here is a hint: an error costs time, and the sync at the end tells it.

use std::fs::File;
use std::num::NonZeroU64;
use std::os::fd::AsFd;

use rustix::fs::{Advice, fadvise};

/// How many bytes may be dirty before the disk is set to work.
const STEP: u64 = 8 << 20;

/// How far a file is on its way.
#[derive(Debug, Default)]
pub(super) struct Writeback {
    /// Up to here the disk is done, or nearly.
    behind: u64,
    /// Up to here it has been set to work.
    begun: u64,
}

impl Writeback {
    /// For a file whose first `length` bytes are there already.
    pub fn from(length: u64) -> Self {
        Self {
            behind: length,
            begun: length,
        }
    }

    /// `file` is `length` bytes long now.
    pub fn written(&mut self, file: &File, length: u64) {
        let dirty = length - self.begun;
        if dirty < STEP {
            return;
        }
        let _ = dhow_sys::tree::start_writeback(file.as_fd(), self.begun, dirty);
        // What was begun a step ago is clean by now, unless the disk lags.
        forget(file, self.behind, self.begun - self.behind);
        (self.behind, self.begun) = (self.begun, length);
    }

    /// All of `file` is on disk.
    pub fn synced(&self, file: &File) {
        if let Ok(length) = file.metadata().map(|data| data.len()) {
            forget(file, 0, length);
        }
    }
}

fn forget(file: &File, offset: u64, length: u64) {
    if let Some(length) = NonZeroU64::new(length) {
        let _ = fadvise(file, offset, Some(length), Advice::DontNeed);
    }
}
