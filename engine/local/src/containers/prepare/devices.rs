//! `--device` and `--device-cgroup-rule`: what the host has under those names.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use bollard_stubs::models::{DeviceMapping, HostConfig};
use dhow_runtime::spec::devices::{DeviceNode, DeviceRule, Kind, parse_access};

use crate::{Error, Result};

/// Refuses rules and permissions that are none, before anything is made.
pub(in crate::containers) fn check(host: &HostConfig) -> Result<()> {
    if let Some(request) = host.device_requests.iter().flatten().next() {
        let driver = request.driver.clone().unwrap_or_default();
        let wanted = request.capabilities.clone().unwrap_or_default();
        return Err(Error::system(format!(
            "could not select device driver {driver:?} with capabilities: {}",
            as_go_prints(&wanted)
        )));
    }
    for device in host.devices.iter().flatten() {
        parse_access(device.cgroup_permissions.as_deref().unwrap_or_default())
            .map_err(Error::of)?;
    }
    rules(host).map(|_| ())
}

/// Nested lists in Go's `%v`.
fn as_go_prints(lists: &[Vec<String>]) -> String {
    let lists: Vec<String> = lists.iter().map(|l| format!("[{}]", l.join(" "))).collect();
    format!("[{}]", lists.join(" "))
}

/// The devices of a container: all of the host's for a privileged one.
pub(super) fn of(host: &HostConfig) -> Result<Vec<DeviceNode>> {
    let mut nodes = Vec::new();
    if host.privileged == Some(true) {
        collect(Path::new("/dev"), "/dev", "rwm", &mut nodes)?;
    }
    for mapping in host.devices.iter().flatten() {
        mapped(mapping, &mut nodes)?;
    }
    Ok(nodes)
}

/// Further rules.
pub(super) fn rules(host: &HostConfig) -> Result<Vec<DeviceRule>> {
    let list = host.device_cgroup_rules.iter().flatten();
    list.map(|text| DeviceRule::parse(text).map_err(Error::of))
        .collect()
}

fn mapped(mapping: &DeviceMapping, nodes: &mut Vec<DeviceNode>) -> Result<()> {
    let on_host = mapping.path_on_host.as_deref().unwrap_or_default();
    let inside = match mapping.path_in_container.as_deref() {
        None | Some("") => on_host,
        Some(path) => path,
    };
    let access = parse_access(mapping.cgroup_permissions.as_deref().unwrap_or_default())
        .map_err(Error::of)?;
    let gathering = |why: &str| {
        Error::system(format!(
            "error gathering device information while adding custom device {on_host:?}: {why}"
        ))
    };
    // A link such as /dev/disk/by-id/… stands for what it leads to.
    let real = fs::canonicalize(on_host).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => gathering("no such file or directory"),
        _ => gathering(&e.to_string()),
    })?;
    if real.is_dir() {
        return collect(&real, inside, &access, nodes);
    }
    match node(&real, inside, &access)? {
        Some(node) => {
            nodes.retain(|n| n.path != node.path);
            nodes.push(node);
            Ok(())
        }
        None => Err(gathering("not a device node")),
    }
}

/// All devices in and below a directory, but those every container has of its
/// own (runc's list).
fn collect(
    directory: &Path,
    inside: &str,
    access: &str,
    nodes: &mut Vec<DeviceNode>,
) -> Result<()> {
    const OWN: &[&str] = &[
        "pts",
        "shm",
        "fd",
        "mqueue",
        ".lxc",
        ".lxd-mounts",
        ".udev",
        "console",
        "ptmx",
    ];
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if OWN.contains(&name.as_str()) {
            continue;
        }
        let inside = format!("{inside}/{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), &inside, access, nodes)?;
        } else if !kind.is_symlink()
            && let Some(node) = node(&entry.path(), &inside, access)?
        {
            nodes.push(node);
        }
    }
    Ok(())
}

fn node(path: &Path, inside: &str, access: &str) -> Result<Option<DeviceNode>> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        // Devices come and go while one looks.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::system(format!("{}: {e}", path.display()))),
    };
    let kind = if meta.file_type().is_block_device() {
        Kind::Block
    } else if meta.file_type().is_char_device() {
        Kind::Char
    } else {
        return Ok(None);
    };
    Ok(Some(DeviceNode {
        host_path: path.display().to_string(),
        path: inside.to_owned(),
        kind,
        major: rustix::fs::major(meta.rdev()),
        minor: rustix::fs::minor(meta.rdev()),
        mode: meta.mode() & 0o777,
        uid: meta.uid(),
        gid: meta.gid(),
        access: access.to_owned(),
    }))
}
