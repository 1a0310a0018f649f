//! Addresses of links.

use std::net::IpAddr;

use super::wire::{self, Message, NLM_F_CREATE, NLM_F_EXCL};
use super::{Error, Socket};

const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
/// `struct ifaddrmsg`.
const ADDRESS_HEADER: usize = 8;

/// An address and the link that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    pub link: u32,
    pub ip: IpAddr,
    pub prefix: u8,
}

impl Socket {
    /// All addresses of the namespace.
    pub fn addresses(&mut self) -> Result<Vec<Address>, Error> {
        let mut addresses = Vec::new();
        self.dump(
            Message::new(RTM_GETADDR, 0, &[0; ADDRESS_HEADER]),
            || "list addresses".into(),
            |payload| addresses.extend(parse(payload)),
        )?;
        Ok(addresses)
    }

    /// Gives a link an address; for IPv4 with the subnet's broadcast address.
    pub fn add_address(&mut self, address: &Address) -> Result<(), Error> {
        let mut message = request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
        if let IpAddr::V4(ip) = address.ip
            && address.prefix < 31
        {
            let hosts = u32::MAX >> address.prefix;
            message.put(IFA_BROADCAST, &(u32::from(ip) | hosts).to_be_bytes());
        }
        self.request(message, || describe("add", address))
    }

    /// Takes an address from a link.
    pub fn delete_address(&mut self, address: &Address) -> Result<(), Error> {
        let message = request(RTM_DELADDR, 0, address);
        self.request(message, || describe("delete", address))
    }
}

fn describe(verb: &str, address: &Address) -> String {
    let Address { link, ip, prefix } = address;
    format!("{verb} address {ip}/{prefix} on link {link}")
}

fn request(kind: u16, flags: u16, address: &Address) -> Message {
    let mut fixed = [0; ADDRESS_HEADER];
    fixed[0] = super::route::family(address.ip);
    fixed[1] = address.prefix;
    fixed[4..8].copy_from_slice(&address.link.to_ne_bytes());
    let mut message = Message::new(kind, flags, &fixed);
    super::route::put_ip(&mut message, IFA_LOCAL, address.ip);
    super::route::put_ip(&mut message, IFA_ADDRESS, address.ip);
    message
}

fn parse(payload: &[u8]) -> Option<Address> {
    let attributes = payload.get(ADDRESS_HEADER..)?;
    // On point-to-point links IFA_ADDRESS is the other side's.
    let ip = wire::attribute(attributes, IFA_LOCAL)
        .or_else(|| wire::attribute(attributes, IFA_ADDRESS))
        .and_then(super::route::ip)?;
    Some(Address {
        link: wire::u32_at(payload, 4)?,
        ip,
        prefix: payload[1],
    })
}
