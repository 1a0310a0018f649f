//! Numbered places for engines, so that many run side by side.
//!
//! A slot decides everything that two engines must not share: folders, the
//! name and subnet of the bridge, the control group. It is held by a file
//! lock, which the kernel drops when the holder dies in whatever way; so a
//! slot that can be locked is free, and what is still in it is left over.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use nix::ifaddrs::getifaddrs;

use crate::footprint::Footprint;

/// Short, because a socket's path must fit in 108 bytes; and on a tmpfs.
const RUN: &str = "/run/dhow-test";
/// On a real disk: `/tmp` often is not one.
const DATA: &str = "/var/tmp/dhow-test";
const SLOTS: u8 = 200;

/// A slot that is ours until dropped.
pub struct Slot {
    pub footprint: Footprint,
    /// The bridge's address and subnet.
    pub subnet: String,
    number: u8,
    _lock: Flock<File>,
}

impl Slot {
    /// Takes a free slot, and sweeps it first.
    pub fn take() -> Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            bail!(
                "running containers needs root: run the tests with `cargo xtask test` or as root"
            );
        }
        for number in 1..=SLOTS {
            if let Some(slot) = Self::try_take(number)? {
                return Ok(slot);
            }
        }
        bail!("all {SLOTS} slots of {RUN} are taken");
    }

    /// Takes this slot if it is free.
    fn try_take(number: u8) -> Result<Option<Self>> {
        std::fs::create_dir_all(RUN).with_context(|| format!("cannot make {RUN}"))?;
        let path = lock_path(number);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        let Ok(lock) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else {
            return Ok(None);
        };
        let slot = Self {
            footprint: footprint(number),
            subnet: format!("10.{}.{number}.1/24", free_range()),
            number,
            _lock: lock,
        };
        slot.footprint
            .remove()
            .with_context(|| format!("cannot clear slot {number}"))?;
        Ok(Some(slot))
    }

    /// The folder for the engine's sockets, logs and configuration.
    pub fn run(&self) -> &Path {
        &self.footprint.run
    }

    /// The folder for the engine's data.
    pub fn data(&self) -> &Path {
        &self.footprint.data
    }

    pub fn number(&self) -> u8 {
        self.number
    }
}

/// Removes what is left in every slot that nobody holds, and says how many
/// slots had something in them.
pub fn sweep() -> Result<usize> {
    let mut swept = 0;
    for number in 1..=SLOTS {
        let used = footprint(number).is_visible();
        if used && Slot::try_take(number)?.is_some() {
            swept += 1;
        }
    }
    Ok(swept)
}

/// The second number of a range 10.x that no network of the machine's own is
/// in, so that the slots can share it out.
fn free_range() -> u8 {
    let addresses: Vec<Ipv4Addr> = getifaddrs()
        .into_iter()
        .flatten()
        .filter(|interface| !interface.interface_name.starts_with("dhow-test"))
        .filter_map(|interface| interface.address?.as_sockaddr_in().map(|found| found.ip()))
        .collect();
    let taken = |second: &u8| {
        addresses
            .iter()
            .any(|address| address.octets()[..2] == [10, *second])
    };
    (200..=219)
        .rev()
        .find(|second| !taken(second))
        .unwrap_or(213)
}

fn lock_path(number: u8) -> PathBuf {
    PathBuf::from(format!("{RUN}/{number}.lock"))
}

fn footprint(number: u8) -> Footprint {
    Footprint {
        run: PathBuf::from(format!("{RUN}/{number}")),
        data: PathBuf::from(format!("{DATA}/{number}")),
        bridge: format!("dhow-test{number}"),
        cgroup: format!("dhow-test{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Slot;

    #[test]
    fn slots_differ_while_they_are_held_and_are_cleared_when_taken_again() {
        let first = Slot::take().unwrap();
        let second = Slot::take().unwrap();
        assert_ne!(first.number(), second.number());
        let (number, run) = (first.number(), first.run().to_owned());
        std::fs::create_dir_all(run.join("left")).unwrap();
        drop(first);
        let again = super::Slot::try_take(number).unwrap();
        if again.is_some() {
            assert!(
                !run.join("left").exists(),
                "whoever takes a slot finds it clear"
            );
        }
    }
}
