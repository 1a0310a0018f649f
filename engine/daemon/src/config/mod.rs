//! From flags and `daemon.json` to one checked [`Config`]. Pure: files are
//! read by the caller, nothing is made or opened here, so that `--validate`
//! and a reload check exactly what a start would use.

mod defaults;
mod host;
mod proxies;
mod settings;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dhow_local::config::{EngineConfig, RegistryOptions};
use serde_json::Value;

pub use defaults::describe;
pub use host::Host;
pub use proxies::place;
pub use settings::{Settings, Ulimit};
pub use values::{LogFormat, LogLevel};

/// Where the configuration file is looked for when no flag says so.
pub const DEFAULT_FILE: &str = "/etc/dhow/daemon.json";

const DEFAULT_HOST: &str = "unix:///run/dhow.sock";
const DEFAULT_BRIDGE: &str = "dhow0";

/// Why flags and file make no configuration. Each is one line and names the
/// flag, key or value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{what}: {reason}")]
    Value { what: String, reason: String },
    #[error("not valid JSON: {0}")]
    Json(String),
    #[error("the following directives don't match any configuration option: {0}")]
    UnknownKeys(String),
    #[error(
        "the following directives are specified both as a flag and in the configuration file: {0}"
    )]
    Conflict(String),
    #[error(
        "host {0}: whoever reaches it would be root on this machine; use --tlsverify, or say that \
         you mean it twice: --allow-insecure-tcp and {INSECURE_TCP_VARIABLE}=1"
    )]
    InsecureTcp(Host),
}

/// The second of the two places where plain remote TCP has to be asked for.
pub const INSECURE_TCP_VARIABLE: &str = "DHOW_ALLOW_INSECURE_TCP";

/// Everything the daemon goes by.
#[derive(Debug, Clone)]
pub struct Config {
    pub hosts: Vec<Host>,
    pub pidfile: PathBuf,
    pub group: String,
    pub tls: Option<Tls>,
    pub log_level: LogLevel,
    pub log_format: LogFormat,
    /// Whether containers outlive the daemon.
    pub live_restore: bool,
    /// How long running requests may take when the daemon is told to go;
    /// `None` is for ever.
    pub shutdown_timeout: Option<Duration>,
    /// What the engine is opened with.
    pub engine: EngineConfig,
    /// What all this was made of, defaults included.
    pub settings: Settings,
}

/// How TCP connections are secured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Clients must show a certificate signed by one of these.
    pub client_authority: Option<PathBuf>,
}

/// What the decision depends on besides flags and file.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Whether [`INSECURE_TCP_VARIABLE`] is set to `1`.
    pub insecure_tcp: bool,
    /// The shim's executable if no setting names one.
    pub shim: PathBuf,
}

/// Reads the text of a `daemon.json`.
pub fn parse_file(text: &str) -> Result<Settings, Error> {
    if text.trim().is_empty() {
        return Ok(Settings::default());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Settings::from_object(object),
        Ok(_) => Err(Error::Json("it must be an object".to_owned())),
        Err(error) => Err(Error::Json(error.to_string())),
    }
}

/// Lays flags over the file, which must not speak of the same things.
pub fn merge(flags: Settings, file: Settings) -> Result<Settings, Error> {
    let conflicts = flags.conflicts(&file);
    if conflicts.is_empty() {
        Ok(flags.or(file))
    } else {
        Err(Error::Conflict(conflicts.join(", ")))
    }
}

impl Config {
    /// Fills in the defaults and checks the whole.
    pub fn new(settings: Settings, around: &Surroundings) -> Result<Self, Error> {
        fixed(&settings)?;
        let settings = defaults::fill(settings, around);
        let tls = tls(&settings);
        let debug = settings.debug.unwrap_or_default();
        let level = values::log_level(text(&settings.log_level))?;
        Ok(Self {
            hosts: hosts(&settings, tls.as_ref(), around)?,
            pidfile: absolute("pidfile", text(&settings.pidfile))?,
            group: text(&settings.group).to_owned(),
            tls,
            log_level: if debug { LogLevel::Debug } else { level },
            log_format: values::log_format(text(&settings.log_format))?,
            live_restore: settings.live_restore.unwrap_or_default(),
            shutdown_timeout: values::shutdown_timeout(
                settings.shutdown_timeout.unwrap_or_default(),
            ),
            engine: engine(&settings)?,
            settings,
        })
    }

    /// This configuration with the reloadable part of `new`, and the keys that
    /// differ but take a restart.
    pub fn reloaded(
        &self,
        new: Self,
        around: &Surroundings,
    ) -> Result<(Self, Vec<&'static str>), Error> {
        let mut waiting = self.settings.changed(&new.settings);
        waiting.retain(|key| !defaults::LIVE.contains(key));
        let settings = self.settings.clone().with(new.settings, &defaults::LIVE);
        Ok((Self::new(settings, around)?, waiting))
    }
}

/// What the defaults leave no gap in.
fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}

fn list(value: &Option<Vec<String>>) -> &[String] {
    value.as_deref().unwrap_or_default()
}

fn engine(settings: &Settings) -> Result<EngineConfig, Error> {
    let bridge = text(&settings.bridge);
    values::bridge(bridge)?;
    let nft_table = text(&settings.nft_table);
    values::nft_table(nft_table)?;
    if let Some(bip) = &settings.bip {
        values::bip(bip)?;
    }
    let mtu = settings.mtu.unwrap_or_default();
    if !(68..=65535).contains(&mtu) {
        return Err(values::wrong(
            "mtu",
            format!("{mtu} is not between 68 and 65535"),
        ));
    }
    let log_driver = text(&settings.log_driver);
    let log_options = settings.log_opts.clone().unwrap_or_default();
    values::log_driver(log_driver, &log_options)?;
    let labels = list(&settings.labels);
    labels.iter().try_for_each(|label| values::label(label))?;
    let dns = list(&settings.dns).iter();
    let ulimits = settings.default_ulimits.clone().unwrap_or_default();
    Ok(EngineConfig {
        data_root: absolute("data-root", text(&settings.data_root))?,
        exec_root: absolute("exec-root", text(&settings.exec_root))?,
        shim: absolute("shim-path", text(&settings.shim_path))?,
        bridge: bridge.to_owned(),
        bip: settings.bip.clone(),
        mtu,
        publish_address: values::address("ip", text(&settings.ip))?,
        nft_table: nft_table.to_owned(),
        cgroup_parent: cgroup_parent(text(&settings.cgroup_parent))?,
        dns: dns
            .map(|text| values::address("dns", text))
            .collect::<Result<_, _>>()?,
        dns_options: list(&settings.dns_opts).to_vec(),
        dns_search: list(&settings.dns_search).to_vec(),
        log_driver: log_driver.to_owned(),
        log_options,
        shm_size: values::shm_size(text(&settings.default_shm_size))?,
        ulimits: values::ulimits(&ulimits)?,
        init: settings.init.unwrap_or_default(),
        labels: labels.to_vec(),
        registries: registries(settings)?,
        debug: settings.debug.unwrap_or_default(),
    })
}

fn registries(settings: &Settings) -> Result<RegistryOptions, Error> {
    let mut mirrors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in list(&settings.registry_mirrors) {
        let (registry, url) = values::mirror(text)?;
        mirrors.entry(registry).or_default().push(url);
    }
    let count = |what: &str, value: Option<usize>| match value.unwrap_or_default() {
        0 => Err(values::wrong(what, "must be more than zero")),
        number => Ok(number),
    };
    let insecure = list(&settings.insecure_registries).iter();
    Ok(RegistryOptions {
        mirrors,
        insecure: insecure
            .map(|text| values::insecure_registry(text))
            .collect::<Result<_, _>>()?,
        certs_dir: Some(PathBuf::from("/etc/dhow/certs.d")),
        max_concurrent_downloads: count(
            "max-concurrent-downloads",
            settings.max_concurrent_downloads,
        )?,
        max_concurrent_uploads: count("max-concurrent-uploads", settings.max_concurrent_uploads)?,
        max_download_attempts: count("max-download-attempts", settings.max_download_attempts)?,
        proxies: proxies::proxies(settings)?,
    })
}

fn hosts(
    settings: &Settings,
    tls: Option<&Tls>,
    around: &Surroundings,
) -> Result<Vec<Host>, Error> {
    let mut hosts = Vec::new();
    for text in list(&settings.hosts) {
        let host = Host::parse(text, tls.is_some())?;
        if hosts.contains(&host) {
            return Err(values::wrong(
                &format!("host {host}"),
                "is given more than once",
            ));
        }
        hosts.push(host);
    }
    let verified = tls.is_some_and(|tls| tls.client_authority.is_some());
    let told_twice = settings.allow_insecure_tcp == Some(true) && around.insecure_tcp;
    if !verified
        && !told_twice
        && let Some(host) = hosts.iter().find(|host| host.is_remote())
    {
        return Err(Error::InsecureTcp(host.clone()));
    }
    Ok(hosts)
}

/// TLS is on when anything about it is said, as in dockerd.
fn tls(settings: &Settings) -> Option<Tls> {
    let verify = settings.tlsverify.unwrap_or(false);
    if !settings.tls.unwrap_or(false) && !verify {
        return None;
    }
    Some(Tls {
        certificate: PathBuf::from(text(&settings.tlscert)),
        key: PathBuf::from(text(&settings.tlskey)),
        client_authority: verify.then(|| PathBuf::from(text(&settings.tlscacert))),
    })
}

/// dockerd's settings for things that are always one way here: that way may
/// be said, another is refused rather than ignored.
fn fixed(settings: &Settings) -> Result<(), Error> {
    let switches = [
        ("selinux-enabled", settings.selinux_enabled, false),
        ("experimental", settings.experimental, false),
        ("iptables", settings.iptables, true),
        ("ip6tables", settings.ip6tables, true),
        ("ip-forward", settings.ip_forward, true),
        ("ip-masq", settings.ip_masq, true),
        ("icc", settings.icc, true),
        ("userland-proxy", settings.userland_proxy, true),
        ("ipv6", settings.ipv6, false),
    ];
    for (key, value, only) in switches {
        if value.is_some_and(|value| value != only) {
            return Err(values::wrong(key, format!("this engine knows only {only}")));
        }
    }
    let names = [
        (
            "storage-driver",
            &settings.storage_driver,
            ["overlay2", "overlayfs"],
        ),
        (
            "default-runtime",
            &settings.default_runtime,
            ["runc", "io.containerd.runc.v2"],
        ),
    ];
    for (key, value, only) in names {
        if let Some(value) = value
            && !only.contains(&value.as_str())
        {
            return Err(values::wrong(
                key,
                format!("this engine knows only {}, not {value}", only[0]),
            ));
        }
    }
    Ok(())
}

/// `dhow` for the usual bridge, a name of its own for every other.
fn default_table(bridge: &str) -> String {
    if bridge == DEFAULT_BRIDGE {
        return "dhow".to_owned();
    }
    let name: String = bridge
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') {
                c
            } else {
                '_'
            }
        })
        .collect();
    format!("dhow-{name}")
}

fn absolute(what: &str, path: &str) -> Result<PathBuf, Error> {
    if Path::new(path).is_absolute() {
        Ok(PathBuf::from(path))
    } else {
        Err(values::wrong(
            what,
            format!("{path} is not an absolute path"),
        ))
    }
}

fn cgroup_parent(path: &str) -> Result<String, Error> {
    let inside = path.split('/').all(|part| !matches!(part, "." | ".."));
    let trimmed = path.trim_end_matches('/');
    if inside && !trimmed.is_empty() {
        let rooted = if trimmed.starts_with('/') {
            trimmed.to_owned()
        } else {
            format!("/{trimmed}")
        };
        Ok(rooted)
    } else {
        Err(values::wrong(
            "cgroup-parent",
            format!("{path} is not a cgroup path"),
        ))
    }
}

/// A list of `key=value` flags as the map that the file has.
pub fn options_map(what: &str, pairs: &[String]) -> Result<BTreeMap<String, String>, Error> {
    pairs
        .iter()
        .map(|pair| values::key_value(what, pair))
        .collect()
}

/// A list of `name=soft:hard` flags as the map that the file has.
pub fn ulimits_map(pairs: &[String]) -> Result<BTreeMap<String, Ulimit>, Error> {
    pairs.iter().map(|pair| values::ulimit(pair)).collect()
}

#[cfg(test)]
mod tests;
