//! Where to listen: `unix://`, `tcp://` and `fd://` addresses. Pure.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::Error;

/// One address of `--host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A socket file.
    Unix(PathBuf),
    /// A TCP port of an address or a host name.
    Tcp { host: String, port: u16 },
    /// Sockets passed by whoever started us: all, or the n-th.
    Activated(Option<usize>),
}

impl Host {
    /// Reads `text`; TCP's default port depends on whether TLS is on.
    pub fn parse(text: &str, tls: bool) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Value {
            what: format!("host {text}"),
            reason: reason.to_owned(),
        };
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| wrong("say unix://, tcp:// or fd://"))?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            "unix" => Err(wrong("the socket's path must be absolute")),
            "tcp" => {
                let default_port = if tls { 2376 } else { 2375 };
                let (host, port) = split_port(rest.trim_end_matches('/'));
                let port = match port {
                    None => default_port,
                    Some(port) => port.parse().map_err(|_| wrong("invalid port"))?,
                };
                let host = if host.is_empty() { "127.0.0.1" } else { host };
                if host.contains(['/', '@', '?', '#']) {
                    return Err(wrong("only an address and a port may follow tcp://"));
                }
                Ok(Self::Tcp {
                    host: host.to_owned(),
                    port,
                })
            }
            "fd" => match rest {
                "" | "*" => Ok(Self::Activated(None)),
                number => match number.parse() {
                    Ok(number) => Ok(Self::Activated(Some(number))),
                    Err(_) => Err(wrong("the descriptor must be a number")),
                },
            },
            _ => Err(wrong("say unix://, tcp:// or fd://")),
        }
    }

    /// Whether other computers can reach it.
    pub fn is_remote(&self) -> bool {
        match self {
            Self::Tcp { host, .. } => match host.parse::<IpAddr>() {
                Ok(address) => !address.is_loopback(),
                Err(_) => host != "localhost",
            },
            _ => false,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Activated(None) => write!(f, "fd://"),
            Self::Activated(Some(number)) => write!(f, "fd://{number}"),
        }
    }
}

/// `[::1]:80`, `host:80`, `host`; the brackets are taken off.
fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some(rest) = text.strip_prefix('[')
        && let Some((host, rest)) = rest.split_once(']')
    {
        return (host, rest.strip_prefix(':'));
    }
    match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, remote: bool) {
        let host = Host::parse(text, false).unwrap();
        assert_eq!(host.to_string(), expected);
        assert_eq!(host.is_remote(), remote, "{text}");
    }

    #[test]
    fn reads_addresses() {
        check("unix:///run/dhow.sock", "unix:///run/dhow.sock", false);
        check("tcp://", "tcp://127.0.0.1:2375", false);
        check("tcp://:2380", "tcp://127.0.0.1:2380", false);
        check("tcp://0.0.0.0:1", "tcp://0.0.0.0:1", true);
        check("tcp://[::1]:0", "tcp://[::1]:0", false);
        check("tcp://[::]", "tcp://[::]:2375", true);
        check("tcp://localhost:1", "tcp://localhost:1", false);
        check("tcp://example.test", "tcp://example.test:2375", true);
        check("fd://", "fd://", false);
        check("fd://1", "fd://1", false);
        assert_eq!(
            Host::parse("tcp://h", true).unwrap().to_string(),
            "tcp://h:2376"
        );
    }

    #[test]
    fn names_addresses_it_cannot_read() {
        for bad in [
            "/run/x.sock",
            "unix://x",
            "ssh://h",
            "tcp://h:port",
            "tcp://a@b:1",
            "fd://x",
        ] {
            let error = Host::parse(bad, false).unwrap_err().to_string();
            assert!(error.contains(bad), "{error}");
        }
    }
}
