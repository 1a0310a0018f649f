//! A regular file of a tree while its content arrives.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, Timestamps, fchmod, fchown, futimens};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::entry::Meta;

/// A file being written.
#[derive(Debug)]
pub struct FileSink {
    fd: OwnedFd,
    fresh: bool,
    position: u64,
    end: u64,
}

impl FileSink {
    /// `fresh` as in [`super::WriterOptions`].
    pub(super) fn new(fd: OwnedFd, fresh: bool) -> Self {
        Self {
            fd,
            fresh,
            position: 0,
            end: 0,
        }
    }

    /// Appends `data`.
    pub fn write(&mut self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            match rustix::io::write(&self.fd, data) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    data = &data[written..];
                    self.position += written as u64;
                    self.end = self.end.max(self.position);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Moves on to `offset`, leaving a hole.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.position = rustix::fs::seek(&self.fd, rustix::fs::SeekFrom::Start(offset))?;
        Ok(())
    }

    /// Sets owner, attributes and times, and a length of `size` where a hole
    /// ends the file.
    pub fn finish(self, size: u64, meta: &Meta<'_>) -> io::Result<()> {
        if size > self.end {
            rustix::fs::ftruncate(&self.fd, size)?;
        }
        if !self.fresh || meta.uid != 0 || meta.gid != 0 {
            fchown(
                &self.fd,
                Some(Uid::from_raw(meta.uid)),
                Some(Gid::from_raw(meta.gid)),
            )?;
            // Changing the owner clears set-id bits.
            if !self.fresh || meta.mode & 0o6000 != 0 {
                fchmod(&self.fd, Mode::from_raw_mode(meta.mode & 0o7777))?;
            }
        }
        for (key, value) in meta.xattrs {
            let flags = rustix::fs::XattrFlags::empty();
            match rustix::fs::fsetxattr(&self.fd, key.as_slice(), value, flags) {
                Ok(()) | Err(Errno::OPNOTSUPP) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let time = meta.time();
        futimens(
            &self.fd,
            &Timestamps {
                last_access: time,
                last_modification: time,
            },
        )?;
        Ok(())
    }
}
