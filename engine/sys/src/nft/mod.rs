//! nftables over nfnetlink: transactions that apply as a whole or not at all,
//! and the few questions we ask of the rule set.
//!
//! Only what the engine's own table needs is here: no rule text is parsed, and
//! no set with intervals is made. The kernel's objects are named as `nft` names
//! them, so that `nft list ruleset` shows what was written here.

mod conntrack;
mod expression;
mod legacy;
mod query;
mod transaction;
mod watch;

pub use conntrack::UdpFlow;
pub use expression::{Expression, NatKind, PayloadBase, Register, Verdict};
pub use legacy::legacy_forward_drops;
pub use query::{BaseChain, Rule};
pub use transaction::{Chain, ChainKind, Element, Field, FieldType, Hook, Map, Transaction};
pub use watch::Changes;

use crate::netlink::{self, wire};

pub(crate) const NFNL_SUBSYS_NFTABLES: u16 = 10;
pub(crate) const NFT_MSG_NEWTABLE: u16 = 0;
pub(crate) const NFT_MSG_DELTABLE: u16 = 2;
pub(crate) const NFT_MSG_NEWCHAIN: u16 = 3;
pub(crate) const NFT_MSG_GETCHAIN: u16 = 4;
pub(crate) const NFT_MSG_DELCHAIN: u16 = 5;
pub(crate) const NFT_MSG_NEWRULE: u16 = 6;
pub(crate) const NFT_MSG_GETRULE: u16 = 7;
pub(crate) const NFT_MSG_DELRULE: u16 = 8;
pub(crate) const NFT_MSG_NEWSET: u16 = 9;
pub(crate) const NFT_MSG_NEWSETELEM: u16 = 12;
pub(crate) const NFT_MSG_GETSETELEM: u16 = 13;
pub(crate) const NFT_MSG_DELSETELEM: u16 = 14;

/// The protocol family of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    Ipv4,
    Ipv6,
    /// Both.
    Inet,
    /// Any other (bridge, arp, netdev); only ever read.
    Other(u8),
}

impl Family {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Inet => 1,
            Self::Ipv4 => 2,
            Self::Ipv6 => 10,
            Self::Other(number) => number,
        }
    }

    pub(crate) fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Inet,
            2 => Self::Ipv4,
            10 => Self::Ipv6,
            other => Self::Other(other),
        }
    }
}

/// A table's name and family.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Table {
    pub family: Family,
    pub name: String,
}

impl Table {
    pub fn new(family: Family, name: impl Into<String>) -> Self {
        Self {
            family,
            name: name.into(),
        }
    }
}

/// An nfnetlink socket in one network namespace.
pub struct Nft {
    socket: netlink::Socket,
}

impl Nft {
    /// A socket in the calling thread's network namespace.
    pub fn open() -> Result<Self, netlink::Error> {
        let socket = netlink::Socket::open(libc::NETLINK_NETFILTER)?;
        Ok(Self { socket })
    }

    /// Applies every step of `transaction`, or none.
    pub fn commit(&mut self, transaction: Transaction) -> Result<(), netlink::Error> {
        const NFNL_MSG_BATCH_BEGIN: u16 = 16;
        const NFNL_MSG_BATCH_END: u16 = 17;
        let Some(last) = transaction.steps.len().checked_sub(1) else {
            return Ok(());
        };
        let edge = |kind| wire::Message::new(kind, 0, &header(0, NFNL_SUBSYS_NFTABLES));
        let begin = self.socket.next_sequence();
        let mut bytes = edge(NFNL_MSG_BATCH_BEGIN).finish(begin);
        let mut sequences = Vec::with_capacity(transaction.steps.len());
        for (index, step) in transaction.steps.iter().enumerate() {
            let mut message = step.message.clone();
            if index == last {
                message.add_flags(wire::NLM_F_ACK);
            }
            let sequence = self.socket.next_sequence();
            sequences.push(sequence);
            bytes.extend(message.finish(sequence));
        }
        bytes.extend(edge(NFNL_MSG_BATCH_END).finish(self.socket.next_sequence()));

        const ORDINARY: usize = 128 * 1024;
        if bytes.len() > ORDINARY {
            self.socket.reserve(bytes.len() * 2);
        }
        self.socket.send(&bytes)?;
        self.answer(&transaction, begin, &sequences)
    }

    /// Reads what the kernel queued while it worked on a batch: errors for
    /// every step it refused, and the acknowledgement of the last. It works
    /// before `send` returns, so there is nothing to wait for.
    fn answer(
        &self,
        transaction: &Transaction,
        begin: u32,
        sequences: &[u32],
    ) -> Result<(), netlink::Error> {
        let doing = |sequence: u32| {
            sequences
                .iter()
                .position(|s| *s == sequence)
                .map(|index| transaction.steps[index].doing.clone())
        };
        let mut refused = None;
        let mut acknowledged = false;
        loop {
            let datagram = match self.socket.receive(libc::MSG_DONTWAIT) {
                Ok(datagram) => datagram,
                Err(error) if error.errno() == Some(libc::EAGAIN) => break,
                Err(error) => return Err(error),
            };
            for answer in wire::answers(&datagram) {
                let what = doing(answer.sequence);
                if what.is_none() && answer.sequence != begin {
                    // Left over from an earlier batch.
                    continue;
                }
                match netlink::refusal(&answer) {
                    Some((source, detail)) => {
                        refused.get_or_insert(netlink::Error::Refused {
                            doing: what.unwrap_or_else(|| "change nftables".into()),
                            detail,
                            source,
                        });
                    }
                    None => acknowledged |= Some(&answer.sequence) == sequences.last(),
                }
            }
        }
        match refused {
            Some(error) => Err(error),
            None if acknowledged => Ok(()),
            None => Err(netlink::Error::Answer {
                doing: "change nftables".into(),
            }),
        }
    }
}

/// `struct nfgenmsg`.
pub(crate) fn header(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

pub(crate) fn kind(message: u16) -> u16 {
    (NFNL_SUBSYS_NFTABLES << 8) | message
}
