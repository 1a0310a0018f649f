//! Making written data durable, early and late.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Asks the kernel to begin writing `length` bytes of `file` from `offset` to
/// the disk, without waiting, so that a later `fdatasync` finds little left.
pub fn start_writeback(file: BorrowedFd<'_>, offset: u64, length: u64) -> io::Result<()> {
    let to_signed = |n: u64| i64::try_from(n).map_err(|_| io::ErrorKind::InvalidInput);
    let (offset, length) = (to_signed(offset)?, to_signed(length)?);
    // SAFETY: the call takes no pointers, and `file` is open for as long as
    // the borrow lasts.
    let result = unsafe {
        libc::sync_file_range(
            file.as_raw_fd(),
            offset,
            length,
            libc::SYNC_FILE_RANGE_WRITE,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Waits until everything written so far to the file system that holds `file`
/// is on disk.
pub fn sync_file_system(file: BorrowedFd<'_>) -> io::Result<()> {
    Ok(rustix::fs::syncfs(file)?)
}
