//! Links: bridges, veth pairs, loopback; their state, names and masters.

use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::wire::{self, Message, NLM_F_CREATE, NLM_F_EXCL};
use super::{Error, Socket};

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTM_SETLINK: u16 = 19;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_GROUP: u16 = 27;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IN6_ADDR_GEN_MODE_NONE: u8 = 1;
const IFLA_PROTINFO: u16 = 12;
const IFLA_BRPORT_MODE: u16 = 4;

/// `struct ifinfomsg`.
const LINK_HEADER: usize = 16;

/// A hardware address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress(pub [u8; 6]);

/// A text that is not six hexadecimal bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid MAC address: {0}")]
pub struct NotMac(pub String);

/// One network interface, as far as we look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    pub name: String,
    pub mac: Option<MacAddress>,
    pub mtu: u32,
    /// The bridge it is a port of.
    pub master: Option<u32>,
    pub up: bool,
    /// `bridge`, `veth`, …; nothing for real devices and loopback.
    pub kind: Option<String>,
}

/// A veth pair to be made: one end here, plugged into `master`, the
/// other in another network namespace.
#[derive(Debug, Clone, Copy)]
pub struct NewVeth<'a> {
    pub name: &'a str,
    pub master: Option<u32>,
    pub mtu: u32,
    pub peer_netns: BorrowedFd<'a>,
    pub peer_name: &'a str,
    pub peer_mac: MacAddress,
}

impl Socket {
    /// The link called `name`, if there is one.
    pub fn link(&mut self, name: &str) -> Result<Option<Link>, Error> {
        let mut message = request(RTM_GETLINK, 0, 0, 0);
        message.put_text(IFLA_IFNAME, name);
        match self.get(message, || format!("look up link {name}")) {
            Ok(payload) => Ok(parse(&payload)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All links of the namespace.
    pub fn links(&mut self) -> Result<Vec<Link>, Error> {
        let mut links = Vec::new();
        self.dump(
            request(RTM_GETLINK, 0, 0, 0),
            || "list links".into(),
            |payload| links.extend(parse(payload)),
        )?;
        Ok(links)
    }

    /// Makes a bridge, down and without an address.
    pub fn add_bridge(&mut self, name: &str, mtu: u32, mac: MacAddress) -> Result<(), Error> {
        let mut message = request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
        message.put_text(IFLA_IFNAME, name);
        message.put_u32(IFLA_MTU, mtu);
        message.put(IFLA_ADDRESS, &mac.0);
        message.nest(IFLA_LINKINFO, |m| m.put_text(IFLA_INFO_KIND, "bridge"));
        self.request(message, || format!("add bridge {name}"))
    }

    /// Makes a veth pair in one request, both ends down. The peer is born in
    /// its namespace, because moving a link there later costs the kernel a
    /// grace period.
    pub fn add_veth(&mut self, veth: &NewVeth<'_>) -> Result<(), Error> {
        let mut message = request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
        message.put_text(IFLA_IFNAME, veth.name);
        message.put_u32(IFLA_MTU, veth.mtu);
        if let Some(master) = veth.master {
            message.put_u32(IFLA_MASTER, master);
        }
        message.nest(IFLA_LINKINFO, |info| {
            info.put_text(IFLA_INFO_KIND, "veth");
            info.nest(IFLA_INFO_DATA, |data| {
                data.nest(VETH_INFO_PEER, |peer| {
                    peer.raw(&header(0, u32::MAX));
                    peer.put_text(IFLA_IFNAME, veth.peer_name);
                    peer.put_u32(IFLA_MTU, veth.mtu);
                    peer.put(IFLA_ADDRESS, &veth.peer_mac.0);
                    peer.put_u32(IFLA_NET_NS_FD, veth.peer_netns.as_raw_fd() as u32);
                });
            });
        });
        self.request(message, || {
            format!("add veth pair {} and {}", veth.name, veth.peer_name)
        })
    }

    /// Sets the link up or down.
    pub fn set_up(&mut self, index: u32, up: bool) -> Result<(), Error> {
        let flags = if up { libc::IFF_UP as u32 } else { 0 };
        let message = request(RTM_NEWLINK, 0, index, flags);
        self.request(message, || format!("set link {index} up={up}"))
    }

    /// Plugs the link into a bridge, or (0) out of it.
    pub fn set_master(&mut self, index: u32, master: u32) -> Result<(), Error> {
        let mut message = request(RTM_NEWLINK, 0, index, u32::MAX);
        message.put_u32(IFLA_MASTER, master);
        self.request(message, || format!("set master of link {index}"))
    }

    /// Renames the link.
    pub fn set_name(&mut self, index: u32, name: &str) -> Result<(), Error> {
        let mut message = request(RTM_NEWLINK, 0, index, u32::MAX);
        message.put_text(IFLA_IFNAME, name);
        self.request(message, || format!("rename link {index} to {name}"))
    }

    /// Gives the link another hardware address.
    pub fn set_mac(&mut self, index: u32, mac: MacAddress) -> Result<(), Error> {
        let mut message = request(RTM_NEWLINK, 0, index, u32::MAX);
        message.put(IFLA_ADDRESS, &mac.0);
        self.request(message, || format!("set address of link {index} to {mac}"))
    }

    /// Sets the link's MTU.
    pub fn set_mtu(&mut self, index: u32, mtu: u32) -> Result<(), Error> {
        let mut message = request(RTM_NEWLINK, 0, index, u32::MAX);
        message.put_u32(IFLA_MTU, mtu);
        self.request(message, || format!("set MTU of link {index} to {mtu}"))
    }

    /// Keeps the kernel from giving the link an IPv6 link-local address.
    pub fn without_link_local(&mut self, index: u32) -> Result<(), Error> {
        let mut message = request(RTM_NEWLINK, 0, index, u32::MAX);
        message.nest(IFLA_AF_SPEC, |families| {
            families.nest(libc::AF_INET6 as u16, |inet6| {
                inet6.put(IFLA_INET6_ADDR_GEN_MODE, &[IN6_ADDR_GEN_MODE_NONE]);
            });
        });
        self.request(message, || format!("set address mode of link {index}"))
    }

    /// Lets a bridge send frames back out of the port they came in by, which a
    /// container needs to reach its own published port.
    pub fn set_hairpin(&mut self, index: u32, on: bool) -> Result<(), Error> {
        let mut message = bridge_request(index);
        message.nest(IFLA_PROTINFO, |port| {
            port.put(IFLA_BRPORT_MODE, &[u8::from(on)]);
        });
        self.request(message, || format!("set hairpin mode of link {index}"))
    }

    /// Deletes links in one go, by making them a group of their own: one by
    /// one, each costs the kernel a grace period. `group` must be a number
    /// that no other link has. Those that are gone already are not missed.
    pub fn delete_links(&mut self, indexes: &[u32], group: u32) -> Result<(), Error> {
        for index in indexes {
            let mut message = request(RTM_NEWLINK, 0, *index, u32::MAX);
            message.put_u32(IFLA_GROUP, group);
            match self.request(message, || format!("set group of link {index}")) {
                Err(error) if error.is_not_found() => {}
                other => other?,
            }
        }
        if indexes.is_empty() {
            return Ok(());
        }
        let mut message = request(RTM_DELLINK, 0, 0, 0);
        message.put_u32(IFLA_GROUP, group);
        match self.request(message, || format!("delete link group {group}")) {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }

    /// Deletes the link (and a veth's other end).
    pub fn delete_link(&mut self, index: u32) -> Result<(), Error> {
        let message = request(RTM_DELLINK, 0, index, 0);
        self.request(message, || format!("delete link {index}"))
    }
}

/// A link request. `up` is the wanted `IFF_UP` bit; `u32::MAX` leaves the
/// flags as they are.
fn request(kind: u16, flags: u16, index: u32, up: u32) -> Message {
    Message::new(kind, flags, &header(index, up))
}

fn bridge_request(index: u32) -> Message {
    let mut fixed = header(index, u32::MAX);
    fixed[0] = libc::AF_BRIDGE as u8;
    Message::new(RTM_SETLINK, 0, &fixed)
}

fn header(index: u32, up: u32) -> [u8; LINK_HEADER] {
    let (flags, change) = match up {
        u32::MAX => (0, 0),
        flags => (flags, libc::IFF_UP as u32),
    };
    let mut bytes = [0; LINK_HEADER];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..16].copy_from_slice(&change.to_ne_bytes());
    bytes
}

fn parse(payload: &[u8]) -> Option<Link> {
    let index = wire::u32_at(payload, 4)?;
    let flags = wire::u32_at(payload, 8)?;
    let mut link = Link {
        index,
        name: String::new(),
        mac: None,
        mtu: 0,
        master: None,
        up: flags & libc::IFF_UP as u32 != 0,
        kind: None,
    };
    for (kind, value) in wire::attributes(payload.get(LINK_HEADER..)?) {
        match kind {
            IFLA_IFNAME => link.name = wire::text(value),
            IFLA_ADDRESS => link.mac = value.try_into().ok().map(MacAddress),
            IFLA_MTU => link.mtu = wire::u32_at(value, 0)?,
            IFLA_MASTER => link.master = wire::u32_at(value, 0),
            IFLA_LINKINFO => link.kind = wire::attribute(value, IFLA_INFO_KIND).map(wire::text),
            _ => {}
        }
    }
    Some(link)
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MacAddress {
    type Err = NotMac;

    fn from_str(text: &str) -> Result<Self, NotMac> {
        let not_mac = || NotMac(text.to_owned());
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts.next().ok_or_else(not_mac)?;
            if part.len() != 2 {
                return Err(not_mac());
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| not_mac())?;
        }
        match parts.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err(not_mac()),
        }
    }
}

impl TryFrom<String> for MacAddress {
    type Error = NotMac;

    fn try_from(text: String) -> Result<Self, NotMac> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> Self {
        mac.to_string()
    }
}
