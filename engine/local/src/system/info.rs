//! `GET /info`.

use std::collections::HashMap;

use bollard_stubs::models::*;

use crate::config::ProxyAddress;
use crate::containers::Status;
use crate::{LocalEngine, Result, clock};

/// Where a login without a server goes.
const INDEX_SERVER: &str = "https://index.docker.io/v1/";

impl LocalEngine {
    /// The engine and its machine.
    pub async fn info(&self) -> Result<SystemInfo> {
        let config = self.config();
        let host = &self.shared.host;
        let count = |test: fn(Status) -> bool| {
            let all = self.shared.containers.all();
            all.iter().filter(|c| test(c.status())).count() as i64
        };
        let strings = |list: &[&str]| Some(list.iter().map(|s| s.to_string()).collect());
        let mut security = Vec::new();
        if host.has_app_armor {
            security.push("name=apparmor".to_owned());
        }
        if host.has_seccomp {
            security.push("name=seccomp,profile=builtin".to_owned());
        }
        security.push("name=cgroupns".to_owned());
        let proxies = &config.registries.proxies;
        let address = |configured: &Option<ProxyAddress>, variable| {
            let inherited = || environment(variable).map(ProxyAddress::new);
            let address = configured.clone().or_else(inherited);
            Some(
                address
                    .map(|address| address.to_string())
                    .unwrap_or_default(),
            )
        };
        let exceptions = proxies.no_proxy.clone();
        let mut warnings = host.warnings();
        warnings.extend(self.network_warnings());
        Ok(SystemInfo {
            id: Some(self.shared.id.clone()),
            containers: Some(count(|_| true)),
            containers_running: Some(count(|s| matches!(s, Status::Running | Status::Restarting))),
            containers_paused: Some(count(|s| s == Status::Paused)),
            containers_stopped: Some(count(|s| !s.counts_as_running())),
            images: Some(self.image_count()),
            driver: Some("overlay2".to_owned()),
            driver_status: Some(vec![
                vec![
                    "Backing Filesystem".to_owned(),
                    self.shared.file_system.clone(),
                ],
                vec!["Supports d_type".to_owned(), "true".to_owned()],
                vec!["Native Overlay Diff".to_owned(), "true".to_owned()],
            ]),
            docker_root_dir: Some(config.data_root.display().to_string()),
            plugins: Some(PluginsInfo {
                volume: strings(&["local"]),
                network: strings(&["bridge", "host", "null"]),
                authorization: None,
                log: strings(&["json-file", "local", "none"]),
            }),
            memory_limit: Some(host.support.memory_limit),
            swap_limit: Some(host.support.swap_limit),
            cpu_cfs_period: Some(host.support.cpu_cfs),
            cpu_cfs_quota: Some(host.support.cpu_cfs),
            cpu_shares: Some(host.support.cpu_cfs),
            cpu_set: Some(host.support.cpuset),
            pids_limit: Some(host.support.pids_limit),
            oom_kill_disable: Some(host.support.oom_kill_disable),
            ipv4_forwarding: Some(
                std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward")
                    .is_ok_and(|s| s.trim() == "1"),
            ),
            debug: Some(config.debug),
            nfd: Some(std::fs::read_dir("/proc/self/fd").map_or(0, |d| d.count() as i64)),
            n_goroutines: Some(
                std::fs::read_dir("/proc/self/task").map_or(0, |d| d.count() as i64),
            ),
            system_time: Some(clock::rfc3339(clock::now())),
            logging_driver: Some(config.log_driver.clone()),
            cgroup_driver: Some(SystemInfoCgroupDriverEnum::CGROUPFS),
            cgroup_version: host.cgroup_version.to_string().parse().ok(),
            n_events_listener: Some(self.shared.events.listeners() as i64),
            kernel_version: Some(host.kernel.clone()),
            operating_system: Some(host.operating_system.clone()),
            os_version: Some(host.os_version.clone()),
            os_type: Some("linux".to_owned()),
            architecture: Some(host.architecture.clone()),
            ncpu: Some(host.cpus as i64),
            mem_total: Some(host.memory),
            index_server_address: Some(INDEX_SERVER.to_owned()),
            registry_config: Some(registry_config(&config.registries)),
            http_proxy: address(&proxies.http, "HTTP_PROXY"),
            https_proxy: address(&proxies.https, "HTTPS_PROXY"),
            no_proxy: exceptions
                .or_else(|| environment("NO_PROXY"))
                .or_else(|| Some(String::new())),
            name: Some(host.name.clone()),
            labels: Some(config.labels.clone()),
            experimental_build: Some(false),
            server_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            runtimes: Some(HashMap::from([(
                "dhow".to_owned(),
                Runtime {
                    path: Some(config.shim.display().to_string()),
                    ..Default::default()
                },
            )])),
            default_runtime: Some("dhow".to_owned()),
            swarm: Some(SwarmInfo {
                local_node_state: Some(LocalNodeState::INACTIVE),
                node_id: Some(String::new()),
                node_addr: Some(String::new()),
                control_available: Some(false),
                error: Some(String::new()),
                ..Default::default()
            }),
            live_restore_enabled: Some(true),
            isolation: Some(SystemInfoIsolationEnum::EMPTY),
            init_binary: Some("docker-init".to_owned()),
            containerd_commit: Some(Commit {
                id: Some(String::new()),
            }),
            runc_commit: Some(Commit {
                id: Some(String::new()),
            }),
            init_commit: Some(Commit {
                id: Some(String::new()),
            }),
            security_options: Some(security),
            firewall_backend: Some(FirewallInfo {
                driver: Some("nftables".to_owned()),
                info: None,
            }),
            warnings: Some(warnings),
            cdi_spec_dirs: Some(Vec::new()),
            ..Default::default()
        })
    }
}

/// What the variable, in capitals or not, says.
fn environment(variable: &str) -> Option<String> {
    let names = [variable.to_owned(), variable.to_lowercase()];
    let mut values = names.iter().filter_map(|name| std::env::var(name).ok());
    values.find(|value| !value.is_empty())
}

fn registry_config(options: &crate::config::RegistryOptions) -> RegistryServiceConfig {
    // Docker ends every mirror with a slash.
    let mirrors = |registry: &str| -> Vec<String> {
        let mirrors = options.mirrors.get(registry).into_iter().flatten();
        mirrors
            .map(|mirror| format!("{}/", mirror.trim_end_matches('/')))
            .collect()
    };
    let hub_mirrors = mirrors("docker.io");
    let mut cidrs = vec!["::1/128".to_owned(), "127.0.0.0/8".to_owned()];
    let mut indexes = HashMap::from([(
        "docker.io".to_owned(),
        IndexInfo {
            name: Some("docker.io".to_owned()),
            mirrors: Some(hub_mirrors.clone()),
            secure: Some(true),
            official: Some(true),
        },
    )]);
    for registry in &options.insecure {
        if registry.contains('/') {
            cidrs.push(registry.clone());
        } else {
            indexes.insert(
                registry.clone(),
                IndexInfo {
                    name: Some(registry.clone()),
                    mirrors: Some(mirrors(registry)),
                    secure: Some(false),
                    official: Some(false),
                },
            );
        }
    }
    RegistryServiceConfig {
        insecure_registry_cidrs: Some(cidrs),
        index_configs: Some(indexes),
        mirrors: Some(hub_mirrors),
    }
}
