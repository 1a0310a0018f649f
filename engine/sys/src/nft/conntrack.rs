//! Connections the kernel remembers. A UDP "connection" keeps its translation
//! for as long as datagrams keep coming, whatever the rules say by then; so it
//! must be forgotten when a port gets or loses its target.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::netlink::{self, wire};

use super::{Nft, header};

const NFNL_SUBSYS_CTNETLINK: u16 = 1;
const IPCTNL_MSG_CT_GET: u16 = 1;
const IPCTNL_MSG_CT_DELETE: u16 = 2;
const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_ID: u16 = 12;

/// An IPv4 UDP flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdpFlow {
    /// Who sent the first datagram.
    pub source: SocketAddrV4,
    /// Where it was sent.
    pub destination: SocketAddrV4,
    /// Who answers: not `destination` if that was translated.
    pub answerer: SocketAddrV4,
}

impl Nft {
    /// Makes the kernel forget the IPv4 UDP flows that `stale` picks; returns
    /// how many.
    pub fn forget_udp(
        &mut self,
        stale: impl Fn(&UdpFlow) -> bool,
    ) -> Result<usize, netlink::Error> {
        let kind = |message| (NFNL_SUBSYS_CTNETLINK << 8) | message;
        let fixed = header(libc::AF_INET as u8, 0);
        let mut picked = Vec::new();
        self.socket.dump(
            wire::Message::new(kind(IPCTNL_MSG_CT_GET), 0, &fixed),
            || "list connections".into(),
            |payload| {
                let attributes = payload.get(4..).unwrap_or(&[]);
                if parse(attributes).is_some_and(|flow| stale(&flow)) {
                    picked.push(attributes.to_vec());
                }
            },
        )?;
        for attributes in &picked {
            let mut message = wire::Message::new(kind(IPCTNL_MSG_CT_DELETE), 0, &fixed);
            for (kind, value) in wire::attributes(attributes) {
                match kind {
                    CTA_TUPLE_ORIG => message.nest(kind, |nested| nested.raw(value)),
                    CTA_ID => message.put(kind, value),
                    _ => {}
                }
            }
            match self
                .socket
                .request(message, || "forget a connection".into())
            {
                Err(error) if error.is_not_found() => {}
                other => other?,
            }
        }
        Ok(picked.len())
    }
}

fn parse(attributes: &[u8]) -> Option<UdpFlow> {
    let (source, destination) = tuple(wire::attribute(attributes, CTA_TUPLE_ORIG)?)?;
    let (answerer, _) = tuple(wire::attribute(attributes, CTA_TUPLE_REPLY)?)?;
    Some(UdpFlow {
        source,
        destination,
        answerer,
    })
}

/// Source and destination of a UDP tuple.
fn tuple(attributes: &[u8]) -> Option<(SocketAddrV4, SocketAddrV4)> {
    let ip = wire::attribute(attributes, 1)?;
    let protocol = wire::attribute(attributes, 2)?;
    if wire::attribute(protocol, 1)? != [libc::IPPROTO_UDP as u8] {
        return None;
    }
    let end = |address: u16, port: u16| {
        let address: [u8; 4] = wire::attribute(ip, address)?.try_into().ok()?;
        let port: [u8; 2] = wire::attribute(protocol, port)?.try_into().ok()?;
        let address = Ipv4Addr::from(address);
        Some(SocketAddrV4::new(address, u16::from_be_bytes(port)))
    };
    Some((end(1, 2)?, end(2, 3)?))
}
