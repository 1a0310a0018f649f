//! What can go wrong with a network, in Docker's words where it has some.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use dhow_model::{ErrorKind, HasKind};
use dhow_sys::{netlink, netns};
use ipnet::Ipv4Net;

use crate::endpoint::{Protocol, PublishedPort};

/// A network operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused a change of links, addresses, routes or rules.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    /// A network namespace could not be made or entered.
    #[error(transparent)]
    Namespace(#[from] netns::Error),
    /// A kernel setting could not be changed.
    #[error("set {}", .path.display())]
    Setting {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Another container has the host port.
    #[error("Bind for {address}:{port} failed: port is already allocated")]
    PortAllocated { address: IpAddr, port: u16 },
    /// The host port cannot be had from the kernel.
    #[error(
        "failed to bind host port for {}:{container}:{}/{}: {}",
        .port.host, .port.container_port, .port.protocol, go_text(.cause)
    )]
    PortBind {
        port: PublishedPort,
        container: Ipv4Addr,
        cause: io::Error,
    },
    /// Every port of the range is taken.
    #[error("all ports are allocated")]
    PortsExhausted { protocol: Protocol },
    /// Every address of the bridge's subnet is taken.
    #[error("no available IPv4 addresses on this network's address pools: bridge ({subnet})")]
    AddressesExhausted { subnet: Ipv4Net },
    /// A running container's address is already another's.
    #[error("Address already in use")]
    AddressInUse { address: Ipv4Addr },
    /// Every private range the engine knows overlaps the host's networks.
    #[error("all predefined address pools have been fully subnetted")]
    SubnetsExhausted,
    /// `--bip` is no usable address.
    #[error("invalid bridge address {0}: not a host address of its subnet")]
    InvalidBridgeAddress(Ipv4Net),
    /// `--bip` overlaps what the host has.
    #[error("bridge address {bip} overlaps {other} on this host")]
    Overlap { bip: Ipv4Net, other: Ipv4Net },
    /// The name belongs to a link of another kind.
    #[error("{0} exists and is not a bridge")]
    NotABridge(String),
    /// A bridge that the engine does not manage must be there.
    #[error("bridge device {0} does not exist, or has no IPv4 address")]
    NoBridge(String),
    /// No container has this endpoint.
    #[error("endpoint {0} not found")]
    NoEndpoint(String),
    /// A link's or table's name is none.
    #[error("invalid bridge or table name {0:?}")]
    InvalidName(String),
}

impl HasKind for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Netlink(error) => error.kind(),
            Self::Namespace(error) => error.kind(),
            Self::InvalidBridgeAddress(_)
            | Self::Overlap { .. }
            | Self::NotABridge(_)
            | Self::InvalidName(_)
            | Self::NoBridge(_) => ErrorKind::InvalidParameter,
            Self::NoEndpoint(_) => ErrorKind::NotFound,
            // Docker answers 500 to a start whose ports are taken.
            Self::Setting { .. }
            | Self::PortAllocated { .. }
            | Self::PortBind { .. }
            | Self::PortsExhausted { .. }
            | Self::AddressesExhausted { .. }
            | Self::AddressInUse { .. }
            | Self::SubnetsExhausted => ErrorKind::System,
        }
    }
}

/// An errno as Docker's texts spell it: lower case, without its number.
fn go_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_ports_are_told_in_dockers_words() {
        let error = Error::PortAllocated {
            address: Ipv4Addr::UNSPECIFIED.into(),
            port: 8080,
        };
        assert_eq!(
            error.to_string(),
            "Bind for 0.0.0.0:8080 failed: port is already allocated"
        );
        let error = Error::PortBind {
            port: PublishedPort {
                protocol: Protocol::Tcp,
                container_port: 80,
                host: "0.0.0.0:8080".parse().unwrap(),
            },
            container: Ipv4Addr::new(172, 17, 0, 2),
            cause: io::Error::from_raw_os_error(98),
        };
        assert_eq!(
            error.to_string(),
            "failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use"
        );
    }
}
