//! What an engine is told when it opens. Plain data; the daemon builds it from
//! flags and `daemon.json`.

mod proxies;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

pub use proxies::{Proxies, ProxyAddress};

/// Where an engine lives and the defaults it gives containers.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Everything that must outlive a reboot.
    pub data_root: PathBuf,
    /// Sockets, pids and bundles of running containers; may be on a tmpfs.
    pub exec_root: PathBuf,
    /// The shim's executable.
    pub shim: PathBuf,
    /// The default bridge's interface name.
    pub bridge: String,
    /// The default bridge's own address and prefix, `172.17.0.1/16`; chosen
    /// when absent.
    pub bip: Option<String>,
    /// MTU of the default bridge in bytes.
    pub mtu: u32,
    /// The host address that published ports bind to when none is given.
    pub publish_address: IpAddr,
    /// The nftables table that holds all our rules.
    pub nft_table: String,
    /// The cgroup below which containers' cgroups are made.
    pub cgroup_parent: String,
    /// Name servers for containers; the host's when empty.
    pub dns: Vec<IpAddr>,
    /// Options for containers' `resolv.conf`.
    pub dns_options: Vec<String>,
    /// Search domains for containers' `resolv.conf`.
    pub dns_search: Vec<String>,
    /// The default log driver: `json-file`, `local` or `none`.
    pub log_driver: String,
    /// Its default options.
    pub log_options: BTreeMap<String, String>,
    /// `/dev/shm` size in bytes for containers that ask for none.
    pub shm_size: u64,
    /// Ulimits for containers that set none: name to (soft, hard).
    pub ulimits: BTreeMap<String, (i64, i64)>,
    /// Whether containers get an init process unless they say otherwise.
    pub init: bool,
    /// Labels of the engine itself, `key=value`, shown by `/info`.
    pub labels: Vec<String>,
    /// How to reach registries.
    pub registries: RegistryOptions,
    /// Whether `/info` says the daemon runs in debug mode.
    pub debug: bool,
}

/// What concerns registries; all but the proxies can be reloaded.
#[derive(Debug, Clone, Default)]
pub struct RegistryOptions {
    /// Registry host to the mirrors asked before it, in order.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// Hosts, `host:port` pairs and CIDR ranges that may speak plain HTTP or
    /// show an unverifiable certificate.
    pub insecure: Vec<String>,
    /// Where `certs.d` is; `/etc/docker/certs.d` is read as well.
    pub certs_dir: Option<PathBuf>,
    /// Layers fetched at once in one pull.
    pub max_concurrent_downloads: usize,
    /// Layers sent at once in one push.
    pub max_concurrent_uploads: usize,
    /// Tries for one blob before a pull fails.
    pub max_download_attempts: usize,
    /// What stands between.
    pub proxies: Proxies,
}
