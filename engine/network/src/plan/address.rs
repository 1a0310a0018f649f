//! Which subnet the bridge has, and who has which address of it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use dhow_sys::netlink::MacAddress;
use ipnet::Ipv4Net;

use crate::Error;

/// The subnets tried for a bridge without `--bip`, in Docker's order.
pub fn default_subnets() -> impl Iterator<Item = Ipv4Net> {
    let large = (17..=31).map(|second| net(Ipv4Addr::new(172, second, 0, 0), 16));
    let small = (0..=240)
        .step_by(16)
        .map(|third| net(Ipv4Addr::new(192, 168, third, 0), 20));
    large.chain(small)
}

fn net(address: Ipv4Addr, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(address, prefix)
}

/// The bridge's own address with its subnet: `bip` if given, else what the
/// bridge already has, else the first host address of the first default subnet
/// that overlaps nothing in `taken` (the host's routes and addresses, without
/// the bridge's own).
pub fn choose_subnet(
    bip: Option<Ipv4Net>,
    present: Option<Ipv4Net>,
    taken: &[Ipv4Net],
) -> Result<Ipv4Net, Error> {
    if let Some(bip) = bip {
        let address = bip.addr();
        let usable =
            bip.prefix_len() <= 30 && address != bip.network() && address != bip.broadcast();
        if !usable {
            return Err(Error::InvalidBridgeAddress(bip));
        }
        return match taken.iter().find(|other| overlaps(&bip, other)) {
            Some(other) => Err(Error::Overlap { bip, other: *other }),
            None => Ok(bip),
        };
    }
    present
        .into_iter()
        .chain(default_subnets().map(first_address))
        .find(|subnet| !taken.iter().any(|other| overlaps(subnet, other)))
        .ok_or(Error::SubnetsExhausted)
}

fn first_address(subnet: Ipv4Net) -> Ipv4Net {
    net(
        Ipv4Addr::from(u32::from(subnet.network()) + 1),
        subnet.prefix_len(),
    )
}

/// Default routes overlap everything and mean nothing.
fn overlaps(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    b.prefix_len() > 0 && (a.contains(&b.network()) || b.contains(&a.network()))
}

/// The hardware address that goes with an IPv4 address. Deriving it keeps
/// neighbours' ARP entries right when an address finds a new owner.
pub fn mac_of(address: Ipv4Addr) -> MacAddress {
    let [a, b, c, d] = address.octets();
    MacAddress([0x02, 0x42, a, b, c, d])
}

/// The addresses of one subnet and which are leased.
#[derive(Debug, Clone)]
pub struct AddressPlan {
    subnet: Ipv4Net,
    gateway: Ipv4Addr,
    leased: BTreeSet<Ipv4Addr>,
}

impl AddressPlan {
    /// All of the bridge's subnet but its own address.
    pub fn new(bridge: Ipv4Net) -> Self {
        Self {
            subnet: bridge.trunc(),
            gateway: bridge.addr(),
            leased: BTreeSet::new(),
        }
    }

    pub fn subnet(&self) -> Ipv4Net {
        self.subnet
    }

    pub fn gateway(&self) -> Ipv4Addr {
        self.gateway
    }

    pub fn prefix(&self) -> u8 {
        self.subnet.prefix_len()
    }

    /// Leases the lowest free address.
    pub fn lease(&mut self) -> Result<Ipv4Addr, Error> {
        let first = u32::from(self.subnet.network()) + 1;
        let last = u32::from(self.subnet.broadcast());
        let mut leased = self.leased.iter().copied().map(u32::from).peekable();
        for candidate in first..last {
            // Both run upwards, so this is one walk over the leases.
            while leased.peek().is_some_and(|l| *l < candidate) {
                leased.next();
            }
            let taken = leased.peek() == Some(&candidate);
            let address = Ipv4Addr::from(candidate);
            if !taken && address != self.gateway {
                self.leased.insert(address);
                return Ok(address);
            }
        }
        Err(Error::AddressesExhausted {
            subnet: self.subnet,
        })
    }

    /// Registers an address that is in use already.
    pub fn adopt(&mut self, address: Ipv4Addr) -> Result<(), Error> {
        if self.leased.insert(address) {
            Ok(())
        } else {
            Err(Error::AddressInUse { address })
        }
    }

    /// Gives an address back.
    pub fn release(&mut self, address: Ipv4Addr) {
        self.leased.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(texts: &[&str]) -> Vec<Ipv4Net> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn check(bip: Option<&str>, present: Option<&str>, taken: &[&str], expected: &str) {
        let parse = |text: &str| text.parse().unwrap();
        let found = choose_subnet(bip.map(parse), present.map(parse), &nets(taken));
        let text = found.map_or_else(|error| error.to_string(), |subnet| subnet.to_string());
        assert_eq!(text, expected);
    }

    #[test]
    fn the_first_subnet_the_host_does_not_know_is_taken() {
        check(None, None, &[], "172.17.0.1/16");
        check(None, None, &["0.0.0.0/0", "10.0.0.0/8"], "172.17.0.1/16");
        check(None, None, &["172.17.0.0/16"], "172.18.0.1/16");
        check(
            None,
            None,
            &["172.17.3.4/32", "172.18.0.0/15"],
            "172.20.0.1/16",
        );
        check(None, None, &["172.16.0.0/12"], "192.168.0.1/20");
        check(
            None,
            None,
            &["172.16.0.0/12", "192.168.0.0/16"],
            "all predefined address pools have been fully subnetted",
        );
    }

    #[test]
    fn a_bridge_keeps_its_subnet_unless_it_got_in_the_way() {
        check(None, Some("172.20.0.1/16"), &[], "172.20.0.1/16");
        check(
            None,
            Some("172.20.0.1/16"),
            &["172.20.1.0/24"],
            "172.17.0.1/16",
        );
    }

    #[test]
    fn bip_is_obeyed_or_refused() {
        check(
            Some("10.1.2.3/24"),
            Some("172.20.0.1/16"),
            &[],
            "10.1.2.3/24",
        );
        check(
            Some("10.1.2.0/24"),
            None,
            &[],
            "invalid bridge address 10.1.2.0/24: not a host address of its subnet",
        );
        check(
            Some("10.1.2.1/24"),
            None,
            &["10.0.0.0/8"],
            "bridge address 10.1.2.1/24 overlaps 10.0.0.0/8 on this host",
        );
    }

    #[test]
    fn addresses_are_leased_lowest_first_and_run_out() {
        let mut plan = AddressPlan::new("10.0.0.3/29".parse().unwrap());
        let mut leases: Vec<u8> = Vec::new();
        while let Ok(address) = plan.lease() {
            leases.push(address.octets()[3]);
        }
        assert_eq!(leases, [1, 2, 4, 5, 6]);
        assert!(matches!(
            plan.lease(),
            Err(Error::AddressesExhausted { .. })
        ));
        plan.release(Ipv4Addr::new(10, 0, 0, 4));
        plan.release(Ipv4Addr::new(10, 0, 0, 2));
        assert_eq!(plan.lease().unwrap(), Ipv4Addr::new(10, 0, 0, 2));
        assert!(plan.adopt(Ipv4Addr::new(10, 0, 0, 2)).is_err());
        plan.adopt(Ipv4Addr::new(10, 0, 0, 4)).unwrap();
        assert!(plan.lease().is_err());
    }

    #[test]
    fn macs_follow_addresses() {
        assert_eq!(
            mac_of(Ipv4Addr::new(172, 17, 0, 2)).to_string(),
            "02:42:ac:11:00:02"
        );
    }
}
