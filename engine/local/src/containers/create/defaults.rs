//! What dockerd fills in where a request is silent, so that `inspect` shows
//! what is in force. Pure.

use bollard_stubs::models::*;
use dhow_model::Id;

use crate::config::EngineConfig;
use crate::system::host::Host;

/// Paths no container needs to see (dockerd's list).
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// Paths containers may read but not write (dockerd's list).
const READ_ONLY: &[&str] = &[
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Completes both parts of a request.
pub(super) fn complete(
    config: &mut ContainerConfig,
    host: &mut HostConfig,
    engine: &EngineConfig,
    machine: &Host,
) {
    complete_config(config);
    complete_modes(host, machine);
    complete_resources(host, engine);
    complete_scalars(host);
    let log = host.log_config.get_or_insert_default();
    if log.typ.as_deref().unwrap_or_default().is_empty() {
        log.typ = Some(engine.log_driver.clone());
        let options = log.config.get_or_insert_default();
        for (key, value) in &engine.log_options {
            options.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    log.config.get_or_insert_default();
}

fn complete_config(config: &mut ContainerConfig) {
    config.hostname.get_or_insert_default();
    config.domainname.get_or_insert_default();
    config.user.get_or_insert_default();
    config.working_dir.get_or_insert_default();
    for flag in [
        &mut config.attach_stdin,
        &mut config.attach_stdout,
        &mut config.attach_stderr,
        &mut config.tty,
        &mut config.open_stdin,
        &mut config.stdin_once,
    ] {
        flag.get_or_insert(false);
    }
    config.labels.get_or_insert_default();
    for ports in config.exposed_ports.iter_mut().flatten() {
        *ports = crate::containers::view::with_protocol(ports);
    }
}

fn complete_modes(host: &mut HostConfig, machine: &Host) {
    let privileged = host.privileged == Some(true);
    let blank = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
    if blank(&host.network_mode) || host.network_mode.as_deref() == Some("default") {
        host.network_mode = Some("bridge".to_owned());
    }
    if blank(&host.ipc_mode) {
        host.ipc_mode = Some("private".to_owned());
    }
    if matches!(
        host.cgroupns_mode,
        None | Some(HostConfigCgroupnsModeEnum::EMPTY)
    ) {
        // dockerd: hidden hierarchies on v2, also when privileged; on v1 old
        // images expect the host's.
        host.cgroupns_mode = Some(if machine.cgroup_version == 2 {
            HostConfigCgroupnsModeEnum::PRIVATE
        } else {
            HostConfigCgroupnsModeEnum::HOST
        });
    }
    if blank(&host.runtime) {
        host.runtime = Some("dhow".to_owned());
    }
    let policy = host.restart_policy.get_or_insert_default();
    if matches!(policy.name, None | Some(RestartPolicyNameEnum::EMPTY)) {
        policy.name = Some(RestartPolicyNameEnum::NO);
    }
    policy.maximum_retry_count.get_or_insert(0);
    if !privileged {
        let unconfined = host
            .security_opt
            .iter()
            .flatten()
            .any(|o| o == "systempaths=unconfined");
        let paths = |list: &[&str]| {
            Some(if unconfined {
                Vec::new()
            } else {
                list.iter().map(|s| s.to_string()).collect()
            })
        };
        if host.masked_paths.is_none() {
            host.masked_paths = paths(MASKED);
        }
        if host.readonly_paths.is_none() {
            host.readonly_paths = paths(READ_ONLY);
        }
    }
}

fn complete_resources(host: &mut HostConfig, engine: &EngineConfig) {
    if host.shm_size.unwrap_or(0) == 0 {
        host.shm_size = i64::try_from(engine.shm_size).ok();
    }
    let own = host.ulimits.get_or_insert_default();
    for (name, (soft, hard)) in &engine.ulimits {
        if !own.iter().any(|limit| limit.name.as_ref() == Some(name)) {
            own.push(ResourcesUlimits {
                name: Some(name.clone()),
                soft: Some(*soft),
                hard: Some(*hard),
            });
        }
    }
    if host.oom_kill_disable.is_none() {
        host.oom_kill_disable = Some(false);
    }
    // 0 and -1 both mean no limit; dockerd shows null for it.
    host.pids_limit = host.pids_limit.filter(|limit| *limit > 0);
}

fn complete_scalars(host: &mut HostConfig) {
    for number in [
        &mut host.cpu_shares,
        &mut host.memory,
        &mut host.cpu_period,
        &mut host.cpu_quota,
        &mut host.cpu_realtime_period,
        &mut host.cpu_realtime_runtime,
        &mut host.memory_reservation,
        &mut host.memory_swap,
        &mut host.nano_cpus,
        &mut host.cpu_count,
        &mut host.cpu_percent,
        &mut host.io_maximum_iops,
        &mut host.io_maximum_bandwidth,
        &mut host.oom_score_adj,
    ] {
        number.get_or_insert(0);
    }
    for text in [
        &mut host.cgroup_parent,
        &mut host.cpuset_cpus,
        &mut host.cpuset_mems,
        &mut host.container_id_file,
        &mut host.volume_driver,
        &mut host.cgroup,
        &mut host.pid_mode,
        &mut host.uts_mode,
        &mut host.userns_mode,
    ] {
        text.get_or_insert_default();
    }
    for flag in [
        &mut host.auto_remove,
        &mut host.privileged,
        &mut host.publish_all_ports,
        &mut host.readonly_rootfs,
    ] {
        flag.get_or_insert(false);
    }
    host.blkio_weight.get_or_insert(0);
    host.console_size.get_or_insert_with(|| vec![0, 0]);
    host.port_bindings.get_or_insert_default();
    for list in [&mut host.dns, &mut host.dns_options, &mut host.dns_search] {
        list.get_or_insert_default();
    }
    host.isolation.get_or_insert(HostConfigIsolationEnum::EMPTY);
}

/// The host name of a container that was given none: the beginning of its id,
/// or the host's where it shares the host's.
pub(super) fn host_name(
    config: &mut ContainerConfig,
    host: &HostConfig,
    id: &Id,
    machine_name: &str,
) {
    let given = config.hostname.as_deref().is_some_and(|h| !h.is_empty());
    if given {
        return;
    }
    let shares_uts = host.uts_mode.as_deref() == Some("host");
    let network = host.network_mode.as_deref().unwrap_or_default();
    config.hostname = if shares_uts || network == "host" {
        Some(machine_name.to_owned())
    } else if network.starts_with("container:") {
        Some(String::new())
    } else {
        Some(id.short().to_owned())
    };
}
