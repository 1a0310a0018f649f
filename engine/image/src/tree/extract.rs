//! Unpacking an archive into a container's tree.

use std::io::{self, BufReader, Read};

use dhow_sys::tree::{EntryKind, Root, ZeroUmask, stat_at};
use rustix::fs::OFlags;
use std::os::fd::AsFd;

use super::TreeOpError;
use super::error::reading;
use crate::layer::{ArchiveOptions, UnpackError, decoder, unpack_archive};

/// How an archive is unpacked.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtractOptions {
    /// Directories and other things never replace each other
    /// (`noOverwriteDirNonDir`).
    pub keep_dirs: bool,
    /// Everything belongs to this user and group (`copyUIDGID` of a container
    /// with a user).
    pub owner: Option<(u32, u32)>,
}

/// Unpacks the archive `input`, compressed or not, into directory `dest` below
/// `root`. Links, in the tree or from the archive, are followed inside the root
/// only.
pub fn extract(
    root: &Root,
    dest: &[u8],
    input: &mut (dyn Read + Send),
    options: ExtractOptions,
) -> Result<(), TreeOpError> {
    let handle = root
        .open_in(dest, OFlags::PATH, rustix::fs::Mode::empty())
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                TreeOpError::NotFound(dest.strip_prefix(b"/").unwrap_or(dest).to_vec())
            }
            _ => reading("open", dest)(error),
        })?;
    let stat = stat_at(handle.as_fd(), b"").map_err(reading("stat", dest))?;
    if stat.kind != EntryKind::Dir {
        return Err(TreeOpError::NotDirectory);
    }
    let options = ArchiveOptions {
        keep_dirs: options.keep_dirs,
        owner: options.owner,
    };
    let work = || -> Result<(), UnpackError> {
        let umask = ZeroUmask::for_this_thread().map_err(|e| UnpackError::Root("thread", e))?;
        let input = decoder(BufReader::with_capacity(128 * 1024, input))?;
        let input = BufReader::with_capacity(256 * 1024, input);
        let (_, mut rest) = unpack_archive(input, root, dest, options, &umask)?;
        // The sender is to see its stream taken to the end.
        io::copy(&mut rest, &mut io::sink())
            .map_err(|e| UnpackError::Tar(crate::tar::TarError::Read(e)))?;
        Ok(())
    };
    // A thread of its own, for its umask.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("tree-extract".into())
            .spawn_scoped(scope, work)
            .map_err(TreeOpError::Thread)?;
        match thread.join() {
            Ok(result) => Ok(result?),
            Err(_) => Err(TreeOpError::Thread(io::Error::other("panicked"))),
        }
    })
}
