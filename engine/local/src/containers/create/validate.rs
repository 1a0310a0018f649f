//! Whether a container could be made as asked: pure, in dockerd's words
//! (`verifyContainerSettings` and what it calls). Some values are adjusted the
//! way dockerd adjusts them, and what is worth a warning is returned.

use bollard_stubs::models::{ContainerConfig, HealthConfig, HostConfig, RestartPolicy};
use dhow_model::mount::clean;
use dhow_model::{health, restart};
use dhow_runtime::spec::limits::Ulimit;
use dhow_runtime::spec::resources::Support;

use crate::containers::prepare;

use crate::{Error, Result};

/// Checks `config` and `host` and completes them. Returns warnings.
pub(crate) fn validate(
    config: &mut ContainerConfig,
    host: &mut HostConfig,
    support: &Support,
) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    check_config(config)?;
    check_policies(host)?;
    warnings.extend(check_resources(host, support, false)?);
    check_modes(config, host)?;
    let publishes = host.publish_all_ports == Some(true)
        || host.port_bindings.as_ref().is_some_and(|p| !p.is_empty());
    if publishes && host.network_mode.as_deref() == Some("host") {
        warnings.push("Published ports are discarded when using host network mode".to_owned());
    }
    Ok(warnings)
}

/// Checks the limits, and drops those this kernel does not know, with a
/// warning for each.
pub(crate) fn check_resources(
    host: &mut HostConfig,
    support: &Support,
    update: bool,
) -> Result<Vec<String>> {
    let mut limits = prepare::limits(host)?;
    let warnings = limits.adjust(support, update).map_err(Error::of)?;
    prepare::keep_limits(host, &limits);
    if !update && limits.memory > 0 && limits.memory_swap == 0 {
        // Docker's default: as much swap again as memory.
        host.memory_swap = Some(limits.memory.saturating_mul(2));
    }
    check_realtime(host)?;
    check_others(host)?;
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

fn check_policies(host: &HostConfig) -> Result<()> {
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

/// Real-time scheduling has to be shared out by the host from its root cgroup
/// down; kernels that can are rare, and none of them runs this engine's tests.
fn check_realtime(host: &HostConfig) -> Result<()> {
    let set = |value: Option<i64>| value.unwrap_or(0) != 0;
    let known = std::path::Path::new("/sys/fs/cgroup/cpu/cpu.rt_runtime_us").exists();
    if (set(host.cpu_realtime_period) || set(host.cpu_realtime_runtime)) && !known {
        return Err(Error::invalid(
            "Your kernel does not support CPU real-time scheduler",
        ));
    }
    Ok(())
}

fn check_others(host: &HostConfig) -> Result<()> {
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
        let name = limit.name.as_deref().unwrap_or_default();
        Ulimit::new(name, limit.soft.unwrap_or(0), limit.hard.unwrap_or(0)).map_err(Error::of)?;
    }
    for (name, _) in host.sysctls.iter().flatten() {
        if name.is_empty() {
            return Err(Error::invalid("invalid sysctl: empty name"));
        }
    }
    if let Some(option) = host.storage_opt.iter().flat_map(|o| o.keys()).next() {
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

    #[test]
    fn refusals_read_as_dockers() {
        let check = |host: HostConfig, expected: &str| {
            let mut host = host;
            let support = Support::default();
            let error = validate(&mut ContainerConfig::default(), &mut host, &support);
            assert_eq!(error.unwrap_err().to_string(), expected);
        };
        check(
            HostConfig {
                oom_score_adj: Some(2000),
                ..Default::default()
            },
            "Invalid value 2000, range for oom score adj is [-1000, 1000]",
        );
        check(
            HostConfig {
                ipc_mode: Some("odd".into()),
                ..Default::default()
            },
            "invalid IPC mode: odd",
        );
        check(
            HostConfig {
                auto_remove: Some(true),
                restart_policy: Some(RestartPolicy {
                    name: Some(bollard_stubs::models::RestartPolicyNameEnum::ALWAYS),
                    ..Default::default()
                }),
                ..Default::default()
            },
            "can't create 'AutoRemove' container with restart policy",
        );
    }

    #[test]
    fn swap_defaults_to_twice_the_memory() {
        let support = Support {
            memory_limit: true,
            swap_limit: true,
            ..Support::default()
        };
        let mut host = HostConfig {
            memory: Some(64 << 20),
            ..Default::default()
        };
        validate(&mut ContainerConfig::default(), &mut host, &support).unwrap();
        assert_eq!(host.memory_swap, Some(128 << 20));
    }
}
