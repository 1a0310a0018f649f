//! `openat2(2)`, asked again where the kernel was unsure.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::path::Arg;

/// How often. A rename or a mount anywhere on the machine makes the kernel
/// unsure whether `..` is still inside; a container can do that on purpose.
const RACES: u32 = 1000;

/// Opens what `path` leads to from `dir`, close-on-exec, within the bounds of
/// `resolve`.
pub fn open(
    dir: impl AsFd,
    path: impl Arg + Copy,
    flags: OFlags,
    mode: Mode,
    resolve: ResolveFlags,
) -> io::Result<OwnedFd> {
    let mut races = 0;
    loop {
        match openat2(dir.as_fd(), path, flags | OFlags::CLOEXEC, mode, resolve) {
            Err(rustix::io::Errno::AGAIN) if races < RACES => races += 1,
            opened => return Ok(opened?),
        }
    }
}
