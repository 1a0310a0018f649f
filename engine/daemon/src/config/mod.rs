//! From flags and `daemon.json` to one checked [`Config`]. Pure: files are
//! read by the caller, nothing is made or opened here, so that `--validate`
//! and a reload check exactly what a start would use.

mod host;
mod proxies;
mod settings;
mod values;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dhow_local::config::{EngineConfig, RegistryOptions};
use serde_json::Value;

pub use host::Host;
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
    /// Checks `settings` and fills in the defaults.
    pub fn new(settings: Settings, around: &Surroundings) -> Result<Self, Error> {
        fixed(&settings)?;
        let tls = tls(&settings);
        let hosts = hosts(&settings, tls.as_ref(), around)?;
        let debug = settings.debug.unwrap_or(false);
        let log_level = match &settings.log_level {
            _ if debug => LogLevel::Debug,
            Some(text) => values::log_level(text)?,
            None => LogLevel::Info,
        };
        let engine = engine(&settings, around)?;
        Ok(Self {
            hosts,
            pidfile: match &settings.pidfile {
                Some(path) => absolute("pidfile", path)?,
                None => engine.exec_root.join("dhowd.pid"),
            },
            group: settings.group.unwrap_or_else(|| "dhow".to_owned()),
            tls,
            log_level,
            log_format: match &settings.log_format {
                Some(text) => values::log_format(text)?,
                None => LogFormat::Text,
            },
            live_restore: settings.live_restore.unwrap_or(true),
            shutdown_timeout: values::shutdown_timeout(settings.shutdown_timeout.unwrap_or(15)),
            engine,
        })
    }

    /// This configuration with the reloadable part of `new`, and the names of
    /// the settings that differ but need a restart.
    pub fn reloaded(&self, new: Self) -> (Self, Vec<&'static str>) {
        let (old_engine, new_engine) = (&self.engine, &new.engine);
        let fixed = [
            ("hosts", self.hosts != new.hosts),
            ("pidfile", self.pidfile != new.pidfile),
            ("group", self.group != new.group),
            ("tls", self.tls != new.tls),
            ("log-format", self.log_format != new.log_format),
            ("data-root", old_engine.data_root != new_engine.data_root),
            ("exec-root", old_engine.exec_root != new_engine.exec_root),
            ("shim-path", old_engine.shim != new_engine.shim),
            ("bridge", old_engine.bridge != new_engine.bridge),
            ("bip", old_engine.bip != new_engine.bip),
            ("mtu", old_engine.mtu != new_engine.mtu),
            (
                "ip",
                old_engine.publish_address != new_engine.publish_address,
            ),
            ("nft-table", old_engine.nft_table != new_engine.nft_table),
            (
                "cgroup-parent",
                old_engine.cgroup_parent != new_engine.cgroup_parent,
            ),
            ("dns", old_engine.dns != new_engine.dns),
            ("dns-opts", old_engine.dns_options != new_engine.dns_options),
            ("dns-search", old_engine.dns_search != new_engine.dns_search),
            ("log-driver", old_engine.log_driver != new_engine.log_driver),
            ("log-opts", old_engine.log_options != new_engine.log_options),
            (
                "default-shm-size",
                old_engine.shm_size != new_engine.shm_size,
            ),
            ("default-ulimits", old_engine.ulimits != new_engine.ulimits),
            ("init", old_engine.init != new_engine.init),
            // Not reloaded by dockerd either.
            (
                "proxies",
                old_engine.registries.proxies != new_engine.registries.proxies,
            ),
        ];
        let ignored = fixed
            .iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| *name)
            .collect();
        let merged = Self {
            log_level: new.log_level,
            live_restore: new.live_restore,
            shutdown_timeout: new.shutdown_timeout,
            engine: EngineConfig {
                labels: new.engine.labels,
                registries: RegistryOptions {
                    proxies: self.engine.registries.proxies.clone(),
                    ..new.engine.registries
                },
                debug: new.engine.debug,
                ..self.engine.clone()
            },
            ..self.clone()
        };
        (merged, ignored)
    }
}

fn engine(settings: &Settings, around: &Surroundings) -> Result<EngineConfig, Error> {
    let text =
        |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    let bridge = text(&settings.bridge, DEFAULT_BRIDGE);
    values::bridge(&bridge)?;
    let nft_table = match &settings.nft_table {
        Some(name) => name.clone(),
        None => default_table(&bridge),
    };
    values::nft_table(&nft_table)?;
    if let Some(bip) = &settings.bip {
        values::bip(bip)?;
    }
    let mtu = settings.mtu.unwrap_or(1500);
    if !(68..=65535).contains(&mtu) {
        return Err(values::wrong(
            "mtu",
            format!("{mtu} is not between 68 and 65535"),
        ));
    }
    let log_driver = text(&settings.log_driver, "json-file");
    let log_options = settings.log_opts.clone().unwrap_or_default();
    values::log_driver(&log_driver, &log_options)?;
    let labels = settings.labels.clone().unwrap_or_default();
    labels.iter().try_for_each(|label| values::label(label))?;
    let dns = settings.dns.iter().flatten();
    Ok(EngineConfig {
        data_root: absolute("data-root", &text(&settings.data_root, "/var/lib/dhow"))?,
        exec_root: absolute("exec-root", &text(&settings.exec_root, "/run/dhow"))?,
        shim: match &settings.shim_path {
            Some(path) => absolute("shim-path", path)?,
            None => around.shim.clone(),
        },
        bridge,
        bip: settings.bip.clone(),
        mtu,
        publish_address: match &settings.ip {
            Some(text) => values::address("ip", text)?,
            None => IpAddr::from([0, 0, 0, 0]),
        },
        nft_table,
        cgroup_parent: cgroup_parent(&text(&settings.cgroup_parent, "/dhow"))?,
        dns: dns
            .map(|text| values::address("dns", text))
            .collect::<Result<_, _>>()?,
        dns_options: settings.dns_opts.clone().unwrap_or_default(),
        dns_search: settings.dns_search.clone().unwrap_or_default(),
        log_driver,
        log_options,
        shm_size: values::shm_size(&text(&settings.default_shm_size, "64m"))?,
        ulimits: values::ulimits(
            settings
                .default_ulimits
                .as_ref()
                .unwrap_or(&BTreeMap::new()),
        )?,
        init: settings.init.unwrap_or(false),
        labels,
        registries: registries(settings)?,
        debug: settings.debug.unwrap_or(false),
    })
}

fn registries(settings: &Settings) -> Result<RegistryOptions, Error> {
    let mut mirrors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in settings.registry_mirrors.iter().flatten() {
        let (registry, url) = values::mirror(text)?;
        mirrors.entry(registry).or_default().push(url);
    }
    let count = |what: &str, value: Option<usize>, default: usize| match value {
        None => Ok(default),
        Some(0) => Err(values::wrong(what, "must be more than zero")),
        Some(number) => Ok(number),
    };
    let insecure = settings.insecure_registries.iter().flatten();
    Ok(RegistryOptions {
        mirrors,
        insecure: insecure
            .map(|text| values::insecure_registry(text))
            .collect::<Result<_, _>>()?,
        certs_dir: Some(PathBuf::from("/etc/dhow/certs.d")),
        max_concurrent_downloads: count(
            "max-concurrent-downloads",
            settings.max_concurrent_downloads,
            8,
        )?,
        max_concurrent_uploads: count(
            "max-concurrent-uploads",
            settings.max_concurrent_uploads,
            5,
        )?,
        max_download_attempts: count("max-download-attempts", settings.max_download_attempts, 5)?,
        proxies: proxies::proxies(settings)?,
    })
}

fn hosts(
    settings: &Settings,
    tls: Option<&Tls>,
    around: &Surroundings,
) -> Result<Vec<Host>, Error> {
    let texts = match &settings.hosts {
        Some(texts) if !texts.is_empty() => texts.clone(),
        _ => vec![DEFAULT_HOST.to_owned()],
    };
    let mut hosts = Vec::with_capacity(texts.len());
    for text in &texts {
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
    let path = |value: &Option<String>, default: &str| {
        PathBuf::from(
            value
                .clone()
                .unwrap_or_else(|| format!("/etc/dhow/{default}")),
        )
    };
    Some(Tls {
        certificate: path(&settings.tlscert, "cert.pem"),
        key: path(&settings.tlskey, "key.pem"),
        client_authority: verify.then(|| path(&settings.tlscacert, "ca.pem")),
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
