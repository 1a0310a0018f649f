//! One long task at a time on a machine.
//!
//! Engines, registries and bridges of two test runs would not clash, but
//! their timings and their clean-up would. The kernel drops the lock when
//! its holder dies, so a killed run never blocks the next.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Held until dropped.
pub struct Lock(#[allow(dead_code, reason = "held for its drop")] Flock<File>);

/// Takes the lock named `name`, or nothing when somebody holds it.
pub fn try_take(name: &str) -> Result<Option<Lock>> {
    match Flock::lock(open(name)?, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(Lock(lock))),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path(name).display()))
        }
    }
}

/// Waits for the lock named `name`, telling the person when it is taken.
pub fn take(name: &str) -> Result<Lock> {
    if let Some(lock) = try_take(name)? {
        return Ok(lock);
    }
    eprintln!("another `cargo xtask {name}` is running on this machine; waiting for it");
    match Flock::lock(open(name)?, FlockArg::LockExclusive) {
        Ok(lock) => Ok(Lock(lock)),
        Err((_, error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path(name).display()))
        }
    }
}

fn open(name: &str) -> Result<File> {
    let path = path(name);
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))
}

fn path(name: &str) -> PathBuf {
    let user = nix::unistd::geteuid();
    std::env::temp_dir().join(format!("dhow-xtask-{name}-{user}.lock"))
}
