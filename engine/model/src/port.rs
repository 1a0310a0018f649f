//! Ports as images expose them (`80/tcp`) and as people publish them
//! (`127.0.0.1:8000-8002:80-82/udp`).
//!
//! Rules and texts are those of Docker's client. Which host ports are free is
//! not known here.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, HasKind};

/// What runs over a port.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Proto {
    /// TCP, which is meant where none is named.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// A port inside a container; its text form is `80/tcp`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Port {
    /// The number.
    pub number: u16,
    /// What runs over it.
    pub proto: Proto,
}

/// Ports from `start` to `end`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PortRange {
    /// The first.
    pub start: u16,
    /// The last, at least `start`.
    pub end: u16,
}

/// Where a container's port shall be reachable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PortSpec {
    /// The port inside.
    pub container: Port,
    /// The address on the host, or all of them.
    pub address: Option<IpAddr>,
    /// One of these ports on the host, or any free one.
    pub host: Option<PortRange>,
}

/// A text that is no port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPort {
    /// Nothing where the container's port should be.
    #[error("no port specified: {0}<empty>")]
    Missing(String),
    /// The container's port is no port or range.
    #[error("invalid containerPort: {0}")]
    Container(String),
    /// The host's port is no port or range.
    #[error("invalid hostPort: {0}")]
    Host(String),
    /// Not tcp, udp or sctp.
    #[error("invalid proto: {0}")]
    Proto(String),
    /// No address of version 4 or 6.
    #[error("invalid IP address: {0}")]
    Address(String),
    /// Ranges of different length.
    #[error("invalid ranges specified for container and host Ports: {container} and {host}")]
    Ranges {
        /// The container's.
        container: String,
        /// The host's.
        host: String,
    },
    /// Not a number up to 65535, or a range that runs backwards.
    #[error("invalid port range: {0}")]
    Range(String),
}

impl HasKind for InvalidPort {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Proto {
    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl PortRange {
    /// The range of one port.
    pub fn single(port: u16) -> Self {
        Self {
            start: port,
            end: port,
        }
    }

    /// How many ports there are.
    pub fn count(&self) -> usize {
        usize::from(self.end - self.start) + 1
    }

    /// Every port, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + use<> {
        self.start..=self.end
    }
}

impl PortSpec {
    /// Reads `[address:][host[-host]:]container[-container][/proto]`: one
    /// result for each of the container's ports.
    pub fn parse(text: &str) -> Result<Vec<Self>, InvalidPort> {
        let mut parts = text.rsplitn(3, ':');
        let container = parts.next().unwrap_or_default();
        let host = parts.next().unwrap_or_default();
        let address = parts.next().unwrap_or_default();
        let (container, proto) = container.split_once('/').unwrap_or((container, ""));
        if container.is_empty() {
            return Err(InvalidPort::Missing(text.to_owned()));
        }
        let proto: Proto = proto.to_lowercase().parse()?;
        let address = parse_address(address)?;
        let inside: PortRange = container
            .parse()
            .map_err(|_| InvalidPort::Container(container.to_owned()))?;
        let outside = parse_host(host)?;
        match outside {
            // A range for a single port is a choice, not a sequence.
            Some(outside) if inside.count() > 1 && outside.count() != inside.count() => {
                Err(InvalidPort::Ranges {
                    container: container.to_owned(),
                    host: host.to_owned(),
                })
            }
            _ => Ok(inside
                .iter()
                .map(|number| Self {
                    container: Port { number, proto },
                    address,
                    host: outside.map(|outside| match inside.count() {
                        1 => outside,
                        _ => PortRange::single(outside.start + (number - inside.start)),
                    }),
                })
                .collect()),
        }
    }

    /// One binding of an API request: `HostIp` and `HostPort`, each of which
    /// may be empty; port 0 is any free one.
    pub fn from_binding(container: Port, address: &str, host: &str) -> Result<Self, InvalidPort> {
        Ok(Self {
            container,
            address: parse_address(address)?,
            host: parse_host(host)?,
        })
    }
}

impl FromStr for Proto {
    type Err = InvalidPort;

    fn from_str(text: &str) -> Result<Self, InvalidPort> {
        match text {
            "" | "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            other => Err(InvalidPort::Proto(other.to_owned())),
        }
    }
}

impl fmt::Display for Proto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PortRange {
    type Err = InvalidPort;

    fn from_str(text: &str) -> Result<Self, InvalidPort> {
        let wrong = || InvalidPort::Range(text.to_owned());
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits
                .then(|| text.parse::<u16>().ok())
                .flatten()
                .ok_or_else(wrong)
        };
        let (start, end) = text.split_once('-').unwrap_or((text, text));
        let (start, end) = (number(start)?, number(end)?);
        if end < start {
            return Err(wrong());
        }
        Ok(Self { start, end })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            write!(f, "{}", self.start)
        } else {
            write!(f, "{}-{}", self.start, self.end)
        }
    }
}

impl Port {
    /// Reads `80`, `80/udp` or `8000-8010/tcp`: a port of an `EXPOSE` line.
    pub fn parse_range(text: &str) -> Result<Vec<Self>, InvalidPort> {
        let (range, proto) = text.split_once('/').unwrap_or((text, ""));
        let range: PortRange = range
            .parse()
            .map_err(|_| InvalidPort::Container(range.to_owned()))?;
        let proto: Proto = proto.to_lowercase().parse()?;
        Ok(range.iter().map(|number| Self { number, proto }).collect())
    }
}

impl FromStr for Port {
    type Err = InvalidPort;

    fn from_str(text: &str) -> Result<Self, InvalidPort> {
        match Self::parse_range(text)?[..] {
            [port] => Ok(port),
            _ => Err(InvalidPort::Container(text.to_owned())),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.proto)
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Port {
    type Error = InvalidPort;

    fn try_from(text: String) -> Result<Self, InvalidPort> {
        text.parse()
    }
}

impl From<Port> for String {
    fn from(port: Port) -> Self {
        port.to_string()
    }
}

fn parse_address(text: &str) -> Result<Option<IpAddr>, InvalidPort> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || InvalidPort::Address(text.to_owned());
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or_else(wrong)?,
        None => text,
    };
    bare.parse().map(Some).map_err(|_| wrong())
}

fn parse_host(text: &str) -> Result<Option<PortRange>, InvalidPort> {
    if text.is_empty() {
        return Ok(None);
    }
    let range: PortRange = text
        .parse()
        .map_err(|_| InvalidPort::Host(text.to_owned()))?;
    Ok((range.end != 0).then_some(range))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[(&str, &str, &str)]) {
        let parsed = PortSpec::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let shown: Vec<_> = parsed
            .iter()
            .map(|spec| {
                let address = spec.address.map_or(String::new(), |a| a.to_string());
                let host = spec.host.map_or(String::new(), |h| h.to_string());
                (spec.container.to_string(), address, host)
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(c, a, h)| (c.to_string(), a.to_string(), h.to_string()))
            .collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn published_ports_are_read() {
        check("80", &[("80/tcp", "", "")]);
        check("80/UDP", &[("80/udp", "", "")]);
        check("8080:80", &[("80/tcp", "", "8080")]);
        check("127.0.0.1::80", &[("80/tcp", "127.0.0.1", "")]);
        check("127.0.0.1:0:80", &[("80/tcp", "127.0.0.1", "")]);
        check("[::1]:8080:80/sctp", &[("80/sctp", "::1", "8080")]);
        check("::1:8080:80", &[("80/tcp", "::1", "8080")]);
        check(
            "8080-8082:80-82",
            &[
                ("80/tcp", "", "8080"),
                ("81/tcp", "", "8081"),
                ("82/tcp", "", "8082"),
            ],
        );
        check("8080-8082:80", &[("80/tcp", "", "8080-8082")]);
        check("80-81", &[("80/tcp", "", ""), ("81/tcp", "", "")]);
        check(
            "65534-65535:65534-65535",
            &[("65534/tcp", "", "65534"), ("65535/tcp", "", "65535")],
        );
    }

    #[test]
    fn wrong_ports_are_refused_in_docker_s_words() {
        let refuse = |text: &str, message: &str| {
            assert_eq!(PortSpec::parse(text).expect_err(text).to_string(), message);
        };
        refuse("", "no port specified: <empty>");
        refuse("80:", "no port specified: 80:<empty>");
        refuse("/tcp", "no port specified: /tcp<empty>");
        refuse("80/icmp", "invalid proto: icmp");
        refuse("x:80", "invalid hostPort: x");
        refuse("80:x", "invalid containerPort: x");
        refuse("80:65536", "invalid containerPort: 65536");
        refuse("80:-1", "invalid containerPort: -1");
        refuse("80:+1", "invalid containerPort: +1");
        refuse("82-80:80-82", "invalid hostPort: 82-80");
        refuse("host:80:80", "invalid IP address: host");
        refuse("[::1:80:80", "invalid IP address: [::1");
        refuse(
            "80-81:80-82",
            "invalid ranges specified for container and host Ports: 80-82 and 80-81",
        );
    }

    #[test]
    fn exposed_ports_are_read() {
        assert_eq!("80".parse::<Port>().unwrap().to_string(), "80/tcp");
        assert_eq!("53/udp".parse::<Port>().unwrap().to_string(), "53/udp");
        assert_eq!(Port::parse_range("8000-8002/tcp").unwrap().len(), 3);
        for text in ["", "x", "80-81", "80/", "80/tcp/udp", "-80"] {
            assert_eq!(text.parse::<Port>().is_ok(), text == "80/", "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[0-9:./\\[\\]a-f-]{0,24}") {
            let _ = PortSpec::parse(&text);
        }
    }
}
