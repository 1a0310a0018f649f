//! Which servers may answer for a registry, in the order to try them. Pure.

use std::net::IpAddr;

use reqwest::Url;

use crate::config::Config;
use crate::error::Error;
use crate::repository::HUB;

/// The host behind the Hub's domain.
const HUB_HOST: &str = "registry-1.docker.io";

/// One place to ask: a mirror, or the registry itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Base addresses, best first: for an insecure registry https, then http.
    pub(crate) bases: Vec<Base>,
    /// Mirrors are asked without credentials, and any failure passes on to the
    /// next endpoint.
    pub(crate) mirror: bool,
}

/// A scheme, host and port to build addresses upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) url: Url,
    /// `host[:port]` as written: the name its certificates are kept under. (A
    /// scheme's default port vanishes from the URL.)
    pub(crate) host: String,
    pub(crate) insecure: bool,
}

/// `host[:port]` of a registry domain, where it differs from its name.
pub(crate) fn registry_host(domain: &str) -> &str {
    if domain == HUB { HUB_HOST } else { domain }
}

/// `host[:port]` of `url` as `certs.d` and the insecure list name it: the port
/// only if it is written.
pub(crate) fn host_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The mirrors of `domain`, in the order configured.
pub(crate) fn mirrors<'a>(config: &'a Config, domain: &str) -> impl Iterator<Item = &'a str> {
    let urls = config.mirrors.get(domain);
    urls.into_iter().flatten().map(String::as_str)
}

/// The endpoint at a mirror's address. Unlike a registry's, its scheme is
/// given, so there is nothing to fall back to.
pub(crate) fn mirror(url: Url, config: &Config, addresses: &[IpAddr]) -> Endpoint {
    let host = host_port(&url);
    let insecure = config.is_insecure(&host, addresses);
    Endpoint {
        bases: vec![Base {
            url,
            host,
            insecure,
        }],
        mirror: true,
    }
}

/// The endpoint of the registry `domain` itself.
pub(crate) fn upstream(
    domain: &str,
    config: &Config,
    addresses: &[IpAddr],
) -> Result<Endpoint, Error> {
    let host = registry_host(domain);
    let insecure = config.is_insecure(host, addresses);
    let schemes: &[&str] = if insecure {
        &["https", "http"]
    } else {
        &["https"]
    };
    let bases = schemes
        .iter()
        .map(|scheme| {
            let url = Url::parse(&format!("{scheme}://{host}/"))
                .map_err(|_| Error::InvalidHost(host.to_owned()))?;
            Ok(Base {
                url,
                host: host.to_owned(),
                insecure,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(Endpoint {
        bases,
        mirror: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(domain: &str, config: &Config, address: &str) -> Vec<String> {
        upstream(domain, config, &[address.parse().unwrap()])
            .unwrap()
            .bases
            .iter()
            .map(|base| format!("{}{}", base.url, if base.insecure { "!" } else { "" }))
            .collect()
    }

    #[test]
    fn only_insecure_registries_fall_back_to_http() {
        let mut config = Config::default();
        config.add_insecure("plain.example:5000").unwrap();
        let check = |domain, address, expected: &[&str]| {
            assert_eq!(bases(domain, &config, address), expected);
        };
        check("docker.io", "192.0.2.1", &["https://registry-1.docker.io/"]);
        check("quay.io", "192.0.2.1", &["https://quay.io/"]);
        check(
            "localhost:5000",
            "127.0.0.1",
            &["https://localhost:5000/!", "http://localhost:5000/!"],
        );
        check(
            "plain.example:5000",
            "192.0.2.1",
            &[
                "https://plain.example:5000/!",
                "http://plain.example:5000/!",
            ],
        );
    }

    #[test]
    fn a_domain_that_is_no_host_is_refused() {
        assert!(upstream("a b", &Config::default(), &[]).is_err());
    }
}
