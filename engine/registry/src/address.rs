//! Names and addresses: what a host resolves to, and where a connection that
//! failed was to go.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;
use tokio::time::timeout;

use crate::failure::Address;

/// How long a name may take to resolve before it counts as unknown.
const PATIENCE: Duration = Duration::from_secs(5);

/// The addresses of `host[:port]`, or none if they can't be had.
pub(crate) async fn resolve(host_port: &str) -> Vec<IpAddr> {
    let Ok(url) = Url::parse(&format!("https://{host_port}/")) else {
        return Vec::new();
    };
    let host = url.host_str().unwrap_or_default();
    let name = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = name.parse() {
        return vec![address];
    }
    let lookup = tokio::net::lookup_host((name, 0));
    match timeout(PATIENCE, lookup).await {
        Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
        _ => Vec::new(),
    }
}

/// Whether `url` leads to this machine itself, which is never proxied.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let name = host.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Where a connection for `url` was to go. `proxied` says that a proxy may have
/// been between.
pub(crate) async fn address_of(url: &Url, proxied: bool) -> Address {
    if proxied && !is_loopback(url) {
        return Address::Proxied;
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let unknown = |reason: String| Address::Unknown {
        host: host.to_owned(),
        reason,
    };
    match timeout(PATIENCE, tokio::net::lookup_host((name, port))).await {
        Ok(Ok(mut found)) => found
            .next()
            .map_or_else(|| unknown("no such host".to_owned()), Address::Known),
        Ok(Err(error)) => {
            let text = error.to_string();
            // getaddrinfo's words for names that don't exist.
            if text.contains("not known") || text.contains("No address") {
                unknown("no such host".to_owned())
            } else if text.contains("Temporary failure") {
                unknown("Temporary failure in name resolution".to_owned())
            } else {
                unknown(text)
            }
        }
        Err(_) => unknown("i/o timeout".to_owned()),
    }
}
