//! `/etc/resolv.conf` of a container on the default bridge, which asks the
//! host's name servers itself.

use std::net::IpAddr;

/// The host's file.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Where systemd-resolved keeps the servers that its stub asks.
pub const RESOLVED_CONF: &str = "/run/systemd/resolve/resolv.conf";

/// The stub's address: what `/etc/resolv.conf` names under systemd-resolved.
const RESOLVED_STUB: &str = "127.0.0.53";
/// Asked when the host has no name server that a container could reach.
const FALLBACK: [&str; 2] = ["8.8.8.8", "8.8.4.4"];

/// `--dns`, `--dns-search` and `--dns-option`; what is empty is the host's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DnsOptions {
    pub servers: Vec<IpAddr>,
    /// `.` alone stands for none.
    pub search: Vec<String>,
    pub options: Vec<String>,
}

/// Which of the host's files says whom to ask, given the text of
/// [`RESOLV_CONF`].
pub fn host_file(resolv_conf: &str) -> &'static str {
    let servers = parse(resolv_conf).servers;
    if servers.len() == 1 && servers[0] == RESOLVED_STUB {
        RESOLVED_CONF
    } else {
        RESOLV_CONF
    }
}

/// The container's file, given the text of the host's (see [`host_file`]).
/// Loopback servers of the host are left out, because in the container
/// loopback is another; so are IPv6 ones unless the container has `ipv6`.
pub fn resolv_conf(host: &str, wanted: &DnsOptions, ipv6: bool) -> String {
    let host = parse(host);
    let servers: Vec<String> = if wanted.servers.is_empty() {
        let reachable = |server: &&&str| {
            // A zone (`fe80::1%eth0`) means nothing in another namespace.
            server
                .parse::<IpAddr>()
                .is_ok_and(|ip| !ip.is_loopback() && (ip.is_ipv4() || ipv6))
        };
        let found: Vec<&str> = host.servers.iter().filter(reachable).copied().collect();
        let chosen = if found.is_empty() {
            FALLBACK.to_vec()
        } else {
            found
        };
        chosen.into_iter().map(str::to_owned).collect()
    } else {
        wanted.servers.iter().map(IpAddr::to_string).collect()
    };
    let search = match wanted.search.as_slice() {
        [] => host.search,
        [dot] if dot == "." => Vec::new(),
        names => names.iter().map(String::as_str).collect(),
    };
    let options = if wanted.options.is_empty() {
        host.options
    } else {
        wanted.options.iter().map(String::as_str).collect()
    };

    let mut text = String::from(
        "# Written by Dhow when the container started; edits are kept while it runs.\n\n",
    );
    for server in servers {
        text.push_str(&format!("nameserver {server}\n"));
    }
    if !search.is_empty() {
        text.push_str(&format!("search {}\n", search.join(" ")));
    }
    if !options.is_empty() {
        text.push_str(&format!("options {}\n", options.join(" ")));
    }
    text
}

#[derive(Default)]
struct Parsed<'a> {
    servers: Vec<&'a str>,
    search: Vec<&'a str>,
    options: Vec<&'a str>,
}

/// The last `search` (or `domain`) counts; `options` add up.
fn parse(text: &str) -> Parsed<'_> {
    let mut parsed = Parsed::default();
    for line in text.lines() {
        let line = line.split(['#', ';']).next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") => parsed.servers.extend(words.next()),
            Some("search" | "domain") => parsed.search = words.collect(),
            Some("options") => parsed.options.extend(words),
            _ => {}
        }
    }
    parsed.search.retain(|name| *name != ".");
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, wanted: &DnsOptions, ipv6: bool, expected: &str) {
        let text = resolv_conf(host, wanted, ipv6);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn the_hosts_reachable_servers_are_used() {
        let host = "nameserver 127.0.0.1\nnameserver 10.0.0.1 # here\nnameserver fd00::1\n\
                    search a.example b.example\noptions ndots:2\noptions edns0\n";
        let rest = "search a.example b.example\noptions ndots:2 edns0";
        let none = DnsOptions::default();
        check(host, &none, false, &format!("nameserver 10.0.0.1\n{rest}"));
        check(
            host,
            &none,
            true,
            &format!("nameserver 10.0.0.1\nnameserver fd00::1\n{rest}"),
        );
    }

    #[test]
    fn a_host_with_loopback_servers_only_falls_back() {
        let expected = "nameserver 8.8.8.8\nnameserver 8.8.4.4";
        let none = DnsOptions::default();
        check(
            "nameserver 127.0.0.1\nnameserver ::1\n",
            &none,
            false,
            expected,
        );
        check("", &none, false, expected);
        check("nameserver fe80::1%eth0\n", &none, true, expected);
    }

    #[test]
    fn what_is_asked_for_replaces_the_hosts() {
        let host = "nameserver 10.0.0.1\nsearch a.example\noptions ndots:2\n";
        let wanted = DnsOptions {
            servers: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
            search: vec![".".into()],
            options: vec!["timeout:1".into()],
        };
        check(
            host,
            &wanted,
            false,
            "nameserver 127.0.0.1\nnameserver ::1\noptions timeout:1",
        );
    }

    #[test]
    fn the_stub_of_resolved_points_elsewhere() {
        assert_eq!(host_file("nameserver 127.0.0.53\n"), RESOLVED_CONF);
        assert_eq!(host_file("nameserver 10.0.0.1\n"), RESOLV_CONF);
        assert_eq!(
            host_file("nameserver 127.0.0.53\nnameserver 10.0.0.1\n"),
            RESOLV_CONF
        );
    }
}
