//! Every setting there is: its name as a flag, its key in `daemon.json`, its
//! type. Flags and file both become [`Settings`]; one is laid over the other
//! here. Pure.

use std::collections::BTreeMap;

use dhow_local::config::ProxyAddress;
use dhow_server::KeyKind;
use serde_json::{Map, Value, json};

use super::{Error, proxies};

/// A default ulimit as `daemon.json` has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Ulimit {
    #[serde(rename = "Name", default)]
    pub name: String,
    #[serde(rename = "Soft", default)]
    pub soft: i64,
    #[serde(rename = "Hard", default)]
    pub hard: i64,
}

macro_rules! settings {
    ($($field:ident: $type:ty = $key:literal;)*) => {
        /// What a source, flags or file, says; `None` is not mentioned.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Settings {
            $(pub $field: Option<$type>,)*
        }

        impl Settings {
            /// Reads the object of a `daemon.json`.
            pub fn from_object(mut object: Map<String, Value>) -> Result<Self, Error> {
                proxies::lift(&mut object)?;
                let settings = Self {
                    $($field: read(&mut object, $key)?,)*
                };
                let mut unknown: Vec<String> = object.into_iter().map(|(key, _)| key).collect();
                unknown.sort_unstable();
                if unknown.is_empty() {
                    Ok(settings)
                } else {
                    Err(Error::UnknownKeys(unknown.join(", ")))
                }
            }

            /// The keys that both mention, each with both values.
            pub fn conflicts(&self, file: &Self) -> Vec<String> {
                let mut conflicts = Vec::new();
                $(if let (Some(flag), Some(file)) = (&self.$field, &file.$field) {
                    conflicts.push(format!("{}: (from flag: {flag:?}, from file: {file:?})", $key));
                })*
                conflicts
            }

            /// These settings, and `other`'s where these say nothing.
            pub fn or(self, other: Self) -> Self {
                Self {
                    $($field: self.$field.or(other.$field),)*
                }
            }

            /// These settings, with `other`'s of the named keys.
            pub fn with(self, other: Self, keys: &[&str]) -> Self {
                Self {
                    $($field: if keys.contains(&$key) { other.$field } else { self.$field },)*
                }
            }

            /// The keys of which `other` says something else.
            pub fn changed(&self, other: &Self) -> Vec<&'static str> {
                let mut changed = Vec::new();
                $(if self.$field != other.$field {
                    changed.push($key);
                })*
                changed
            }

            /// Every key with what it takes and what these settings say; no
            /// password is shown.
            pub fn entries(&self) -> Vec<(&'static str, KeyKind, Option<Value>)> {
                vec![$(($key, <$type>::KIND, self.$field.as_ref().map(Setting::shown)),)*]
            }
        }
    };
}

settings! {
    hosts: Vec<String> = "hosts";
    data_root: String = "data-root";
    exec_root: String = "exec-root";
    pidfile: String = "pidfile";
    group: String = "group";
    shim_path: String = "shim-path";
    debug: bool = "debug";
    log_level: String = "log-level";
    log_format: String = "log-format";
    tls: bool = "tls";
    tlsverify: bool = "tlsverify";
    tlscacert: String = "tlscacert";
    tlscert: String = "tlscert";
    tlskey: String = "tlskey";
    allow_insecure_tcp: bool = "allow-insecure-tcp";
    labels: Vec<String> = "labels";
    bridge: String = "bridge";
    bip: String = "bip";
    mtu: u32 = "mtu";
    ip: String = "ip";
    nft_table: String = "nft-table";
    cgroup_parent: String = "cgroup-parent";
    dns: Vec<String> = "dns";
    dns_opts: Vec<String> = "dns-opts";
    dns_search: Vec<String> = "dns-search";
    log_driver: String = "log-driver";
    log_opts: BTreeMap<String, String> = "log-opts";
    default_shm_size: String = "default-shm-size";
    default_ulimits: BTreeMap<String, Ulimit> = "default-ulimits";
    init: bool = "init";
    registry_mirrors: Vec<String> = "registry-mirrors";
    insecure_registries: Vec<String> = "insecure-registries";
    max_concurrent_downloads: usize = "max-concurrent-downloads";
    max_concurrent_uploads: usize = "max-concurrent-uploads";
    max_download_attempts: usize = "max-download-attempts";
    http_proxy: ProxyAddress = "http-proxy";
    https_proxy: ProxyAddress = "https-proxy";
    no_proxy: String = "no-proxy";
    live_restore: bool = "live-restore";
    shutdown_timeout: i64 = "shutdown-timeout";
    features: BTreeMap<String, bool> = "features";
    // dockerd's settings that name what this engine always does.
    storage_driver: String = "storage-driver";
    default_runtime: String = "default-runtime";
    selinux_enabled: bool = "selinux-enabled";
    experimental: bool = "experimental";
    iptables: bool = "iptables";
    ip6tables: bool = "ip6tables";
    ip_forward: bool = "ip-forward";
    ip_masq: bool = "ip-masq";
    icc: bool = "icc";
    userland_proxy: bool = "userland-proxy";
    ipv6: bool = "ipv6";
}

/// A type that settings have.
trait Setting {
    const KIND: KeyKind;
    /// As the file would have it.
    fn shown(&self) -> Value;
}

macro_rules! kinds {
    ($($type:ty => $kind:ident;)*) => {
        $(impl Setting for $type {
            const KIND: KeyKind = KeyKind::$kind;
            fn shown(&self) -> Value {
                json!(self)
            }
        })*
    };
}

kinds! {
    bool => Flag;
    String => Text;
    u32 => Number;
    usize => Number;
    i64 => Number;
    Vec<String> => List;
    BTreeMap<String, String> => Map;
    BTreeMap<String, bool> => Map;
    BTreeMap<String, Ulimit> => Map;
}

impl Setting for ProxyAddress {
    const KIND: KeyKind = KeyKind::Text;

    fn shown(&self) -> Value {
        Value::String(self.to_string())
    }
}

fn read<T: serde::de::DeserializeOwned>(
    object: &mut Map<String, Value>,
    key: &'static str,
) -> Result<Option<T>, Error> {
    match object.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value)
            .map(Some)
            .map_err(|source| Error::Value {
                what: key.to_owned(),
                reason: source.to_string(),
            }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(value: Value) -> Result<Settings, String> {
        let Value::Object(object) = value else {
            panic!("not an object")
        };
        Settings::from_object(object).map_err(|e| e.to_string())
    }

    #[test]
    fn reads_every_kind_of_value() {
        let settings = file(json!({
            "hosts": ["unix:///a.sock"],
            "debug": true,
            "mtu": 1400,
            "log-opts": {"max-size": "1m"},
            "default-ulimits": {"nofile": {"Name": "nofile", "Hard": 64000, "Soft": 32000}},
            "bip": null,
        }))
        .unwrap();
        assert_eq!(settings.hosts.unwrap(), ["unix:///a.sock"]);
        assert_eq!(settings.mtu, Some(1400));
        assert_eq!(settings.default_ulimits.unwrap()["nofile"].hard, 64000);
        assert_eq!(settings.bip, None);
    }

    #[test]
    fn names_the_key_that_is_wrong() {
        assert_eq!(
            file(json!({"foo": 1, "debug": true, "bar": 2})).unwrap_err(),
            "the following directives don't match any configuration option: bar, foo"
        );
        assert_eq!(
            file(json!({"mtu": "big"})).unwrap_err(),
            "mtu: invalid type: string \"big\", expected u32"
        );
    }

    #[test]
    fn finds_what_both_sources_mention() {
        let flags = Settings {
            debug: Some(true),
            mtu: Some(1400),
            ..Settings::default()
        };
        let file = Settings {
            debug: Some(false),
            bip: Some("10.0.0.1/24".into()),
            ..Settings::default()
        };
        assert_eq!(
            flags.conflicts(&file),
            ["debug: (from flag: true, from file: false)"]
        );
        assert!(flags.conflicts(&Settings::default()).is_empty());
        let both = flags.or(file);
        assert_eq!(
            (both.debug, both.bip.as_deref()),
            (Some(true), Some("10.0.0.1/24"))
        );
    }
}
