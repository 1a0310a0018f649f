//! The expressions rules are made of, and how they are written.

use std::net::IpAddr;

use crate::netlink::wire::Message;

use super::Family;

const NFTA_LIST_ELEM: u16 = 1;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;
const NFTA_DATA_VERDICT: u16 = 2;

/// One of the sixteen 4-byte registers of the rule machine. Values longer than
/// 4 bytes, and concatenated fields, occupy the ones that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(pub u8);

impl Register {
    fn number(self) -> u32 {
        // NFT_REG32_00 is 8. The first of each four is also known under an old
        // number (1 to 4) for 16 bytes, which older kernels require for names.
        match self.0 {
            n if n % 4 == 0 => 1 + u32::from(n) / 4,
            n => 8 + u32::from(n),
        }
    }
}

/// Where a payload offset counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadBase {
    Network,
    Transport,
}

/// What becomes of the packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Drop,
    Accept,
    Return,
    Jump(String),
}

/// Which address is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatKind {
    Source,
    Destination,
}

/// One expression of a rule. The `match_*` functions build the common pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Loads the name of the link the packet came in by.
    InputName(Register),
    /// Loads the name of the link it leaves by.
    OutputName(Register),
    /// Loads the transport protocol's number.
    TransportProtocol(Register),
    /// Loads the connection's state bits.
    ConnectionState(Register),
    /// Loads the connection's status bits.
    ConnectionStatus(Register),
    /// Loads the routing type (local, unicast, …) of the destination address.
    DestinationType(Register),
    /// Loads `length` bytes of the packet.
    Payload {
        base: PayloadBase,
        offset: u32,
        length: u32,
        to: Register,
    },
    /// Masks what is in a register: `register = register & mask`.
    Mask { register: Register, mask: Vec<u8> },
    /// Goes on only if the register holds (or, negated, does not hold) `value`.
    Compare {
        register: Register,
        equal: bool,
        value: Vec<u8>,
    },
    /// Goes on only if the set has the key; a map's value goes to `to`.
    Lookup {
        set: String,
        key: Register,
        to: Option<Register>,
    },
    /// Translates to the address (and port) in the registers.
    Nat {
        kind: NatKind,
        family: Family,
        address: Register,
        port: Option<Register>,
    },
    /// Translates the source to the address of the link it leaves by.
    Masquerade,
    /// Counts packets and bytes.
    Counter,
    /// Ends the rule.
    Verdict(Verdict),
}

impl Expression {
    /// Came in by link `name` (or not).
    pub fn match_input(name: &str, equal: bool) -> [Self; 2] {
        let register = Register(0);
        [
            Self::InputName(register),
            Self::Compare {
                register,
                equal,
                value: interface_name(name),
            },
        ]
    }

    /// Leaves by link `name` (or not).
    pub fn match_output(name: &str, equal: bool) -> [Self; 2] {
        let register = Register(0);
        [
            Self::OutputName(register),
            Self::Compare {
                register,
                equal,
                value: interface_name(name),
            },
        ]
    }

    /// The source address is in the subnet (or not).
    pub fn match_source(subnet: IpAddr, prefix: u8, equal: bool) -> Vec<Self> {
        let offset = if subnet.is_ipv4() { 12 } else { 8 };
        Self::match_address(offset, subnet, prefix, equal)
    }

    /// The destination address is in the subnet (or not).
    pub fn match_destination(subnet: IpAddr, prefix: u8, equal: bool) -> Vec<Self> {
        let offset = if subnet.is_ipv4() { 16 } else { 24 };
        Self::match_address(offset, subnet, prefix, equal)
    }

    fn match_address(offset: u32, subnet: IpAddr, prefix: u8, equal: bool) -> Vec<Self> {
        let register = Register(0);
        let mut value = octets(subnet);
        let mask = mask(value.len(), prefix);
        value.iter_mut().zip(&mask).for_each(|(byte, m)| *byte &= m);
        vec![
            Self::Payload {
                base: PayloadBase::Network,
                offset,
                length: value.len() as u32,
                to: register,
            },
            Self::Mask { register, mask },
            Self::Compare {
                register,
                equal,
                value,
            },
        ]
    }

    /// The destination is one of the host's own addresses.
    pub fn match_destination_local() -> [Self; 2] {
        const RTN_LOCAL: u32 = 2;
        let register = Register(0);
        [
            Self::DestinationType(register),
            Self::Compare {
                register,
                equal: true,
                value: RTN_LOCAL.to_ne_bytes().to_vec(),
            },
        ]
    }

    /// The connection is established, or related to one that is.
    pub fn match_established() -> [Self; 3] {
        const ESTABLISHED: u32 = 1 << 1;
        const RELATED: u32 = 1 << 2;
        let register = Register(0);
        Self::match_bits(Self::ConnectionState(register), ESTABLISHED | RELATED)
    }

    /// The connection's destination was translated.
    pub fn match_destination_translated() -> [Self; 3] {
        const IPS_DST_NAT: u32 = 1 << 5;
        let register = Register(0);
        Self::match_bits(Self::ConnectionStatus(register), IPS_DST_NAT)
    }

    fn match_bits(load: Self, bits: u32) -> [Self; 3] {
        let register = Register(0);
        [
            load,
            Self::Mask {
                register,
                mask: bits.to_ne_bytes().to_vec(),
            },
            Self::Compare {
                register,
                equal: false,
                value: vec![0; 4],
            },
        ]
    }

    /// Appends the expression to a rule's list.
    pub(super) fn write(&self, list: &mut Message) {
        list.nest(NFTA_LIST_ELEM, |element| {
            element.put_text(NFTA_EXPR_NAME, self.name());
            element.nest(NFTA_EXPR_DATA, |data| self.write_data(data));
        });
    }

    fn name(&self) -> &'static str {
        match self {
            Self::InputName(_) | Self::OutputName(_) | Self::TransportProtocol(_) => "meta",
            Self::ConnectionState(_) | Self::ConnectionStatus(_) => "ct",
            Self::DestinationType(_) => "fib",
            Self::Payload { .. } => "payload",
            Self::Mask { .. } => "bitwise",
            Self::Compare { .. } => "cmp",
            Self::Lookup { .. } => "lookup",
            Self::Nat { .. } => "nat",
            Self::Masquerade => "masq",
            Self::Counter => "counter",
            Self::Verdict(_) => "immediate",
        }
    }

    fn write_data(&self, data: &mut Message) {
        match self {
            Self::InputName(to) => load(data, *to, 6),
            Self::OutputName(to) => load(data, *to, 7),
            Self::TransportProtocol(to) => load(data, *to, 16),
            Self::ConnectionState(to) => load(data, *to, 0),
            Self::ConnectionStatus(to) => load(data, *to, 2),
            Self::DestinationType(to) => {
                const RESULT_ADDRTYPE: u32 = 3;
                const FLAG_DADDR: u32 = 1 << 1;
                data.put_be32(1, to.number());
                data.put_be32(2, RESULT_ADDRTYPE);
                data.put_be32(3, FLAG_DADDR);
            }
            Self::Payload {
                base,
                offset,
                length,
                to,
            } => {
                data.put_be32(1, to.number());
                data.put_be32(2, if *base == PayloadBase::Network { 1 } else { 2 });
                data.put_be32(3, *offset);
                data.put_be32(4, *length);
            }
            Self::Mask { register, mask } => {
                data.put_be32(1, register.number());
                data.put_be32(2, register.number());
                data.put_be32(3, mask.len() as u32);
                data.nest(4, |m| m.put(NFTA_DATA_VALUE, mask));
                data.nest(5, |m| m.put(NFTA_DATA_VALUE, &vec![0; mask.len()]));
            }
            Self::Compare {
                register,
                equal,
                value,
            } => {
                data.put_be32(1, register.number());
                data.put_be32(2, u32::from(!equal));
                data.nest(3, |m| m.put(NFTA_DATA_VALUE, value));
            }
            Self::Lookup { set, key, to } => {
                data.put_text(1, set);
                data.put_be32(2, key.number());
                if let Some(to) = to {
                    data.put_be32(3, to.number());
                }
            }
            Self::Nat {
                kind,
                family,
                address,
                port,
            } => {
                data.put_be32(1, u32::from(*kind == NatKind::Destination));
                data.put_be32(2, u32::from(family.number()));
                data.put_be32(3, address.number());
                if let Some(port) = port {
                    data.put_be32(5, port.number());
                }
            }
            Self::Masquerade | Self::Counter => {}
            Self::Verdict(verdict) => {
                data.put_be32(1, 0);
                data.nest(2, |value| {
                    value.nest(NFTA_DATA_VERDICT, |v| write_verdict(v, verdict));
                });
            }
        }
    }
}

fn load(data: &mut Message, to: Register, key: u32) {
    data.put_be32(2, key);
    data.put_be32(1, to.number());
}

fn write_verdict(data: &mut Message, verdict: &Verdict) {
    let code: i32 = match verdict {
        Verdict::Drop => 0,
        Verdict::Accept => 1,
        Verdict::Jump(_) => -3,
        Verdict::Return => -5,
    };
    data.put(1, &code.to_be_bytes());
    if let Verdict::Jump(chain) = verdict {
        data.put_text(2, chain);
    }
}

/// A link's name as the kernel compares it: 16 bytes.
fn interface_name(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(libc::IFNAMSIZ, 0);
    bytes
}

pub(super) fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn mask(length: usize, prefix: u8) -> Vec<u8> {
    (0..length)
        .map(|index| {
            let bits = usize::from(prefix).saturating_sub(index * 8).min(8);
            !(0xff_u16 >> bits) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_cover_the_prefix() {
        assert_eq!(mask(4, 0), [0, 0, 0, 0]);
        assert_eq!(mask(4, 12), [0xff, 0xf0, 0, 0]);
        assert_eq!(mask(4, 16), [0xff, 0xff, 0, 0]);
        assert_eq!(mask(4, 32), [0xff; 4]);
    }
}
