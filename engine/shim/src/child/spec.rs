//! The OCI spec as the daemon wrote it, made fit for libcontainer.

use std::path::Path;

use dhow_runtime::protocol::{Failure, FailureKind};
use dhow_sys::cgroup::{DeviceKind, DeviceRule};
use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType, LinuxNamespaceType, Spec};

/// Reads the spec of the container.
pub fn load(path: &Path) -> Result<Spec, Failure> {
    let broken = |what: String| Failure::new(FailureKind::Other, what);
    let text = std::fs::read(path)
        .map_err(|e| broken(format!("the spec {} cannot be read: {e}", path.display())))?;
    serde_json::from_slice(&text)
        .map_err(|e| broken(format!("the spec {} is not one: {e}", path.display())))
}

/// What libcontainer takes differently from runc, or must not do itself:
///
/// - it sets the score for the kernel's choice of victims on its caller;
/// - it takes `noNewPrivileges: false` for a wish to load the system call
///   filter unprivileged;
/// - it knows propagation modes without `r` only.
pub fn prepare(spec: &mut Spec, rootfs: &Path, environment: Vec<String>) {
    if let Some(root) = spec.root_mut() {
        root.set_path(rootfs.to_owned());
    }
    if let Some(process) = spec.process_mut() {
        process.set_oom_score_adj(None);
        if process.no_new_privileges() == Some(false) {
            process.set_no_new_privileges(None);
        }
        process.set_env(Some(environment));
    }
    if let Some(linux) = spec.linux_mut() {
        let propagation = linux
            .rootfs_propagation()
            .as_ref()
            .map(|mode| mode.trim_start_matches('r').to_owned());
        linux.set_rootfs_propagation(propagation);
    }
}

/// The rules about devices, for cgroup version 2: libcontainer carries them out
/// in version 1 only (as it is built here).
pub fn device_rules(spec: &Spec) -> Vec<DeviceRule> {
    let resources = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.resources().as_ref());
    let rules = resources.and_then(|resources| resources.devices().as_ref());
    let rule = |rule: &LinuxDeviceCgroup| {
        let access = rule.access().as_deref().unwrap_or("rwm");
        DeviceRule {
            allow: rule.allow(),
            kind: match rule.typ().unwrap_or_default() {
                LinuxDeviceType::C | LinuxDeviceType::U => DeviceKind::Character,
                LinuxDeviceType::B => DeviceKind::Block,
                _ => DeviceKind::All,
            },
            // -1 is every number.
            major: rule.major().and_then(|number| u32::try_from(number).ok()),
            minor: rule.minor().and_then(|number| u32::try_from(number).ok()),
            read: access.contains('r'),
            write: access.contains('w'),
            mknod: access.contains('m'),
        }
    };
    rules.into_iter().flatten().map(rule).collect()
}

/// The namespaces that a further process of the container joins, as flags of
/// `setns(2)`.
pub fn joined_namespaces(spec: &Spec) -> libc::c_int {
    let namespaces = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.namespaces().as_ref());
    // The mount namespace is the container's in any case: its root is there.
    namespaces
        .into_iter()
        .flatten()
        .fold(libc::CLONE_NEWNS, |flags, namespace| {
            flags
                | match namespace.typ() {
                    LinuxNamespaceType::Mount => libc::CLONE_NEWNS,
                    LinuxNamespaceType::Cgroup => libc::CLONE_NEWCGROUP,
                    LinuxNamespaceType::Uts => libc::CLONE_NEWUTS,
                    LinuxNamespaceType::Ipc => libc::CLONE_NEWIPC,
                    LinuxNamespaceType::User => libc::CLONE_NEWUSER,
                    LinuxNamespaceType::Pid => libc::CLONE_NEWPID,
                    LinuxNamespaceType::Network => libc::CLONE_NEWNET,
                    LinuxNamespaceType::Time => 0,
                }
        })
}
