//! What the engine is told about registries: mirrors, insecure ones, where
//! certificates lie, proxies, patience.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use dhow_model::{ErrorKind, HasKind};
use ipnet::IpNet;
use reqwest::Url;

use crate::repository::HUB;

/// Everything configurable about talking to registries.
#[derive(Debug, Clone)]
pub struct Config {
    /// Mirrors to try, in order, before the registry itself. The keys are
    /// registries as references name them (`docker.io`, `quay.io`, `host:5000`).
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// Registries that may answer over plain HTTP or with a certificate nobody
    /// vouches for. Loopback addresses always may.
    pub insecure: Vec<Insecure>,
    /// Directories laid out like `/etc/docker/certs.d`, searched in order.
    pub certs_dirs: Vec<PathBuf>,
    /// Proxies, overriding the environment's.
    pub proxies: Proxies,
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// How often and how patiently a broken transfer is taken up again.
    pub retry: Retry,
    /// Where the Hub's search and login live; others only in tests.
    pub hub_index: String,
}

/// Proxies from the daemon's configuration. Those not set come from the
/// environment (`HTTPS_PROXY` and so on), and loopback is never proxied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http://` registries.
    pub http: Option<String>,
    /// For `https://` registries.
    pub https: Option<String>,
    /// Hosts that are reached directly.
    pub no_proxy: Option<String>,
}

/// Patience with broken transfers.
#[derive(Debug, Clone)]
pub struct Retry {
    /// Attempts in a row without any progress before giving up.
    pub attempts: u32,
    /// The pause before the second attempt; doubled for each further one.
    pub base: Duration,
    /// The longest pause.
    pub cap: Duration,
    /// How long a transfer may wait for bytes before it counts as broken.
    pub stall: Duration,
    /// How long the head of an answer may take.
    pub answer: Duration,
}

/// One entry of `--insecure-registry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insecure {
    /// Exactly this `host` or `host:port`.
    Host(String),
    /// Every registry with an address in this range.
    Range(IpNet),
}

/// A setting that makes no sense, with Docker's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A mirror that is no URL at all.
    #[error("invalid mirror: {0:?} is not a valid URI")]
    MirrorUri(String),
    /// A mirror that is neither http nor https.
    #[error("invalid mirror: unsupported scheme {scheme:?} in {uri:?}")]
    MirrorScheme {
        /// What stands before `://`.
        scheme: String,
        /// The mirror as given.
        uri: String,
    },
    /// A mirror with something after the host.
    #[error("invalid mirror: path, query, or fragment at end of the URI {0:?}")]
    MirrorPath(String),
    /// A mirror with a user name or password, which isn't repeated here.
    #[error("invalid mirror: username/password not allowed in URI")]
    MirrorUserinfo,
    /// An insecure registry given as a URL.
    #[error("insecure registry {0} should not contain '://'")]
    InsecureScheme(String),
    /// An insecure registry that is no host and no range.
    #[error("insecure registry {0} is not valid")]
    InsecureHost(String),
    /// A proxy, by the variable it stands in; its text may hold a password.
    #[error("proxy {0} is not a valid URI")]
    Proxy(&'static str),
}

impl HasKind for ConfigError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mirrors: BTreeMap::new(),
            insecure: Vec::new(),
            certs_dirs: vec![PathBuf::from("/etc/docker/certs.d")],
            proxies: Proxies::default(),
            user_agent: concat!("dhow/", env!("CARGO_PKG_VERSION"), " (linux)").to_owned(),
            retry: Retry::default(),
            hub_index: "https://index.docker.io/v1/".to_owned(),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(15),
            stall: Duration::from_secs(30),
            answer: Duration::from_secs(60),
        }
    }
}

impl Config {
    /// Adds a mirror of `registry`, or of the Hub when there is none named.
    pub fn add_mirror(&mut self, registry: Option<&str>, url: &str) -> Result<(), ConfigError> {
        let url = checked_mirror(url)?;
        self.mirrors
            .entry(registry.unwrap_or(HUB).to_owned())
            .or_default()
            .push(url);
        Ok(())
    }

    /// Adds an entry of `--insecure-registry`.
    pub fn add_insecure(&mut self, entry: &str) -> Result<(), ConfigError> {
        self.insecure.push(entry.parse()?);
        Ok(())
    }

    /// Whether the registry `host[:port]`, whose addresses are `addresses`,
    /// may be reached without verified TLS.
    pub(crate) fn is_insecure(&self, host_port: &str, addresses: &[IpAddr]) -> bool {
        addresses.iter().any(IpAddr::is_loopback)
            || self.insecure.iter().any(|entry| match entry {
                Insecure::Host(host) => host.eq_ignore_ascii_case(host_port),
                Insecure::Range(range) => addresses.iter().any(|ip| range.contains(ip)),
            })
    }
}

impl std::str::FromStr for Insecure {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        // Docker drops a scheme here with a warning, for old configurations.
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"))
            .unwrap_or(text)
            .trim_end_matches('/');
        if rest.contains("://") {
            return Err(ConfigError::InsecureScheme(text.to_owned()));
        }
        if let Ok(range) = rest.parse() {
            return Ok(Self::Range(range));
        }
        let parsed = Url::parse(&format!("https://{rest}/"));
        let valid = parsed.is_ok_and(|url| {
            url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
        if valid && !rest.starts_with('-') {
            Ok(Self::Host(rest.to_owned()))
        } else {
            Err(ConfigError::InsecureHost(text.to_owned()))
        }
    }
}

fn checked_mirror(text: &str) -> Result<String, ConfigError> {
    let url = Url::parse(text).map_err(|_| ConfigError::MirrorUri(text.to_owned()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::MirrorUserinfo);
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ConfigError::MirrorScheme {
            scheme: url.scheme().to_owned(),
            uri: text.to_owned(),
        });
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError::MirrorPath(text.to_owned()));
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_checked_as_docker_does() {
        let check = |text: &str, expected: &str| {
            let error = Config::default().add_mirror(None, text).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check(
            "nonsense",
            "invalid mirror: \"nonsense\" is not a valid URI",
        );
        check(
            "ftp://mirror.example",
            "invalid mirror: unsupported scheme \"ftp\" in \"ftp://mirror.example\"",
        );
        check(
            "https://mirror.example/path",
            "invalid mirror: path, query, or fragment at end of the URI \"https://mirror.example/path\"",
        );
        check(
            "https://user:hunter2@mirror.example",
            "invalid mirror: username/password not allowed in URI",
        );
    }

    #[test]
    fn mirrors_belong_to_the_registry_named() {
        let mut config = Config::default();
        config.add_mirror(None, "https://a.example").unwrap();
        config
            .add_mirror(Some("quay.io"), "http://b:5000/")
            .unwrap();
        assert_eq!(config.mirrors["docker.io"], ["https://a.example/"]);
        assert_eq!(config.mirrors["quay.io"], ["http://b:5000/"]);
    }

    #[test]
    fn insecure_by_name_range_or_loopback() {
        let mut config = Config::default();
        for entry in ["reg.example:5000", "http://old.example/", "10.0.0.0/8"] {
            config.add_insecure(entry).unwrap();
        }
        let check = |host: &str, address: &str, expected| {
            let addresses = [address.parse().unwrap()];
            assert_eq!(config.is_insecure(host, &addresses), expected, "{host}");
        };
        check("reg.example:5000", "192.0.2.1", true);
        check("reg.example", "192.0.2.1", false);
        check("old.example", "192.0.2.1", true);
        check("any.example", "10.1.2.3", true);
        check("any.example", "127.9.9.9", true);
        check("any.example", "::1", true);
        check("any.example", "192.0.2.1", false);
    }

    #[test]
    fn nonsense_is_not_an_insecure_registry() {
        for entry in ["ftp://x", "a b", "host/path", "-x", ""] {
            assert!(entry.parse::<Insecure>().is_err(), "{entry:?}");
        }
    }
}
