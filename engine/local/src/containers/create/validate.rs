//! Whether a container could be made as asked: pure, in dockerd's words
//! (`verifyContainerSettings` and what it calls). Some values are adjusted the
//! way dockerd adjusts them, and what is worth a warning is returned.

use bollard_stubs::models::{ContainerConfig, HealthConfig, HostConfig, RestartPolicy};
use dhow_model::mount::clean;
use dhow_model::{health, restart};

use crate::{Error, Result};

/// What the machine offers, as far as options depend on it.
#[derive(Debug, Clone)]
pub(crate) struct HostFacts {
    /// Processors online.
    pub cpus: usize,
    /// Whether a swap limit can be set.
    pub swap_limit: bool,
    /// Whether the OOM killer can be switched off for a cgroup (v1 only).
    pub oom_kill_disable: bool,
    /// Whether the kernel memory controller knows swappiness (v1 only).
    pub swappiness: bool,
    /// Whether block IO weights can be set.
    pub blkio_weight: bool,
    /// Whether real-time CPU scheduling can be limited.
    pub cpu_realtime: bool,
}

/// The least memory a container can be limited to: 6 MiB, as dockerd has it.
const LEAST_MEMORY: i64 = 6 * 1024 * 1024;

/// Checks `config` and `host` and completes them. Returns warnings.
pub(crate) fn validate(
    config: &mut ContainerConfig,
    host: &mut HostConfig,
    facts: &HostFacts,
) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    check_config(config)?;
    check_policies(config, host)?;
    warnings.extend(check_resources(host, facts)?);
    check_modes(config, host)?;
    if host.publish_all_ports == Some(true)
        || host.port_bindings.as_ref().is_some_and(|p| !p.is_empty())
    {
        if host.network_mode.as_deref() == Some("host") {
            warnings.push("Published ports are discarded when using host network mode".to_owned());
        }
    }
    Ok(warnings)
}

/// Checks the limits, and drops those this kernel does not know, with a warning.
pub(crate) fn check_resources(host: &mut HostConfig, facts: &HostFacts) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    check_memory(host, facts, &mut warnings)?;
    check_cpu(host, facts, &mut warnings)?;
    check_other_resources(host, facts, &mut warnings)?;
    Ok(warnings)
}

fn check_config(config: &mut ContainerConfig) -> Result<()> {
    if let Some(dir) = config.working_dir.as_mut().filter(|d| !d.is_empty()) {
        if !dir.starts_with('/') {
            return Err(Error::invalid(format!(
                "the working directory '{dir}' is invalid, it needs to be an absolute path"
            )));
        }
        *dir = clean(dir);
    }
    for variable in config.env.iter().flatten() {
        if variable.is_empty() || variable.starts_with('=') {
            return Err(Error::invalid(format!(
                "invalid environment variable: {variable}"
            )));
        }
    }
    if let Some(signal) = config.stop_signal.as_deref().filter(|s| !s.is_empty()) {
        dhow_model::signal::parse(signal)
            .map_err(|_| Error::invalid(format!("invalid signal: {signal}")))?;
    }
    check_health(config)
}

fn check_health(config: &ContainerConfig) -> Result<()> {
    let Some(check) = &config.healthcheck else {
        return Ok(());
    };
    health_config(check).validate().map_err(Error::of)
}

/// The check in the words of the health machine.
pub(crate) fn health_config(check: &HealthConfig) -> health::Config<'_> {
    health::Config {
        test: check.test.as_deref().unwrap_or_default(),
        interval: check.interval.unwrap_or(0),
        timeout: check.timeout.unwrap_or(0),
        start_period: check.start_period.unwrap_or(0),
        start_interval: check.start_interval.unwrap_or(0),
        retries: check.retries.unwrap_or(0),
    }
}

fn check_policies(config: &ContainerConfig, host: &HostConfig) -> Result<()> {
    if config.stop_timeout.is_some_and(|t| t < -1) {
        return Err(Error::invalid("invalid stop timeout"));
    }
    let policy = restart_policy(host.restart_policy.as_ref())?;
    if policy != restart::Policy::No && host.auto_remove == Some(true) {
        return Err(Error::of(restart::InvalidPolicy::AutoRemove));
    }
    Ok(())
}

/// The wire's restart policy in the words of the model.
pub(crate) fn restart_policy(policy: Option<&RestartPolicy>) -> Result<restart::Policy> {
    let name = policy.and_then(|p| p.name).map(|n| n.to_string());
    let count = policy.and_then(|p| p.maximum_retry_count).unwrap_or(0);
    restart::Policy::from_api(name.as_deref().unwrap_or_default(), count).map_err(Error::of)
}

fn check_memory(
    host: &mut HostConfig,
    facts: &HostFacts,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let memory = host.memory.unwrap_or(0);
    let swap = host.memory_swap.unwrap_or(0);
    let reservation = host.memory_reservation.unwrap_or(0);
    if memory != 0 && memory < LEAST_MEMORY {
        return Err(Error::invalid("Minimum memory limit allowed is 6MB"));
    }
    if memory > 0 && swap != -1 && !facts.swap_limit {
        warnings.push(
            "Your kernel does not support swap limit capabilities or the cgroup is not mounted. \
             Memory limited without swap."
                .to_owned(),
        );
        host.memory_swap = Some(-1);
    } else if memory > 0 && swap > 0 && swap < memory {
        return Err(Error::invalid(
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ));
    }
    if memory == 0 && swap > 0 {
        return Err(Error::invalid(
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ));
    }
    if memory > 0 && swap == 0 && facts.swap_limit {
        // Docker's default: as much swap again as memory.
        host.memory_swap = Some(memory.saturating_mul(2));
    }
    if let Some(swappiness) = host.memory_swappiness.filter(|s| *s != -1) {
        if !(0..=100).contains(&swappiness) {
            return Err(Error::invalid(format!(
                "Invalid value: {swappiness}, valid memory swappiness range is 0-100"
            )));
        }
        if !facts.swappiness {
            warnings.push(
                "Your kernel does not support memory swappiness capabilities or the cgroup is not \
                 mounted. Memory swappiness discarded."
                    .to_owned(),
            );
            host.memory_swappiness = None;
        }
    }
    if reservation > 0 && reservation < LEAST_MEMORY {
        return Err(Error::invalid("Minimum memory reservation allowed is 6MB"));
    }
    if memory > 0 && reservation > 0 && memory < reservation {
        return Err(Error::invalid(
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ));
    }
    if host.oom_kill_disable == Some(true) {
        if !facts.oom_kill_disable {
            warnings.push(
                "Your kernel does not support OomKillDisable. OomKillDisable discarded.".to_owned(),
            );
            host.oom_kill_disable = None;
        } else if memory == 0 {
            warnings.push(
                "OOM killer is disabled for the container, but no memory limit is set, this can \
                 result in the system running out of resources."
                    .to_owned(),
            );
        }
    }
    Ok(())
}

fn check_cpu(host: &mut HostConfig, facts: &HostFacts, warnings: &mut Vec<String>) -> Result<()> {
    let nano = host.nano_cpus.unwrap_or(0);
    let period = host.cpu_period.unwrap_or(0);
    let quota = host.cpu_quota.unwrap_or(0);
    if nano > 0 && period > 0 {
        return Err(Error::invalid(
            "Conflicting options: Nano CPUs and CPU Period cannot both be set",
        ));
    }
    if nano > 0 && quota > 0 {
        return Err(Error::invalid(
            "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        ));
    }
    let most = facts.cpus as i64 * 1_000_000_000;
    if nano != 0 && (nano < 10_000_000 || nano > most) {
        return Err(Error::invalid(format!(
            "range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available",
            cpus = facts.cpus
        )));
    }
    if period != 0 && !(1_000..=1_000_000).contains(&period) {
        return Err(Error::invalid(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ));
    }
    if quota > 0 && quota < 1_000 {
        return Err(Error::invalid(
            "CPU cfs quota can not be less than 1ms (i.e. 1000)",
        ));
    }
    let realtime =
        host.cpu_realtime_period.unwrap_or(0) != 0 || host.cpu_realtime_runtime.unwrap_or(0) != 0;
    if realtime && !facts.cpu_realtime {
        return Err(Error::invalid(
            "Your kernel does not support CPU real-time scheduler",
        ));
    }
    if host.cpu_realtime_period.unwrap_or(0) != 0
        && host.cpu_realtime_runtime.unwrap_or(0) > host.cpu_realtime_period.unwrap_or(0)
    {
        return Err(Error::invalid(
            "cpu real-time runtime cannot be higher than cpu real-time period",
        ));
    }
    if host.cpu_percent.unwrap_or(0) > 0 {
        warnings.push(
            "Windows does not support CPU percent on this platform. CPU percent discarded."
                .to_owned(),
        );
        host.cpu_percent = None;
    }
    check_cpuset("cpus", host.cpuset_cpus.as_deref(), facts.cpus)?;
    check_cpuset("mems", host.cpuset_mems.as_deref(), usize::MAX)
}

/// A list such as `0-2,4`, all below `count`.
fn check_cpuset(what: &str, list: Option<&str>, count: usize) -> Result<()> {
    let Some(list) = list.filter(|l| !l.is_empty()) else {
        return Ok(());
    };
    let bad = || Error::invalid(format!("Invalid value {list} for cpuset {what}"));
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = first.trim().parse().map_err(|_| bad())?;
        let last: usize = last.trim().parse().map_err(|_| bad())?;
        if last < first {
            return Err(bad());
        }
        if last >= count {
            let available = match count {
                1 => "0".to_owned(),
                n => format!("0-{}", n - 1),
            };
            let noun = if what == "cpus" {
                "CPUs"
            } else {
                "memory nodes"
            };
            return Err(Error::invalid(format!(
                "Requested {noun} are not available - requested {list}, available: {available}"
            )));
        }
    }
    Ok(())
}

fn check_other_resources(
    host: &mut HostConfig,
    facts: &HostFacts,
    warnings: &mut Vec<String>,
) -> Result<()> {
    if let Some(weight) = host.blkio_weight.filter(|w| *w != 0) {
        if !(10..=1000).contains(&weight) {
            return Err(Error::invalid("Range of blkio weight is from 10 to 1000"));
        }
        if !facts.blkio_weight {
            warnings.push(
                "Your kernel does not support Block I/O weight or the cgroup is not mounted. \
                 Weight discarded."
                    .to_owned(),
            );
            host.blkio_weight = Some(0);
        }
    }
    if host
        .blkio_weight_device
        .as_ref()
        .is_some_and(|d| !d.is_empty())
        && !facts.blkio_weight
    {
        warnings.push(
            "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. \
             Weight-device discarded."
                .to_owned(),
        );
        host.blkio_weight_device = None;
    }
    let score = host.oom_score_adj.unwrap_or(0);
    if !(-1000..=1000).contains(&score) {
        return Err(Error::invalid(format!(
            "Invalid value {score}, range for oom score adj is [-1000, 1000]"
        )));
    }
    if host.shm_size.unwrap_or(0) < 0 {
        return Err(Error::invalid("SHM size can not be less than 0"));
    }
    for limit in host.ulimits.iter().flatten() {
        let (soft, hard) = (limit.soft.unwrap_or(0), limit.hard.unwrap_or(0));
        if hard >= 0 && (soft > hard || soft < 0) && soft != hard {
            return Err(Error::invalid(format!(
                "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
            )));
        }
    }
    for (name, _) in host.sysctls.iter().flatten() {
        if name.is_empty() {
            return Err(Error::invalid("invalid sysctl: empty name"));
        }
    }
    for (option, _) in host.storage_opt.iter().flatten() {
        return Err(Error::invalid(format!(
            "--storage-opt is not supported by the overlay store: unknown option {option}"
        )));
    }
    if let Some(runtime) = host.runtime.as_deref().filter(|r| !r.is_empty()) {
        // Tools name the runtime they know; all of Docker's names mean ours.
        if !matches!(runtime, "dhow" | "runc" | "io.containerd.runc.v2") {
            return Err(Error::invalid(format!(
                "unknown or invalid runtime name: {runtime}"
            )));
        }
    }
    if let Some(isolation) = host.isolation.map(|i| i.to_string())
        && !matches!(isolation.as_str(), "" | "default")
    {
        return Err(Error::invalid(format!(
            "invalid isolation '{isolation}' on linux"
        )));
    }
    Ok(())
}

fn check_modes(config: &ContainerConfig, host: &HostConfig) -> Result<()> {
    let check = |what: &str, mode: Option<&str>, plain: &[&str]| match mode {
        None => Ok(()),
        Some(mode) if plain.contains(&mode) => Ok(()),
        Some(mode)
            if what != "UTS"
                && mode
                    .strip_prefix("container:")
                    .is_some_and(|name| !name.is_empty()) =>
        {
            Ok(())
        }
        Some(mode) => Err(Error::invalid(format!("invalid {what} mode: {mode}"))),
    };
    check("PID", host.pid_mode.as_deref(), &["", "host"])?;
    check("UTS", host.uts_mode.as_deref(), &["", "host"])?;
    check(
        "IPC",
        host.ipc_mode.as_deref(),
        &["", "none", "host", "private", "shareable"],
    )?;
    if !matches!(host.userns_mode.as_deref(), None | Some("" | "host")) {
        return Err(Error::invalid(format!(
            "invalid user namespace mode: {}",
            host.userns_mode.as_deref().unwrap_or_default()
        )));
    }
    let has_host_name = config.hostname.as_deref().is_some_and(|h| !h.is_empty());
    let has_domain = config.domainname.as_deref().is_some_and(|d| !d.is_empty());
    if host.uts_mode.as_deref() == Some("host") && (has_host_name || has_domain) {
        return Err(Error::invalid(
            "conflicting options: hostname and the UTS mode",
        ));
    }
    let network = host.network_mode.as_deref().unwrap_or_default();
    if let Some(other) = network.strip_prefix("container:") {
        if other.is_empty() {
            return Err(Error::invalid(
                "Link-local network can't be joined: invalid container format container:<name|id>",
            ));
        }
        if has_host_name {
            return Err(Error::invalid(
                "conflicting options: hostname and the network mode",
            ));
        }
        if host.port_bindings.as_ref().is_some_and(|p| !p.is_empty())
            || host.publish_all_ports == Some(true)
        {
            return Err(Error::invalid(
                "conflicting options: port publishing and the container type network mode",
            ));
        }
        if config.exposed_ports.as_ref().is_some_and(|p| !p.is_empty()) {
            return Err(Error::invalid(
                "conflicting options: port exposing and the container type network mode",
            ));
        }
        if host.extra_hosts.as_ref().is_some_and(|h| !h.is_empty()) {
            return Err(Error::invalid(
                "conflicting options: custom host-to-IP mapping and the network mode",
            ));
        }
        if host.dns.as_ref().is_some_and(|d| !d.is_empty()) {
            return Err(Error::invalid(
                "conflicting options: dns and the network mode",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> HostFacts {
        HostFacts {
            cpus: 2,
            swap_limit: true,
            oom_kill_disable: true,
            swappiness: true,
            blkio_weight: true,
            cpu_realtime: false,
        }
    }

    fn check(host: HostConfig, expected: &str) {
        let mut host = host;
        let error = validate(&mut ContainerConfig::default(), &mut host, &facts()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn refusals_read_as_dockers() {
        let host = HostConfig::default;
        check(
            HostConfig {
                memory: Some(1024),
                ..host()
            },
            "Minimum memory limit allowed is 6MB",
        );
        check(
            HostConfig {
                memory_swap: Some(8 << 20),
                ..host()
            },
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        );
        check(
            HostConfig {
                nano_cpus: Some(3_000_000_000),
                ..host()
            },
            "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
        );
        check(
            HostConfig {
                cpuset_cpus: Some("0-7".into()),
                ..host()
            },
            "Requested CPUs are not available - requested 0-7, available: 0-1",
        );
        check(
            HostConfig {
                oom_score_adj: Some(2000),
                ..host()
            },
            "Invalid value 2000, range for oom score adj is [-1000, 1000]",
        );
        check(
            HostConfig {
                ipc_mode: Some("odd".into()),
                ..host()
            },
            "invalid IPC mode: odd",
        );
    }

    #[test]
    fn swap_defaults_to_twice_the_memory() {
        let mut host = HostConfig {
            memory: Some(64 << 20),
            ..Default::default()
        };
        validate(&mut ContainerConfig::default(), &mut host, &facts()).unwrap();
        assert_eq!(host.memory_swap, Some(128 << 20));
    }
}
