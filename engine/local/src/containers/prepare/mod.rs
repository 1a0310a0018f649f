//! From a container's record to what its shim is told: the OCI spec and the
//! shim's configuration. What has to be looked up (users, devices, other
//! containers' namespaces) is looked up here; the spec itself is built purely.

mod devices;
mod logging;
mod made;
mod mounts;
mod namespaces;
mod process;
mod resources;
mod rootfs;
mod security;

use dhow_model::health;
use dhow_runtime::protocol::{Console, ROOTFS_DIR, Rootfs, ShimConfig, Stdio, Stop};
use dhow_runtime::spec::{SpecPlan, apparmor, limits::NETWORK_SYSCTLS, namespaces::Namespace};

use super::record::{Plugged, Record};
use super::start::Plan;
use crate::system::host::Host;
use crate::{Error, LocalEngine, Result};

pub(super) use devices::check as check_devices;
pub(crate) use made::VolumeTurns;
pub(super) use resources::{keep as keep_limits, limits};
pub(super) use rootfs::Layered;
pub(super) use security::{check as check_security, warnings as security_warnings};

impl LocalEngine {
    /// What starts this container. Writes the files its network gives it.
    pub(super) fn plan(&self, record: &Record, plugged: Option<&Plugged>) -> Result<Plan> {
        let config = self.config();
        let directory = config.data_root.join("containers").join(record.id.as_str());
        let run_directory = self.run_directory(&record.id);
        self.write_network_files(record, plugged, &directory)?;

        let host = &record.host_config;
        let privileged = host.privileged == Some(true);
        let layers = self.layers_of(record)?;
        let rootfs = rootfs::Layered::new(&directory.join("upper"), &layers);
        rootfs.make_working_directory(record.config.working_dir.as_deref().unwrap_or_default())?;
        let sharing = self.namespaces_of(record, &run_directory)?;
        let mut making = made::Making::new(&run_directory);
        let mut mounts = self.mounts_of(record, &mut making)?;
        mounts.extend(self.network_files(record, &directory, &mounts)?);
        let security = security::options(host)?;
        let cgroup = self.cgroup_path(record);

        let mut sysctls: std::collections::BTreeMap<_, _> = host
            .sysctls
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect();
        if matches!(sharing.namespaces.network, Namespace::Path(_)) && plugged.is_some() {
            for (name, value) in NETWORK_SYSCTLS {
                sysctls
                    .entry((*name).to_owned())
                    .or_insert_with(|| (*value).to_owned());
            }
        }
        let plan = SpecPlan {
            process: self.first_process(record, &rootfs, &security)?,
            rootfs: run_directory.join(ROOTFS_DIR),
            read_only_root: host.readonly_rootfs == Some(true),
            hostname: sharing.hostname,
            domainname: record.config.domainname.clone().unwrap_or_default(),
            namespaces: sharing.namespaces,
            mounts,
            shm: sharing.shm,
            init: host.init.unwrap_or(config.init).then(|| self.init_binary()),
            devices: devices::of(host)?,
            device_rules: devices::rules(host)?,
            privileged,
            seccomp: security::seccomp(&security, self.shared.host.has_seccomp),
            masked_paths: if privileged {
                None
            } else {
                host.masked_paths.clone()
            },
            readonly_paths: if privileged {
                None
            } else {
                host.readonly_paths.clone()
            },
            sysctls,
            resources: resources::limits(host)?,
            cgroups_path: cgroup.clone().into(),
            writable_cgroups: security.writable_cgroups,
            annotations: host
                .annotations
                .clone()
                .unwrap_or_default()
                .into_iter()
                .collect(),
        };
        let spec = plan
            .build(&self.shared.host.for_specs())
            .map_err(Error::of)?;

        let console = super::exec::console(host.console_size.as_deref().unwrap_or_default());
        let log = self.log_of(record, &directory);
        if let Some(parent) = log.path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let shim = ShimConfig {
            id: record.id.clone(),
            rootfs: Rootfs::Overlay {
                lower: layers,
                upper: directory.join("upper"),
                work: directory.join("work"),
            },
            cgroup,
            log,
            stdio: Stdio {
                tty: record.tty(),
                open_stdin: record.config.open_stdin == Some(true),
                stdin_once: record.config.stdin_once == Some(true),
                console: console.map(|c: Console| c),
            },
            restart: super::create::restart_policy(host.restart_policy.as_ref())?,
            restart_count: record.state.restart_count.try_into().unwrap_or(u32::MAX),
            health: probe(record),
            state_file: directory.join("state.json"),
            ports: Vec::new(),
            control_fd: None,
            netns_fd: None,
            shared_sources: mounts::shared_sources(record),
            borrowed_mounts: sharing.borrowed,
            made_mounts: making.made,
            stop: Stop {
                signal: self.stop_signal(record)?,
                timeout: super::stop::grace(record, None),
            },
        };
        Ok(Plan { spec, config: shim })
    }

    /// The directories of the container's layers, top first.
    pub(super) fn layers_of(&self, record: &Record) -> Result<Vec<std::path::PathBuf>> {
        let layers = self
            .shared
            .images
            .pinned_rootfs(record.id.as_str())
            .map_err(Error::of)?;
        Ok(layers.into_iter().map(|layer| layer.path).collect())
    }
}

/// The container's health check, where it has one.
pub(super) fn probe(record: &Record) -> Option<health::Probe> {
    let check = record.config.healthcheck.as_ref()?;
    super::create::health_config(check).probe(record.config.shell.as_deref().unwrap_or_default())
}

/// The AppArmor profile to show: the one it has where the host has AppArmor,
/// else the one that was asked for.
pub(super) fn app_armor_profile(record: &Record, host: &Host) -> Option<String> {
    let asked = security::options(&record.host_config).ok()?.apparmor;
    if !host.has_app_armor {
        return asked;
    }
    let privileged = record.host_config.privileged == Some(true);
    Some(apparmor::profile(asked.as_deref(), privileged).to_owned())
}
