//! Where a file system puts what is made in a directory.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

/// Says that the directories in `dir` have nothing to do with each other, so
/// that the file system spreads them over the disk (`chattr +T`). ext4 keeps
/// what is below a directory near it, in one table of inodes with one lock;
/// trees that are written at once get tables of their own this way. File
/// systems that don't know the mark have an error for it.
pub fn spread_directories(dir: BorrowedFd<'_>) -> io::Result<()> {
    let flags = ioctl_getflags(dir)?;
    if !flags.contains(IFlags::TOPDIR) {
        ioctl_setflags(dir, flags | IFlags::TOPDIR)?;
    }
    Ok(())
}
