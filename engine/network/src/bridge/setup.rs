//! Opening the bridge: link, address, kernel settings, rules.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use dhow_sys::netlink::{Address, Link, Socket};
use dhow_sys::netns;
use dhow_sys::nft::Nft;
use ipnet::Ipv4Net;

use super::{Bridge, BridgeConfig, Outlet, State};
use crate::plan::rules::BridgeRules;
use crate::plan::{AddressPlan, PortPlan, choose_subnet, mac_of, port};
use crate::{Error, firewall, sysctl};

/// The kernel's IFNAMSIZ without the NUL.
const LONGEST_LINK: usize = 15;
/// Far below what the kernel takes; dhowd has the same bound.
const LONGEST_TABLE: usize = 31;
/// A choice takes milliseconds; who holds the lock longer is no engine.
const CHOICE_PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn open(config: BridgeConfig) -> Result<Bridge, Error> {
    check_name(&config.bridge, LONGEST_LINK)?;
    check_name(&config.table, LONGEST_TABLE)?;
    let mut route = Socket::route()?;
    // Between the look at what is taken and the address on the link another
    // engine could choose the same.
    let choosing = netns::lock(CHOICE_PATIENCE)?;
    if choosing.is_none() {
        tracing::warn!("somebody locks the network namespace: its subnets are chosen regardless");
    }
    let (index, address) = ensure_link(&mut route, &config)?;
    drop(choosing);

    let warnings = kernel_settings(&config);
    let rules = BridgeRules {
        table: config.table.clone(),
        bridge: config.bridge.clone(),
        subnet: address.trunc(),
        masquerade: config.masquerade,
        inter_container: config.inter_container,
    };
    let mut nft = Nft::open()?;
    firewall::install(&mut nft, &rules)?;
    let blocked = firewall::pass_foreign_chains(&mut nft, &rules);
    for warning in warnings.iter().chain(&blocked) {
        tracing::warn!("{warning}");
    }

    let ephemeral = sysctl::get("ipv4/ip_local_port_range").unwrap_or_default();
    Ok(Bridge {
        outlet: Outlet {
            bridge: index,
            gateway: address.addr(),
            prefix: address.prefix_len(),
            mtu: config.mtu,
        },
        state: Mutex::new(State {
            addresses: AddressPlan::new(address),
            ports: PortPlan::new(port::parse_ephemeral(&ephemeral)),
            endpoints: BTreeMap::new(),
            spare: BTreeMap::new(),
            leaving: Vec::new(),
        }),
        route: Mutex::new(route),
        nft: Mutex::new(nft),
        config,
        address,
        rules,
        warnings,
        blocked: Mutex::new(blocked),
    })
}

/// What cannot be set (a read-only `/proc/sys`) is told, not fatal: containers
/// run without, and their network may even work.
fn kernel_settings(config: &BridgeConfig) -> Vec<String> {
    let of_bridge = |family: &str, name: &str| format!("{family}/conf/{}/{name}", config.bridge);
    sysctl::try_set(&of_bridge("ipv6", "accept_ra"), "0");
    let mut wanted = vec![
        // The host's connections to 127.0.0.1 leave by the bridge after their
        // destination is rewritten, and the answers come back by it.
        (
            of_bridge("ipv4", "route_localnet"),
            "published ports do not answer at 127.0.0.1",
        ),
    ];
    if config.ip_forward {
        wanted.push((
            "ipv4/ip_forward".into(),
            "containers and other machines do not reach each other",
        ));
    }
    let warn = |(name, consequence): (String, &str)| {
        let error = sysctl::set(&name, "1").err()?;
        let error = dhow_model::error::chain(&error);
        Some(format!("{error}: {consequence}"))
    };
    wanted.into_iter().filter_map(warn).collect()
}

fn ensure_link(route: &mut Socket, config: &BridgeConfig) -> Result<(u32, Ipv4Net), Error> {
    let present = route.link(&config.bridge)?;
    if let Some(link) = &present
        && link.kind.as_deref() != Some("bridge")
    {
        return Err(Error::NotABridge(config.bridge.clone()));
    }
    let index = present.as_ref().map(|link| link.index);
    let addresses: Vec<(u32, Ipv4Net)> = route
        .addresses()?
        .into_iter()
        .filter_map(|address| Some((address.link, ipv4_net(address.ip, address.prefix)?)))
        .collect();
    let own: Vec<Ipv4Net> = addresses
        .iter()
        .filter(|(link, _)| Some(*link) == index)
        .map(|(_, net)| *net)
        .collect();
    if !config.managed {
        let link = present.ok_or_else(|| Error::NoBridge(config.bridge.clone()))?;
        let address = config
            .bip
            .or(own.first().copied())
            .ok_or_else(|| Error::NoBridge(config.bridge.clone()))?;
        return Ok((link.index, address));
    }

    let others = addresses
        .iter()
        .filter(|(link, _)| Some(*link) != index)
        .map(|(_, net)| *net);
    let routes = route
        .routes()?
        .into_iter()
        .filter(|route| index.is_none() || route.link != index)
        .filter_map(|route| ipv4_net(route.destination, route.prefix));
    let taken: Vec<Ipv4Net> = others.chain(routes).collect();
    let address = choose_subnet(config.bip, own.first().copied(), &taken)?;

    let link = match present {
        Some(link) => link,
        None => {
            route.add_bridge(&config.bridge, config.mtu, mac_of(address.addr()))?;
            route
                .link(&config.bridge)?
                .ok_or_else(|| Error::NoBridge(config.bridge.clone()))?
        }
    };
    set_address(route, &link, &own, address)?;
    if link.mtu != config.mtu {
        route.set_mtu(link.index, config.mtu)?;
    }
    route.set_up(link.index, true)?;
    Ok((link.index, address))
}

/// Leaves the link with `wanted` as its only IPv4 address.
fn set_address(
    route: &mut Socket,
    link: &Link,
    present: &[Ipv4Net],
    wanted: Ipv4Net,
) -> Result<(), Error> {
    let address = |net: &Ipv4Net| Address {
        link: link.index,
        ip: net.addr().into(),
        prefix: net.prefix_len(),
    };
    for other in present.iter().filter(|net| **net != wanted) {
        route.delete_address(&address(other))?;
    }
    if !present.contains(&wanted) {
        route.add_address(&address(&wanted))?;
    }
    Ok(())
}

fn ipv4_net(ip: IpAddr, prefix: u8) -> Option<Ipv4Net> {
    match ip {
        IpAddr::V4(ip) => Ipv4Net::new(ip, prefix).ok(),
        IpAddr::V6(_) => None,
    }
}

fn check_name(name: &str, longest: usize) -> Result<(), Error> {
    let valid = !name.is_empty()
        && name.len() <= longest
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    valid
        .then_some(())
        .ok_or_else(|| Error::InvalidName(name.to_owned()))
}
