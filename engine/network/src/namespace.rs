//! A network namespace ready for a container: loopback up and, if plugged into
//! the bridge, `eth0` with its address and default route.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;

use dhow_sys::netlink::{Address, MacAddress, NewVeth, Route, Socket};
use dhow_sys::netns;

use crate::bridge::lock;
use crate::{Error, sysctl};

/// The name of the container's interface.
pub const INTERFACE: &str = "eth0";
/// Loopback's index in every namespace.
const LOOPBACK: u32 = 1;

/// A network namespace plugged into a bridge; it lives as long as this or any
/// process in it.
#[derive(Debug)]
pub struct Namespace {
    pub(crate) descriptor: OwnedFd,
    pub(crate) plug: Plug,
}

/// The veth pair between a namespace and the bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plug {
    /// The host's end.
    pub(crate) link: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) mac: MacAddress,
}

/// What a plug is plugged into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outlet {
    pub(crate) bridge: u32,
    pub(crate) gateway: Ipv4Addr,
    pub(crate) prefix: u8,
    pub(crate) mtu: u32,
}

/// A namespace with nothing but loopback, as `--network none` has it.
pub fn unplugged() -> Result<OwnedFd, Error> {
    let (descriptor, made) =
        netns::create_with(|_| Ok::<_, Error>(Socket::route()?.set_up(LOOPBACK, true)?))?;
    made.map(|()| descriptor)
}

impl Namespace {
    /// One plugged into `outlet`; `host` is a socket in the bridge's namespace.
    pub(crate) fn plugged(plug: Plug, outlet: Outlet, host: &Mutex<Socket>) -> Result<Self, Error> {
        let (descriptor, made) =
            netns::create_with(|namespace| plug_in(namespace, &plug, outlet, host))?;
        made.map(|()| Self { descriptor, plug })
    }

    /// The descriptor of the namespace, as of `/proc/…/ns/net`.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// The address `eth0` has.
    pub fn address(&self) -> Ipv4Addr {
        self.plug.address
    }

    /// Gives `eth0` another hardware address.
    pub(crate) fn set_mac(&mut self, mac: MacAddress) -> Result<(), Error> {
        if mac == self.plug.mac {
            return Ok(());
        }
        let mut inside = netns::route_socket(self.descriptor())??;
        if let Some(link) = inside.link(INTERFACE)? {
            inside.set_mac(link.index, mac)?;
        }
        self.plug.mac = mac;
        Ok(())
    }
}

/// Runs inside the new namespace.
fn plug_in(
    namespace: BorrowedFd<'_>,
    plug: &Plug,
    outlet: Outlet,
    host: &Mutex<Socket>,
) -> Result<(), Error> {
    let mut inside = Socket::route()?;
    inside.set_up(LOOPBACK, true)?;

    // An IPv4 network: eth0 must not look for IPv6 neighbours and routers.
    sysctl::try_set("ipv6/conf/default/disable_ipv6", "1");
    let near = add_veth(namespace, plug, outlet, &mut lock(host))?;
    sysctl::try_set("ipv6/conf/default/disable_ipv6", "0");

    let index = inside.link(INTERFACE)?.map_or(0, |link| link.index);
    inside.set_up(index, true)?;
    // The host's end second: coming up with its peer there, the bridge lets it
    // forward at once. The other way round the first packets may be lost, and
    // with them a second until ARP asks again.
    lock(host).set_up(near, true)?;
    inside.add_address(&Address {
        link: index,
        ip: IpAddr::V4(plug.address),
        prefix: outlet.prefix,
    })?;
    inside.add_route(&Route {
        destination: Ipv4Addr::UNSPECIFIED.into(),
        prefix: 0,
        gateway: Some(outlet.gateway.into()),
        link: None,
    })?;
    Ok(())
}

/// Adds the veth pair, down, and returns the index of the host's end.
fn add_veth(
    namespace: BorrowedFd<'_>,
    plug: &Plug,
    outlet: Outlet,
    host: &mut Socket,
) -> Result<u32, Error> {
    host.add_veth(&NewVeth {
        name: &plug.link,
        master: Some(outlet.bridge),
        mtu: outlet.mtu,
        peer_netns: namespace,
        peer_name: INTERFACE,
        peer_mac: plug.mac,
    })?;
    let index = host.link(&plug.link)?.map_or(0, |link| link.index);
    // A container may call itself by its published port. Where bridged packets
    // pass the IP rules, that is a frame going out by the port it came in.
    host.set_hairpin(index, true)?;
    // A bridge's port needs no address of its own, and announcing one would
    // bother every container. Hosts without IPv6 refuse.
    if let Err(error) = host.without_link_local(index) {
        tracing::debug!(
            error = dhow_model::error::chain(&error),
            "IPv6 left as it is"
        );
    }
    Ok(index)
}
