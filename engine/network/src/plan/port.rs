//! Who has which host port, and which ports a request may try.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use crate::Error;
use crate::endpoint::{PortRequest, Protocol, PublishedPort};

/// Used where the kernel does not say which ports are ephemeral.
pub const FALLBACK_RANGE: RangeInclusive<u16> = 49153..=65535;

/// The host ports that containers of this engine have.
#[derive(Debug, Clone)]
pub struct PortPlan {
    taken: BTreeMap<(Protocol, u16), Vec<IpAddr>>,
    ephemeral: RangeInclusive<u16>,
    /// The last port given out for each request that named none.
    last: BTreeMap<Protocol, u16>,
}

impl PortPlan {
    /// No port taken; requests without a port get one of `ephemeral`.
    pub fn new(ephemeral: RangeInclusive<u16>) -> Self {
        Self {
            taken: BTreeMap::new(),
            ephemeral,
            last: BTreeMap::new(),
        }
    }

    /// The host ports to try for `request` at `addresses`, in order. A request
    /// for one port that a container has fails with Docker's text; of several,
    /// the free ones are left.
    pub fn candidates(
        &self,
        request: &PortRequest,
        addresses: &[IpAddr],
    ) -> Result<Vec<u16>, Error> {
        let conflict = |port: u16| {
            addresses
                .iter()
                .copied()
                .find(|address| !self.is_free(request.protocol, *address, port))
        };
        let range = match &request.host_ports {
            Some(range) if range.start() == range.end() => {
                let port = *range.start();
                return match conflict(port) {
                    Some(address) => Err(Error::PortAllocated { address, port }),
                    None => Ok(vec![port]),
                };
            }
            Some(range) => range.clone().collect::<Vec<u16>>(),
            None => self.rotated(request.protocol),
        };
        let free: Vec<u16> = range
            .into_iter()
            .filter(|port| conflict(*port).is_none())
            .collect();
        if free.is_empty() {
            return Err(Error::PortsExhausted {
                protocol: request.protocol,
            });
        }
        Ok(free)
    }

    /// Takes a port; what [`Self::candidates`] offered is free.
    pub fn take(&mut self, port: &PublishedPort, ephemeral: bool) {
        self.taken
            .entry((port.protocol, port.host.port()))
            .or_default()
            .push(port.host.ip());
        if ephemeral {
            self.last.insert(port.protocol, port.host.port());
        }
    }

    /// Gives a port back.
    pub fn release(&mut self, port: &PublishedPort) {
        let key = (port.protocol, port.host.port());
        if let Some(addresses) = self.taken.get_mut(&key) {
            addresses.retain(|address| *address != port.host.ip());
            if addresses.is_empty() {
                self.taken.remove(&key);
            }
        }
    }

    fn is_free(&self, protocol: Protocol, address: IpAddr, port: u16) -> bool {
        let Some(taken) = self.taken.get(&(protocol, port)) else {
            return true;
        };
        !taken.iter().any(|other| {
            other.is_ipv4() == address.is_ipv4()
                && (*other == address || other.is_unspecified() || address.is_unspecified())
        })
    }

    /// The ephemeral range, beginning behind the port given out last, so that
    /// a port just released is not at once another container's.
    fn rotated(&self, protocol: Protocol) -> Vec<u16> {
        let (start, end) = (*self.ephemeral.start(), *self.ephemeral.end());
        let next = match self.last.get(&protocol) {
            Some(last) if *last >= start && *last < end => last + 1,
            _ => start,
        };
        (next..=end).chain(start..next).collect()
    }
}

/// The host addresses a request binds: its own, else the engine's default,
/// which when unspecified stands for both families.
pub fn bind_addresses(request: &PortRequest, default: IpAddr, ipv6: bool) -> Vec<IpAddr> {
    let both = |first: IpAddr| {
        let mut addresses = vec![first];
        if ipv6 && first == Ipv4Addr::UNSPECIFIED {
            addresses.push(Ipv6Addr::UNSPECIFIED.into());
        }
        addresses
    };
    match request.host_address {
        Some(address) => vec![address],
        None => both(default),
    }
}

/// The published ports of one request at one host port.
pub fn publish(request: &PortRequest, addresses: &[IpAddr], port: u16) -> Vec<PublishedPort> {
    addresses
        .iter()
        .map(|address| PublishedPort {
            protocol: request.protocol,
            container_port: request.container_port,
            host: SocketAddr::new(*address, port),
        })
        .collect()
}

/// The kernel's `ip_local_port_range`.
pub fn parse_ephemeral(text: &str) -> RangeInclusive<u16> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(start)), Some(Ok(end))) if start <= end => start..=end,
        _ => FALLBACK_RANGE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn request(host_ports: Option<RangeInclusive<u16>>) -> PortRequest {
        PortRequest {
            protocol: Protocol::Tcp,
            container_port: 80,
            host_address: None,
            host_ports,
        }
    }

    fn take(plan: &mut PortPlan, address: IpAddr, port: u16) {
        for port in publish(&request(None), &[address], port) {
            plan.take(&port, false);
        }
    }

    #[test]
    fn a_port_conflicts_with_the_same_and_the_unspecified_address() {
        let mut plan = PortPlan::new(FALLBACK_RANGE);
        take(&mut plan, LOOPBACK, 80);
        let wanted = request(Some(80..=80));
        let other: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(plan.candidates(&wanted, &[other]).unwrap(), [80]);
        assert_eq!(
            plan.candidates(&wanted, &[LOOPBACK])
                .unwrap_err()
                .to_string(),
            "Bind for 127.0.0.1:80 failed: port is already allocated"
        );
        assert_eq!(
            plan.candidates(&wanted, &[ANY]).unwrap_err().to_string(),
            "Bind for 0.0.0.0:80 failed: port is already allocated"
        );
        let v6: IpAddr = Ipv6Addr::UNSPECIFIED.into();
        assert_eq!(plan.candidates(&wanted, &[v6]).unwrap(), [80]);
        let udp = PortRequest {
            protocol: Protocol::Udp,
            ..wanted.clone()
        };
        assert_eq!(plan.candidates(&udp, &[ANY]).unwrap(), [80]);
        plan.release(&publish(&wanted, &[LOOPBACK], 80)[0]);
        assert_eq!(plan.candidates(&wanted, &[ANY]).unwrap(), [80]);
    }

    #[test]
    fn a_range_offers_what_is_free() {
        let mut plan = PortPlan::new(FALLBACK_RANGE);
        take(&mut plan, ANY, 8001);
        let wanted = request(Some(8000..=8002));
        assert_eq!(plan.candidates(&wanted, &[ANY]).unwrap(), [8000, 8002]);
        take(&mut plan, ANY, 8000);
        take(&mut plan, ANY, 8002);
        assert_eq!(
            plan.candidates(&wanted, &[ANY]).unwrap_err().to_string(),
            "all ports are allocated"
        );
    }

    #[test]
    fn ephemeral_ports_go_round() {
        let mut plan = PortPlan::new(100..=102);
        let next = |plan: &mut PortPlan| {
            let wanted = request(None);
            let port = plan.candidates(&wanted, &[ANY]).unwrap()[0];
            let published = publish(&wanted, &[ANY], port)[0];
            plan.take(&published, true);
            published
        };
        let first = next(&mut plan);
        assert_eq!(first.host.port(), 100);
        plan.release(&first);
        assert_eq!(next(&mut plan).host.port(), 101);
        assert_eq!(next(&mut plan).host.port(), 102);
        assert_eq!(next(&mut plan).host.port(), 100);
    }

    #[test]
    fn no_address_means_both_families() {
        let v6: IpAddr = Ipv6Addr::UNSPECIFIED.into();
        let wanted = request(None);
        assert_eq!(bind_addresses(&wanted, ANY, true), [ANY, v6]);
        assert_eq!(bind_addresses(&wanted, ANY, false), [ANY]);
        assert_eq!(bind_addresses(&wanted, LOOPBACK, true), [LOOPBACK]);
        let explicit = PortRequest {
            host_address: Some(ANY),
            ..wanted
        };
        assert_eq!(bind_addresses(&explicit, LOOPBACK, true), [ANY]);
    }

    #[test]
    fn the_kernels_range_is_read_or_replaced() {
        assert_eq!(parse_ephemeral("32768\t60999\n"), 32768..=60999);
        assert_eq!(parse_ephemeral("nonsense"), FALLBACK_RANGE);
        assert_eq!(parse_ephemeral("9 3"), FALLBACK_RANGE);
    }
}
