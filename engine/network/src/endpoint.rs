//! A container's place on the bridge: what is asked for, what it got.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use dhow_sys::netlink::MacAddress;
use serde::{Deserialize, Serialize};

pub use dhow_model::port::Proto as Protocol;

/// What a container asks of the bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointRequest {
    /// The endpoint's id, 64 digits; the caller draws it.
    pub id: String,
    /// `--mac-address`; otherwise derived from the address.
    pub mac: Option<MacAddress>,
    /// Ports to publish, in order.
    pub ports: Vec<PortRequest>,
}

/// One port to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortRequest {
    pub protocol: Protocol,
    pub container_port: u16,
    /// The host address; without one the engine's default (all, IPv4 and IPv6).
    pub host_address: Option<IpAddr>,
    /// The host ports to choose from, first free one; without them any.
    pub host_ports: Option<RangeInclusive<u16>>,
}

/// What a container got. Everything needed to find it again after a restart of
/// the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub id: String,
    pub address: Ipv4Addr,
    pub prefix: u8,
    pub gateway: Ipv4Addr,
    pub mac: MacAddress,
    /// The host's end of the veth pair.
    pub link: String,
    /// In the order asked for; IPv4 before IPv6.
    pub ports: Vec<PublishedPort>,
}

/// A host port that leads to a container port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublishedPort {
    pub protocol: Protocol,
    pub container_port: u16,
    pub host: SocketAddr,
}

/// The IP protocol's number.
pub(crate) fn protocol_number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
    }
}
