//! Sockets that hold a host port: bound (and, for TCP, listening) so that
//! nobody else can take it. What arrives on them is somebody else's matter.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, getsockname, ipproto, listen, socket_with,
    sockopt,
};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4096;

/// A TCP socket listening at `address`, closed on exec. An IPv6 socket takes
/// IPv6 connections only.
pub fn listen_tcp(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = open(address, SocketType::STREAM, ipproto::TCP)?;
    // Connections of an earlier holder that linger do not keep the port.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// A UDP socket bound to `address`, closed on exec. An IPv6 socket takes IPv6
/// datagrams only.
pub fn bind_udp(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = open(address, SocketType::DGRAM, ipproto::UDP)?;
    bind(&socket, &address)?;
    Ok(socket)
}

/// An SCTP socket listening at `address`, closed on exec.
pub fn listen_sctp(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = open(address, SocketType::STREAM, ipproto::SCTP)?;
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// The address a socket is bound to.
pub fn local_address(socket: &OwnedFd) -> io::Result<SocketAddr> {
    getsockname(socket)?
        .try_into()
        .map_err(|_| io::Error::other("not an internet socket"))
}

fn open(
    address: SocketAddr,
    kind: SocketType,
    protocol: rustix::net::Protocol,
) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, Some(protocol))?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    Ok(socket)
}
