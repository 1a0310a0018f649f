//! Checking single values: levels, limits, registries, names. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::Error;
use super::settings::Ulimit;

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// The error for a value of `what` that cannot be used.
pub(super) fn wrong(what: &str, reason: impl Into<String>) -> Error {
    Error::Value {
        what: what.to_owned(),
        reason: reason.into(),
    }
}

pub(super) fn log_level(text: &str) -> Result<LogLevel, Error> {
    match text {
        "trace" => Ok(LogLevel::Trace),
        "debug" => Ok(LogLevel::Debug),
        "info" => Ok(LogLevel::Info),
        "warn" | "warning" => Ok(LogLevel::Warn),
        // Nothing here logs above error.
        "error" | "fatal" | "panic" => Ok(LogLevel::Error),
        _ => Err(wrong("log-level", format!("invalid logging level: {text}"))),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, Error> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(wrong("log-format", format!("invalid log format: {text}"))),
    }
}

pub(super) fn address(what: &str, text: &str) -> Result<IpAddr, Error> {
    text.parse()
        .map_err(|_| wrong(what, format!("{text} is not an ip address")))
}

/// `address/prefix` of a bridge.
pub(super) fn bip(text: &str) -> Result<(), Error> {
    let valid = text.split_once('/').is_some_and(|(address, prefix)| {
        match (address.parse::<IpAddr>(), prefix.parse::<u8>()) {
            (Ok(IpAddr::V4(_)), Ok(prefix)) => prefix <= 30,
            (Ok(IpAddr::V6(_)), Ok(prefix)) => prefix <= 126,
            _ => false,
        }
    });
    if valid {
        Ok(())
    } else {
        Err(wrong(
            "bip",
            format!("{text} is not an address with a prefix, as 172.17.0.1/16"),
        ))
    }
}

/// The kernel's rules for interface names.
pub(super) fn bridge(name: &str) -> Result<(), Error> {
    let valid = (1..=15).contains(&name.len())
        && !matches!(name, "." | "..")
        && name
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'/' && b != b':');
    if valid {
        Ok(())
    } else {
        Err(wrong(
            "bridge",
            format!("{name:?} is not a name for a network interface"),
        ))
    }
}

pub(super) fn nft_table(name: &str) -> Result<(), Error> {
    let valid = (1..=31).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        && name.as_bytes()[0].is_ascii_alphabetic();
    if valid {
        Ok(())
    } else {
        Err(wrong(
            "nft-table",
            format!("{name:?} is not a name for an nftables table"),
        ))
    }
}

/// `key=value` or `key`, as dockerd takes daemon labels: the value is needed.
pub(super) fn label(text: &str) -> Result<(), Error> {
    match text.split_once('=') {
        Some((key, _)) if !key.is_empty() => Ok(()),
        _ => Err(wrong("label", format!("bad attribute format: {text}"))),
    }
}

pub(super) fn key_value(what: &str, text: &str) -> Result<(String, String), Error> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(wrong(what, format!("{text} is not key=value"))),
    }
}

pub(super) fn log_driver(name: &str, options: &BTreeMap<String, String>) -> Result<(), Error> {
    let known: &[&str] = match name {
        "json-file" => &[
            "max-size",
            "max-file",
            "compress",
            "labels",
            "labels-regex",
            "env",
            "env-regex",
            "tag",
            "mode",
            "max-buffer-size",
        ],
        "local" => &[
            "max-size",
            "max-file",
            "compress",
            "mode",
            "max-buffer-size",
        ],
        "none" => &[],
        _ => return Err(wrong("log-driver", format!("no log driver named {name}"))),
    };
    match options.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(wrong(
            "log-opt",
            format!("unknown log opt '{key}' for {name} log driver"),
        )),
    }
}

pub(super) fn shm_size(text: &str) -> Result<u64, Error> {
    let bytes = dhow_model::size::parse_bytes(text)
        .map_err(|e| wrong("default-shm-size", e.to_string()))?;
    match u64::try_from(bytes) {
        Ok(bytes) if bytes > 0 => Ok(bytes),
        _ => Err(wrong("default-shm-size", "must be more than zero")),
    }
}

/// `nofile=1024:2048` or `nofile=1024`.
pub(super) fn ulimit(text: &str) -> Result<(String, Ulimit), Error> {
    const WHAT: &str = "default-ulimit";
    let (name, limits) = key_value(WHAT, text)?;
    let number = |text: &str| match text {
        "unlimited" => Ok(-1),
        text => text
            .parse::<i64>()
            .map_err(|_| wrong(WHAT, format!("invalid limit in {name}={limits}"))),
    };
    let (soft, hard) = match limits.split_once(':') {
        Some((soft, hard)) => (number(soft)?, number(hard)?),
        None => (number(&limits)?, number(&limits)?),
    };
    Ok((name.clone(), Ulimit { name, soft, hard }))
}

pub(super) fn ulimits(
    given: &BTreeMap<String, Ulimit>,
) -> Result<BTreeMap<String, (i64, i64)>, Error> {
    const KNOWN: [&str; 15] = [
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    given
        .iter()
        .map(|(name, limit)| {
            if !KNOWN.contains(&name.as_str()) {
                return Err(wrong("default-ulimits", format!("invalid ulimit type: {name}")));
            }
            if limit.hard >= 0 && (limit.soft > limit.hard || limit.soft < 0) {
                return Err(wrong(
                    "default-ulimits",
                    format!(
                        "{name}: ulimit soft limit must be less than or equal to hard limit: {} > {}",
                        limit.soft, limit.hard
                    ),
                ));
            }
            Ok((name.clone(), (limit.soft, limit.hard)))
        })
        .collect()
}

/// `url`, a mirror of Docker Hub, or `registry=url`.
pub(super) fn mirror(text: &str) -> Result<(String, String), Error> {
    const WHAT: &str = "registry-mirror";
    const HUB: &str = "docker.io";
    // A URL may contain `=` only behind its scheme.
    let (registry, url) = match text.split_once('=') {
        Some((registry, url)) if !registry.contains("://") => (registry, url),
        _ => (HUB, text),
    };
    let bad = |reason: &str| wrong(WHAT, format!("invalid mirror {text}: {reason}"));
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or_else(|| bad("it must begin with http:// or https://"))?;
    if rest.contains('@') {
        return Err(bad("credentials do not belong into a mirror's address"));
    }
    if rest.contains(['?', '#']) {
        return Err(bad("query or fragment at end of the address"));
    }
    if rest.trim_end_matches('/').is_empty() || registry.is_empty() || registry.contains('/') {
        return Err(bad("it names no host"));
    }
    Ok((registry.to_owned(), url.trim_end_matches('/').to_owned()))
}

/// A host, `host:port` or CIDR range; a scheme in front is taken off.
pub(super) fn insecure_registry(text: &str) -> Result<String, Error> {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .unwrap_or(text);
    let rest = rest.trim_end_matches('/');
    let range = rest.split_once('/').is_some_and(|(address, prefix)| {
        address.parse::<IpAddr>().is_ok() && prefix.parse::<u8>().is_ok_and(|p| p <= 128)
    });
    let host = !rest.is_empty() && !rest.starts_with('-') && !rest.contains(['/', '@', ' ']);
    if range || host {
        Ok(rest.to_owned())
    } else {
        Err(wrong(
            "insecure-registry",
            format!("{text} is not a host or a range of addresses"),
        ))
    }
}

/// dockerd's seconds; a negative number is no limit.
pub(super) fn shutdown_timeout(seconds: i64) -> Option<Duration> {
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mirrors_of_any_registry() {
        let read = |text: &str| mirror(text).map_err(|e| e.to_string());
        assert_eq!(
            read("https://m.test/"),
            Ok(("docker.io".into(), "https://m.test".into()))
        );
        assert_eq!(
            read("quay.test:5000=http://m:1"),
            Ok(("quay.test:5000".into(), "http://m:1".into()))
        );
        for bad in [
            "m.test",
            "https://",
            "https://u:p@m",
            "https://m?x=y",
            "=https://m",
            "ftp://m",
        ] {
            assert!(read(bad).unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn reads_insecure_registries() {
        let read = |text: &str| insecure_registry(text).ok();
        assert_eq!(read("localhost:5000").as_deref(), Some("localhost:5000"));
        assert_eq!(read("http://r.test/").as_deref(), Some("r.test"));
        assert_eq!(read("10.0.0.0/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(read("r.test/path"), None);
        assert_eq!(read("10.0.0.0/129"), None);
    }

    #[test]
    fn reads_ulimits() {
        let read = |text: &str| ulimit(text).map(|(n, u)| (n, u.soft, u.hard)).ok();
        assert_eq!(read("nofile=1:2"), Some(("nofile".into(), 1, 2)));
        assert_eq!(read("core=unlimited"), Some(("core".into(), -1, -1)));
        assert_eq!(read("nofile"), None);
        let check = |text: &str| ulimits(&BTreeMap::from([ulimit(text).unwrap()])).is_ok();
        assert!(check("nofile=1:2"));
        assert!(!check("nofile=3:2"));
        assert!(!check("nofile=-1:2"));
        assert!(!check("bogus=1"));
    }

    #[test]
    fn knows_names_the_kernel_takes() {
        assert!(bridge("dhow0").is_ok());
        assert!(bridge("a-name-too-long-").is_err());
        assert!(bridge("a/b").is_err() && bridge("").is_err() && bridge("..").is_err());
        assert!(nft_table("dhow_x-1").is_ok());
        assert!(nft_table("1x").is_err() && nft_table("").is_err() && nft_table("a b").is_err());
        assert!(bip("172.17.0.1/16").is_ok());
        assert!(bip("172.17.0.1").is_err() && bip("172.17.0.1/31").is_err());
    }

    #[test]
    fn knows_log_drivers_and_their_options() {
        let options = |key: &str| BTreeMap::from([(key.to_owned(), "1".to_owned())]);
        assert!(log_driver("json-file", &options("max-size")).is_ok());
        assert!(log_driver("none", &options("max-size")).is_err());
        assert!(log_driver("syslog", &BTreeMap::new()).is_err());
        assert!(
            log_driver("local", &options("bogus"))
                .unwrap_err()
                .to_string()
                .contains("bogus")
        );
    }
}
