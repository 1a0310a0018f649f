//! What holds where neither flags nor file said anything. Pure.

use dhow_server::ConfigKey;

use super::{DEFAULT_BRIDGE, DEFAULT_HOST, Settings, Surroundings, default_table};
use crate::flags;

/// What a reload changes; the rest takes a restart. dockerd does not reload
/// its proxies either.
pub(super) const LIVE: [&str; 10] = [
    "debug",
    "log-level",
    "live-restore",
    "shutdown-timeout",
    "labels",
    "registry-mirrors",
    "insecure-registries",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
];

/// dockerd's settings of which this engine knows one value only, or which
/// mean nothing to it: nobody is asked for them.
const FIXED: [&str; 12] = [
    "features",
    "storage-driver",
    "default-runtime",
    "selinux-enabled",
    "experimental",
    "iptables",
    "ip6tables",
    "ip-forward",
    "ip-masq",
    "icc",
    "userland-proxy",
    "ipv6",
];

/// `said`, and the default of everything that has one.
pub(super) fn fill(mut said: Settings, around: &Surroundings) -> Settings {
    let text = |value: &str| Some(value.to_owned());
    let list = || Some(Vec::new());
    let bridge = said.bridge.as_deref().unwrap_or(DEFAULT_BRIDGE);
    let exec_root = said.exec_root.as_deref().unwrap_or("/run/dhow");
    said.hosts = said.hosts.filter(|hosts| !hosts.is_empty());
    let defaults = Settings {
        hosts: Some(vec![DEFAULT_HOST.to_owned()]),
        data_root: text("/var/lib/dhow"),
        exec_root: text("/run/dhow"),
        pidfile: Some(format!("{exec_root}/dhowd.pid")),
        group: text("dhow"),
        shim_path: Some(around.shim.to_string_lossy().into_owned()),
        debug: Some(false),
        log_level: text("info"),
        log_format: text("text"),
        tls: Some(false),
        tlsverify: Some(false),
        tlscacert: text("/etc/dhow/ca.pem"),
        tlscert: text("/etc/dhow/cert.pem"),
        tlskey: text("/etc/dhow/key.pem"),
        allow_insecure_tcp: Some(false),
        labels: list(),
        bridge: text(DEFAULT_BRIDGE),
        mtu: Some(1500),
        ip: text("0.0.0.0"),
        nft_table: Some(default_table(bridge)),
        cgroup_parent: text("/dhow"),
        dns: list(),
        dns_opts: list(),
        dns_search: list(),
        log_driver: text("json-file"),
        log_opts: Some(Default::default()),
        default_shm_size: text("64m"),
        default_ulimits: Some(Default::default()),
        init: Some(false),
        registry_mirrors: list(),
        insecure_registries: list(),
        max_concurrent_downloads: Some(8),
        max_concurrent_uploads: Some(5),
        max_download_attempts: Some(5),
        live_restore: Some(true),
        shutdown_timeout: Some(15),
        ..Settings::default()
    };
    said.or(defaults)
}

/// Every key that can be set, with what `settings` say of it.
pub fn describe(settings: &Settings, flags: &Settings) -> Vec<ConfigKey> {
    let by_flag = Settings::default().changed(flags);
    let described = flags::described();
    let entries = settings.entries().into_iter();
    entries
        .filter(|(key, ..)| !FIXED.contains(key))
        .map(|(key, kind, value)| ConfigKey {
            name: super::proxies::place(key),
            kind,
            live: LIVE.contains(&key),
            flag: by_flag.contains(&key),
            value,
            help: flags::help(&described, key),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_what_it_is_for() {
        let settings = Settings::default();
        let keys = describe(&settings, &settings);
        assert!(keys.len() > 30);
        for key in keys {
            assert!(!key.help.is_empty(), "{}", key.name);
            assert!(!key.help.contains("repeatable"), "{}", key.help);
        }
    }

    #[test]
    fn fixed_and_live_keys_are_keys() {
        let settings = Settings::default();
        let keys: Vec<_> = settings.entries().into_iter().map(|(k, ..)| k).collect();
        for key in LIVE.iter().chain(&FIXED) {
            assert!(keys.contains(key), "{key}");
        }
    }
}
