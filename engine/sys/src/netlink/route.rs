//! Routes of the main table.

use std::net::IpAddr;

use super::wire::{self, Message, NLM_F_CREATE, NLM_F_EXCL};
use super::{Error, Socket};

const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_TABLE: u16 = 15;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_BOOT: u8 = 3;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;
const RTN_UNICAST: u8 = 1;
/// `struct rtmsg`.
const ROUTE_HEADER: usize = 12;

/// A unicast route: to `destination` (all when its prefix is 0) by `gateway`
/// or straight out of `link`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub destination: IpAddr,
    pub prefix: u8,
    pub gateway: Option<IpAddr>,
    pub link: Option<u32>,
}

impl Socket {
    /// The unicast routes of the main table, both families.
    pub fn routes(&mut self) -> Result<Vec<Route>, Error> {
        let mut routes = Vec::new();
        self.dump(
            Message::new(RTM_GETROUTE, 0, &[0; ROUTE_HEADER]),
            || "list routes".into(),
            |payload| routes.extend(parse(payload)),
        )?;
        Ok(routes)
    }

    /// Adds a route.
    pub fn add_route(&mut self, route: &Route) -> Result<(), Error> {
        let message = request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
        self.request(message, || describe("add", route))
    }

    /// Deletes a route.
    pub fn delete_route(&mut self, route: &Route) -> Result<(), Error> {
        let message = request(RTM_DELROUTE, 0, route);
        self.request(message, || describe("delete", route))
    }
}

fn describe(verb: &str, route: &Route) -> String {
    let mut text = format!("{verb} route to {}/{}", route.destination, route.prefix);
    if let Some(gateway) = route.gateway {
        text.push_str(&format!(" by {gateway}"));
    }
    text
}

fn request(kind: u16, flags: u16, route: &Route) -> Message {
    let mut fixed = [0; ROUTE_HEADER];
    fixed[0] = family(route.destination);
    fixed[1] = route.prefix;
    fixed[4] = RT_TABLE_MAIN;
    fixed[5] = RTPROT_BOOT;
    fixed[6] = if route.gateway.is_some() {
        RT_SCOPE_UNIVERSE
    } else {
        RT_SCOPE_LINK
    };
    fixed[7] = RTN_UNICAST;
    let mut message = Message::new(kind, flags, &fixed);
    if route.prefix > 0 {
        put_ip(&mut message, RTA_DST, route.destination);
    }
    if let Some(gateway) = route.gateway {
        put_ip(&mut message, RTA_GATEWAY, gateway);
    }
    if let Some(link) = route.link {
        message.put_u32(RTA_OIF, link);
    }
    message
}

fn parse(payload: &[u8]) -> Option<Route> {
    let attributes = payload.get(ROUTE_HEADER..)?;
    let table = wire::attribute(attributes, RTA_TABLE)
        .and_then(|value| wire::u32_at(value, 0))
        .unwrap_or(u32::from(payload[4]));
    if table != u32::from(RT_TABLE_MAIN) || payload[7] != RTN_UNICAST {
        return None;
    }
    let unspecified = match i32::from(payload[0]) {
        libc::AF_INET => IpAddr::from([0; 4]),
        libc::AF_INET6 => IpAddr::from([0; 16]),
        _ => return None,
    };
    Some(Route {
        destination: wire::attribute(attributes, RTA_DST)
            .and_then(ip)
            .unwrap_or(unspecified),
        prefix: payload[1],
        gateway: wire::attribute(attributes, RTA_GATEWAY).and_then(ip),
        link: wire::attribute(attributes, RTA_OIF).and_then(|value| wire::u32_at(value, 0)),
    })
}

pub(super) fn family(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => libc::AF_INET as u8,
        IpAddr::V6(_) => libc::AF_INET6 as u8,
    }
}

pub(super) fn put_ip(message: &mut Message, kind: u16, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => message.put(kind, &ip.octets()),
        IpAddr::V6(ip) => message.put(kind, &ip.octets()),
    }
}

pub(super) fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}
