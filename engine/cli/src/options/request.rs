//! Makes the body of a create request of the flags.

use dhow_client::config::Proxy;
use serde_json::{Map, Value, json};

use super::create::CreateFlags;
use super::mount::Volume;
use super::network::{self, Attachment};
use super::{device, env, limits, mount, port, words};
use crate::failure::{Failure, path_error};

/// What the flags amount to.
#[derive(Debug)]
pub struct Plan {
    /// The body of `POST /containers/create`.
    pub body: Value,
    /// Whether output is raw rather than multiplexed.
    pub tty: bool,
    /// Which streams the command line attaches to.
    pub attach: Attach,
}

/// Standard streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attach {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
}

/// How the container is going to be used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Use {
    /// Nobody attaches.
    pub detached: bool,
    /// Rows and columns of the terminal at this end.
    pub console_size: Option<(u16, u16)>,
}

/// Turns flags into a request.
pub fn plan(
    flags: &CreateFlags,
    image: &str,
    arguments: &[String],
    proxy: Option<&Proxy>,
    usage: Use,
) -> Result<Plan, Failure> {
    let attach = attach(flags, usage);
    let ports = port::parse(&flags.publish, &flags.expose).map_err(Failure::message)?;
    let mut volumes = Map::new();
    let mut binds = Vec::new();
    let cwd = std::env::current_dir().unwrap_or_default();
    for text in &flags.volume {
        match mount::volume(text, &cwd.to_string_lossy()).map_err(Failure::message)? {
            Volume::Bind(bind) => binds.push(bind),
            Volume::Anonymous(path) => {
                volumes.insert(path, json!({}));
            }
        }
    }
    let environment = with_proxy(env::variables(&flags.env_file, &flags.env)?, proxy);
    let labels = env::labels(&flags.label_file, &flags.label)?;

    let mut body = Fields::default();
    body.text("Hostname", &flags.hostname);
    body.text("Domainname", &flags.domainname);
    body.text("User", &flags.user);
    body.flag("AttachStdin", attach.stdin);
    body.flag("AttachStdout", attach.stdout);
    body.flag("AttachStderr", attach.stderr);
    body.flag("Tty", flags.tty);
    body.flag("OpenStdin", flags.interactive);
    body.flag("StdinOnce", flags.interactive && attach.stdin);
    body.map("ExposedPorts", ports.exposed);
    body.list("Env", &environment);
    body.list("Cmd", arguments);
    body.set("Image", image);
    body.map("Volumes", volumes);
    body.text("WorkingDir", &flags.workdir);
    if let Some(entrypoint) = &flags.entrypoint {
        body.set("Entrypoint", json!([entrypoint]));
    }
    body.map("Labels", words::to_map(&labels));
    body.text("StopSignal", &flags.stop_signal);
    body.option("StopTimeout", flags.stop_timeout);
    if let Some(check) = health(flags)? {
        body.set("Healthcheck", check);
    }
    let networks = networks(flags)?;
    body.text("MacAddress", &flags.mac_address);
    let mut host = host_config(flags, binds, usage)?;
    host.map("PortBindings", ports.bindings);
    let mode = networks.first().map_or("default", |n| n.name.as_str());
    host.set("NetworkMode", mode);
    let endpoints: Map<String, Value> = networks
        .iter()
        .filter_map(|network| {
            let settings = network.settings();
            // A network of a person's own is named even if nothing is said
            // of it, so that several can be joined at once.
            let named = !network.is_built_in() && networks.len() > 1;
            let settings = settings.or_else(|| named.then(|| json!({})))?;
            Some((network.name.clone(), settings))
        })
        .collect();
    body.set("HostConfig", host.0);
    if !endpoints.is_empty() {
        body.set("NetworkingConfig", json!({"EndpointsConfig": endpoints}));
    }
    Ok(Plan {
        body: body.0.into(),
        tty: flags.tty,
        attach,
    })
}

fn host_config(flags: &CreateFlags, binds: Vec<String>, usage: Use) -> Result<Fields, Failure> {
    let refuse = |text: String| Err(Failure::message(text));
    let mode_is = |mode: &str, known: &[&str]| mode.is_empty() || known.contains(&mode);
    let joins = |mode: &str| {
        mode.strip_prefix("container:")
            .is_some_and(|c| !c.is_empty())
    };
    if !mode_is(&flags.pid, &["host"]) && !joins(&flags.pid) {
        return refuse("--pid: invalid PID mode".to_owned());
    }
    if !mode_is(&flags.uts, &["host"]) {
        return refuse("--uts: invalid UTS mode".to_owned());
    }
    if !mode_is(&flags.userns, &["host"]) {
        return refuse("--userns: invalid USER mode".to_owned());
    }
    if !mode_is(&flags.cgroupns, &["host", "private"]) {
        return refuse("--cgroupns: invalid CGROUP mode".to_owned());
    }
    if let Some(swappiness) = flags.memory_swappiness
        && !(-1..=100).contains(&swappiness)
    {
        return refuse(format!(
            "invalid value: {swappiness}. Valid memory swappiness range is 0-100"
        ));
    }
    let restart = limits::restart_policy(&flags.restart).map_err(Failure::message)?;
    let never = matches!(restart["Name"].as_str(), Some("no" | "") | None);
    if flags.rm && !never {
        return refuse("conflicting options: cannot specify both --restart and --rm".to_owned());
    }
    if flags.log_driver == "none" && !flags.log_opt.is_empty() {
        return refuse("invalid logging opts for driver none".to_owned());
    }
    if flags.storage_opt.iter().any(|option| !option.contains('=')) {
        return refuse("invalid storage option".to_owned());
    }

    let mut host = Fields::default();
    host.list("Binds", &binds);
    host.text("ContainerIDFile", &flags.cidfile);
    if !flags.log_driver.is_empty() || !flags.log_opt.is_empty() {
        let log = json!({"Type": flags.log_driver, "Config": words::to_map(&flags.log_opt)});
        host.set("LogConfig", log);
    }
    host.set("RestartPolicy", restart);
    host.flag("AutoRemove", flags.rm);
    host.text("VolumeDriver", &flags.volume_driver);
    host.list("VolumesFrom", &flags.volumes_from);
    host.list("Mounts", &flags.mount);
    host.map("Annotations", words::to_map(&flags.annotation));
    host.list("CapAdd", &flags.cap_add);
    host.list("CapDrop", &flags.cap_drop);
    host.text("CgroupnsMode", &flags.cgroupns);
    host.list("Dns", &flags.dns);
    host.list("DnsOptions", &flags.dns_option);
    host.list("DnsSearch", &flags.dns_search);
    host.list("ExtraHosts", &flags.add_host);
    host.list("GroupAdd", &flags.group_add);
    host.text("IpcMode", &flags.ipc);
    host.list("Links", &flags.link);
    host.option("OomScoreAdj", flags.oom_score_adj);
    host.text("PidMode", &flags.pid);
    host.flag("Privileged", flags.privileged);
    host.flag("PublishAllPorts", flags.publish_all);
    host.flag("ReadonlyRootfs", flags.read_only);
    security(flags, &mut host)?;
    host.map("StorageOpt", words::to_map(&flags.storage_opt));
    let tmpfs = flags.tmpfs.iter().map(|text| mount::tmpfs(text));
    host.map(
        "Tmpfs",
        tmpfs
            .map(|(path, options)| (path, options.into()))
            .collect(),
    );
    host.text("UTSMode", &flags.uts);
    host.text("UsernsMode", &flags.userns);
    host.option("ShmSize", flags.shm_size);
    host.map("Sysctls", words::to_map(&flags.sysctl));
    host.text("Runtime", &flags.runtime);
    host.text("Isolation", &flags.isolation);
    host.option("Init", flags.init);
    if let Some((rows, columns)) = usage.console_size.filter(|_| flags.tty) {
        host.set("ConsoleSize", json!([rows, columns]));
    }
    resources(flags, &mut host)?;
    Ok(host)
}

fn resources(flags: &CreateFlags, host: &mut Fields) -> Result<(), Failure> {
    host.text("CgroupParent", &flags.cgroup_parent);
    host.option("BlkioWeight", flags.blkio_weight);
    host.list("BlkioWeightDevice", &flags.blkio_weight_device);
    host.list("BlkioDeviceReadBps", &flags.device_read_bps);
    host.list("BlkioDeviceWriteBps", &flags.device_write_bps);
    host.list("BlkioDeviceReadIOps", &flags.device_read_iops);
    host.list("BlkioDeviceWriteIOps", &flags.device_write_iops);
    host.option("CpuPeriod", flags.cpu_period);
    host.option("CpuQuota", flags.cpu_quota);
    host.option("CpuRealtimePeriod", flags.cpu_rt_period);
    host.option("CpuRealtimeRuntime", flags.cpu_rt_runtime);
    host.option("CpuShares", flags.cpu_shares);
    host.option("NanoCpus", flags.cpus);
    host.text("CpusetCpus", &flags.cpuset_cpus);
    host.text("CpusetMems", &flags.cpuset_mems);
    let (cdi, plain): (Vec<_>, Vec<_>) = flags.device.iter().partition(|d| device::is_cdi(d));
    let devices: Result<Vec<Value>, String> = plain
        .into_iter()
        .map(|text| device::mapping(text))
        .collect();
    host.list("Devices", &devices.map_err(Failure::message)?);
    host.list("DeviceCgroupRules", &flags.device_cgroup_rule);
    let mut requests = flags.gpus.clone();
    if !cdi.is_empty() {
        requests.push(json!({"Driver": "cdi", "DeviceIDs": cdi}));
    }
    host.list("DeviceRequests", &requests);
    host.option("KernelMemory", flags.kernel_memory);
    host.option("Memory", flags.memory);
    host.option("MemoryReservation", flags.memory_reservation);
    host.option("MemorySwap", flags.memory_swap);
    host.option(
        "MemorySwappiness",
        flags.memory_swappiness.filter(|s| *s >= 0),
    );
    host.option("OomKillDisable", flags.oom_kill_disable);
    host.option("PidsLimit", flags.pids_limit);
    let ulimits: Vec<Value> = flags.ulimit.iter().map(limits::Ulimit::to_json).collect();
    host.list("Ulimits", &ulimits);
    Ok(())
}

/// `--security-opt`: a seccomp profile's content is sent, because the engine
/// may be on another machine.
fn security(flags: &CreateFlags, host: &mut Fields) -> Result<(), Failure> {
    let mut options = Vec::new();
    for option in &flags.security_opt {
        if option == "systempaths=unconfined" {
            host.set("MaskedPaths", json!([]));
            host.set("ReadonlyPaths", json!([]));
            continue;
        }
        let (name, value) = option
            .split_once('=')
            .or_else(|| option.split_once(':'))
            .unwrap_or((option, ""));
        if value.is_empty() && name != "no-new-privileges" {
            return Err(Failure::message(format!(
                "Invalid --security-opt: {option:?}"
            )));
        }
        if name == "seccomp" && !matches!(value, "builtin" | "unconfined") {
            options.push(format!("seccomp={}", seccomp(value)?));
        } else {
            options.push(option.clone());
        }
    }
    host.list("SecurityOpt", &options);
    Ok(())
}

fn seccomp(path: &str) -> Result<String, Failure> {
    let text = std::fs::read(path).map_err(|error| {
        let reason = path_error("open", path, &error);
        Failure::message(format!("opening seccomp profile ({path}) failed: {reason}"))
    })?;
    let profile: Value = serde_json::from_slice(&text).map_err(|error| {
        Failure::message(format!(
            "compacting json for seccomp profile ({path}) failed: {error}"
        ))
    })?;
    Ok(profile.to_string())
}

fn attach(flags: &CreateFlags, usage: Use) -> Attach {
    if usage.detached {
        return Attach::default();
    }
    let asked = |name: &str| flags.attach.iter().any(|stream| stream == name);
    let none = flags.attach.is_empty();
    Attach {
        stdin: asked("stdin") || flags.interactive,
        stdout: none || asked("stdout"),
        stderr: none || asked("stderr"),
    }
}

fn health(flags: &CreateFlags) -> Result<Option<Value>, Failure> {
    let durations = [
        ("interval", "Interval", flags.health_interval),
        ("timeout", "Timeout", flags.health_timeout),
        ("start-period", "StartPeriod", flags.health_start_period),
        (
            "start-interval",
            "StartInterval",
            flags.health_start_interval,
        ),
    ];
    let any = !flags.health_cmd.is_empty()
        || flags.health_retries.is_some()
        || durations.iter().any(|(_, _, value)| value.is_some());
    if flags.no_healthcheck {
        if any {
            return Err(Failure::message(
                "--no-healthcheck conflicts with --health-* options",
            ));
        }
        return Ok(Some(json!({"Test": ["NONE"]})));
    }
    if !any {
        return Ok(None);
    }
    let mut check = Fields::default();
    if !flags.health_cmd.is_empty() {
        check.set("Test", json!(["CMD-SHELL", flags.health_cmd]));
    }
    for (flag, key, value) in durations {
        if value.is_some_and(|nanos| nanos < 0) {
            return Err(Failure::message(format!(
                "--health-{flag} cannot be negative"
            )));
        }
        check.option(key, value);
    }
    if flags.health_retries.is_some_and(|retries| retries < 0) {
        return Err(Failure::message("--health-retries cannot be negative"));
    }
    check.option("Retries", flags.health_retries);
    Ok(Some(check.0.into()))
}

/// Every network; flags about addresses and aliases mean the first.
fn networks(flags: &CreateFlags) -> Result<Vec<Attachment>, Failure> {
    let mut networks = flags.network.clone();
    let extra = !flags.network_alias.is_empty()
        || !flags.ip.is_empty()
        || !flags.ip6.is_empty()
        || !flags.link_local_ip.is_empty();
    if networks.is_empty() && extra {
        networks.push(Attachment {
            name: "default".to_owned(),
            ..Attachment::default()
        });
    }
    if networks.iter().any(|network| network.name.is_empty()) {
        return Err(Failure::message("no name set for network"));
    }
    if !flags.mac_address.is_empty() {
        network::mac(&flags.mac_address).map_err(Failure::message)?;
    }
    if let Some(first) = networks.first_mut() {
        first.aliases.extend(flags.network_alias.iter().cloned());
        first
            .link_local_ips
            .extend(flags.link_local_ip.iter().cloned());
        for (flag, text, field) in [
            ("--ip", &flags.ip, &mut first.ip),
            ("--ip6", &flags.ip6, &mut first.ip6),
        ] {
            if text.is_empty() {
                continue;
            }
            if !field.is_empty() {
                return Err(Failure::message(format!(
                    "conflicting options: cannot specify both {flag} and per-network IP address"
                )));
            }
            field.clone_from(text);
        }
        if !flags.mac_address.is_empty() && first.mac_address.is_empty() {
            first.mac_address.clone_from(&flags.mac_address);
        }
    }
    Ok(networks)
}

/// Proxies of the client's configuration, unless the person set them.
fn with_proxy(mut environment: Vec<String>, proxy: Option<&Proxy>) -> Vec<String> {
    let Some(proxy) = proxy else {
        return environment;
    };
    let variables = [
        ("HTTP_PROXY", &proxy.http_proxy),
        ("HTTPS_PROXY", &proxy.https_proxy),
        ("FTP_PROXY", &proxy.ftp_proxy),
        ("NO_PROXY", &proxy.no_proxy),
        ("ALL_PROXY", &proxy.all_proxy),
    ];
    let asked: Vec<String> = environment
        .iter()
        .map(|text| text.split('=').next().unwrap_or_default().to_owned())
        .collect();
    for (name, value) in variables {
        for name in [name.to_owned(), name.to_lowercase()] {
            if !value.is_empty() && !asked.contains(&name) {
                environment.push(format!("{name}={value}"));
            }
        }
    }
    environment
}

/// A JSON object into which only what was said is put.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.set(key, text);
        }
    }

    fn flag(&mut self, key: &str, on: bool) {
        if on {
            self.set(key, true);
        }
    }

    fn option(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    fn list<T: Clone + Into<Value>>(&mut self, key: &str, items: &[T]) {
        if !items.is_empty() {
            self.set(
                key,
                Value::Array(items.iter().cloned().map(Into::into).collect()),
            );
        }
    }

    fn map(&mut self, key: &str, map: Map<String, Value>) {
        if !map.is_empty() {
            self.set(key, map);
        }
    }
}

#[cfg(test)]
mod tests;
