//! Where an engine listens, as people write it: `unix:///run/dhow.sock`,
//! `tcp://10.0.0.5:2376`, `ssh://me@host`.
//!
//! Pure: nothing is resolved or opened here.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::Error;

/// An engine's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// Plain HTTP over TCP.
    Tcp {
        /// Name or address, IPv6 without brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// HTTP over TLS.
    Tls {
        /// Name or address, IPv6 without brackets.
        host: String,
        /// Port.
        port: u16,
        /// Certificates and keys.
        files: TlsFiles,
    },
    /// A program on another machine that joins its stdio to the engine there.
    Ssh {
        /// `user@host` or `host`, as ssh takes it.
        destination: String,
        /// A port other than ssh's own.
        port: Option<u16>,
    },
}

/// What TLS needs from the file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// The client's certificate.
    pub cert: Option<PathBuf>,
    /// The client's key.
    pub key: Option<PathBuf>,
    /// Whether to take any certificate (`--tls` without `--tlsverify`).
    pub skip_verify: bool,
    /// The name the server's certificate is checked for, where it is not the
    /// host's.
    pub server_name: Option<String>,
}

impl Endpoint {
    /// The same endpoint, with TLS where it is a TCP one.
    pub fn with_tls(self, files: TlsFiles) -> Self {
        match self {
            Self::Tcp { host, port } | Self::Tls { host, port, .. } => {
                Self::Tls { host, port, files }
            }
            other => other,
        }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = || Error::InvalidHost(text.to_owned());
        let (scheme, rest) = match text.split_once("://") {
            Some(parts) => parts,
            None if text.starts_with('/') => ("unix", text),
            // `-H host:2375` has always meant TCP.
            None if !text.is_empty() => ("tcp", text),
            None => return Err(invalid()),
        };
        if let Some(fault) = authority_fault(scheme, rest) {
            let text = text.to_owned();
            return Err(Error::InvalidAddress { text, fault });
        }
        match scheme {
            "unix" if !rest.is_empty() => Ok(Self::Unix(PathBuf::from(rest))),
            "tcp" | "http" => {
                let (host, port) = host_port(rest, 2375).ok_or_else(invalid)?;
                Ok(Self::Tcp { host, port })
            }
            "https" => {
                let (host, port) = host_port(rest, 2376).ok_or_else(invalid)?;
                Ok(Self::Tls {
                    host,
                    port,
                    files: TlsFiles::default(),
                })
            }
            "ssh" => ssh(rest).ok_or_else(invalid),
            "npipe" | "fd" => Err(Error::UnsupportedTransport(text.to_owned())),
            _ => Err(Error::UnknownScheme(text.to_owned())),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |host: &str, port: &u16| {
            if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            }
        };
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } | Self::Tls { host, port, .. } => {
                write!(f, "tcp://{}", joined(host, port))
            }
            Self::Ssh {
                destination,
                port: Some(port),
            } => write!(f, "ssh://{destination}:{port}"),
            Self::Ssh { destination, .. } => write!(f, "ssh://{destination}"),
        }
    }
}

/// What Go's URL parser has against the part between `://` and the path.
pub(crate) fn authority_fault(scheme: &str, rest: &str) -> Option<String> {
    if scheme == "unix" || scheme == "npipe" {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    let after = match host.strip_prefix('[') {
        Some(inner) => match inner.split_once(']') {
            Some((_, after)) => after,
            None => return Some("missing ']' in host".to_owned()),
        },
        None => host.find(':').map_or("", |colon| &host[colon..]),
    };
    let digits = after.strip_prefix(':');
    let is_port = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if after.is_empty() || digits.is_some_and(is_port) {
        return None;
    }
    Some(format!("invalid port {after:?} after host"))
}

fn host_port(text: &str, default_port: u16) -> Option<(String, u16)> {
    let text = text.split('/').next().unwrap_or_default();
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if rest.is_empty() => default_port,
            None => return None,
        };
        return Some((host.to_owned(), port));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, default_port),
    };
    if host.contains(':') {
        return None;
    }
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    Some((host.to_owned(), port))
}

/// A destination starting with `-` would be read by ssh as an option.
fn ssh(text: &str) -> Option<Endpoint> {
    let text = text.trim_end_matches('/');
    if text.is_empty() || text.starts_with('-') || text.contains('/') {
        return None;
    }
    let (destination, port) = match text.rsplit_once(':') {
        Some((destination, port)) if !destination.ends_with(']') || !port.contains(']') => {
            (destination, Some(port.parse().ok()?))
        }
        _ => (text, None),
    };
    Some(Endpoint::Ssh {
        destination: destination.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), expected);
    }

    #[test]
    fn hosts_as_people_write_them() {
        check("unix:///run/dhow.sock", "unix:///run/dhow.sock");
        check("/run/dhow.sock", "unix:///run/dhow.sock");
        check("tcp://localhost", "tcp://localhost:2375");
        check("10.0.0.5:4243", "tcp://10.0.0.5:4243");
        check("tcp://:4243", "tcp://127.0.0.1:4243");
        check("tcp://[::1]:4243", "tcp://[::1]:4243");
        check("https://engine.example", "tcp://engine.example:2376");
        check("ssh://me@host:2222", "ssh://me@host:2222");
        check("ssh://me@host", "ssh://me@host");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "unix://",
            "tcp://a:b",
            "foo://x",
            "ssh://-oProxy",
            "tcp://::1",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text:?}");
        }
        assert!(matches!(
            "npipe:////./pipe/docker_engine".parse::<Endpoint>(),
            Err(Error::UnsupportedTransport(_))
        ));
    }
}
