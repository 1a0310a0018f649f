//! Hearing that somebody changed tables or chains, or took a rule away.
//!
//! What is added to chains and maps is not told: those are many, and what a
//! chain does at its end does not depend on them.

use std::time::{Duration, Instant};

use crate::netlink::{self, wire};

use super::{
    NFT_MSG_DELCHAIN, NFT_MSG_DELRULE, NFT_MSG_DELTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWTABLE, kind,
};

/// The group of listeners to changes of the rule set.
const NFNLGRP_NFTABLES: u32 = 7;

/// A listener in one network namespace.
pub struct Changes {
    socket: netlink::Socket,
}

impl Changes {
    /// Listens from now on, in the calling thread's network namespace.
    pub fn listen() -> Result<Self, netlink::Error> {
        let socket = netlink::Socket::open(libc::NETLINK_NETFILTER)?;
        socket.join(NFNLGRP_NFTABLES)?;
        Ok(Self { socket })
    }

    /// Waits for a change, but no longer than `at_most`; says whether there
    /// was one.
    pub fn wait(&self, at_most: Duration) -> Result<bool, netlink::Error> {
        let end = Instant::now() + at_most;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if !self.socket.wait(left)? {
                return Ok(false);
            }
            match self.socket.receive(0) {
                Ok(datagram) if !wire::answers(&datagram).any(|told| matters(told.kind)) => {}
                Ok(_) => return Ok(true),
                // Too much happened to be told one by one.
                Err(error) if error.errno() == Some(libc::ENOBUFS) => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }
}

fn matters(told: u16) -> bool {
    [
        NFT_MSG_NEWTABLE,
        NFT_MSG_DELTABLE,
        NFT_MSG_NEWCHAIN,
        NFT_MSG_DELCHAIN,
        NFT_MSG_DELRULE,
    ]
    .map(kind)
    .contains(&told)
}
