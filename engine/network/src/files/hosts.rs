//! `/etc/hosts` and `/etc/hostname`.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::str::FromStr;

/// Stands for the host's own address in `--add-host`.
pub const HOST_GATEWAY: &str = "host-gateway";

/// A name of `--add-host` and its address; none stands for the host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraHost {
    pub name: String,
    pub address: Option<IpAddr>,
}

/// A text that is no `name:address`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExtraHost {
    #[error("bad format for add-host: {0:?}")]
    Format(String),
    #[error("invalid IP address in add-host: {0:?}")]
    Address(String),
}

/// `/etc/hosts`: loopback names, `extra` in order, then the container's own
/// `addresses` with its name. `gateway` is what `host-gateway` stands for.
pub fn hosts(
    hostname: &str,
    domain: Option<&str>,
    addresses: &[IpAddr],
    extra: &[ExtraHost],
    gateway: Option<IpAddr>,
) -> String {
    let mut text = String::from(
        "127.0.0.1\tlocalhost\n\
         ::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\n\
         ff02::1\tip6-allnodes\n\
         ff02::2\tip6-allrouters\n",
    );
    let mut line = |address: IpAddr, names: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{address}\t{names}");
    };
    for host in extra {
        if let Some(address) = host.address.or(gateway) {
            line(address, &host.name);
        }
    }
    let names = match domain {
        Some(domain) if !domain.is_empty() => format!("{hostname}.{domain} {hostname}"),
        _ => hostname.to_owned(),
    };
    for address in addresses {
        line(*address, &names);
    }
    text
}

/// `/etc/hostname`.
pub fn hostname(hostname: &str) -> String {
    format!("{hostname}\n")
}

impl FromStr for ExtraHost {
    type Err = InvalidExtraHost;

    fn from_str(text: &str) -> Result<Self, InvalidExtraHost> {
        let (name, address) = text
            .split_once(':')
            .filter(|(name, address)| !name.is_empty() && !address.is_empty())
            .ok_or_else(|| InvalidExtraHost::Format(text.to_owned()))?;
        let address = if address == HOST_GATEWAY {
            None
        } else {
            let bare = address
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .unwrap_or(address);
            let parsed = bare
                .parse()
                .map_err(|_| InvalidExtraHost::Address(address.to_owned()))?;
            Some(parsed)
        };
        Ok(Self {
            name: name.to_owned(),
            address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_comes_last() {
        let extra: Vec<ExtraHost> = [
            "db:10.0.0.5",
            "host.docker.internal:host-gateway",
            "six:::1",
        ]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
        let gateway = Some("172.17.0.1".parse().unwrap());
        let own = ["172.17.0.2".parse().unwrap()];
        let text = hosts("box", None, &own, &extra, gateway);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "127.0.0.1\tlocalhost");
        assert_eq!(
            &lines[6..],
            [
                "10.0.0.5\tdb",
                "172.17.0.1\thost.docker.internal",
                "::1\tsix",
                "172.17.0.2\tbox"
            ]
        );
    }

    #[test]
    fn a_domain_makes_a_long_and_a_short_name() {
        let own = ["172.17.0.2".parse().unwrap()];
        let text = hosts("box", Some("example.org"), &own, &[], None);
        assert!(text.ends_with("\n172.17.0.2\tbox.example.org box\n"));
        assert_eq!(hostname("box"), "box\n");
    }

    #[test]
    fn extra_hosts_need_a_name_and_an_address() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<ExtraHost>().unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check("db", "bad format for add-host: \"db\"");
        check(":1.2.3.4", "bad format for add-host: \":1.2.3.4\"");
        check("db:here", "invalid IP address in add-host: \"here\"");
        let bracketed: ExtraHost = "db:[::1]".parse().unwrap();
        assert_eq!(bracketed.address, Some("::1".parse().unwrap()));
    }
}
