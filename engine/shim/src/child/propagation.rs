//! How the container's mounts spread to the host's and back. libcontainer
//! treats all of them alike, by the word for the root; where a mount differs,
//! it is put right here, between creating the container and starting it.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

use oci_spec::runtime::Spec;
use rustix::mount::{MountPropagationFlags as Flags, mount_change};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Gives every mount of the container whose first process is `pid` the
/// propagation it asks for.
pub fn set(pid: u32, spec: &Spec) -> io::Result<()> {
    let root = spec.linux().as_ref().map(|l| l.rootfs_propagation());
    if root.is_none_or(|root| matches!(root.as_deref(), None | Some("private"))) {
        // All are private already.
        return Ok(());
    }
    let wanted = wanted(spec);
    let namespace = fs::File::open(format!("/proc/{pid}/ns/mnt"))?;
    let inside = super::fork(|| {
        let changed = move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount))
            .and_then(|()| {
                let mut all = wanted.iter();
                all.try_for_each(|(target, flags)| mount_change(target, *flags))
            });
        changed.map_or_else(|e| e.raw_os_error(), |()| 0)
    })?;
    match super::wait_code(inside) {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

fn wanted(spec: &Spec) -> Vec<(PathBuf, Flags)> {
    let mounts = spec.mounts().iter().flatten();
    mounts
        .filter_map(|mount| {
            let options = mount.options().as_deref().unwrap_or_default();
            let flags = options.iter().rev().find_map(|word| flags(word))?;
            Some((mount.destination().clone(), flags))
        })
        .collect()
}

fn flags(word: &str) -> Option<Flags> {
    Some(match word {
        "private" => Flags::PRIVATE,
        "rprivate" => Flags::PRIVATE | Flags::REC,
        "slave" => Flags::DOWNSTREAM,
        "rslave" => Flags::DOWNSTREAM | Flags::REC,
        "shared" => Flags::SHARED,
        "rshared" => Flags::SHARED | Flags::REC,
        _ => return None,
    })
}
