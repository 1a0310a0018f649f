//! Holding host ports: a bound socket for each, so that no other program can
//! take the port, and connections that no rule translates arrive somewhere.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;

use dhow_sys::sock;

use crate::Error;
use crate::endpoint::{PortRequest, Protocol, PublishedPort};
use crate::plan::{PortPlan, port};

/// A published port and the socket that holds it: listening for TCP and SCTP,
/// bound for UDP, closed on exec.
#[derive(Debug)]
pub struct Listener {
    pub port: PublishedPort,
    pub socket: OwnedFd,
}

/// Takes a host port for each request, for a container at `container`: all of
/// them or, on an error, none. `default` is the address of requests without one.
pub(crate) fn open_all(
    plan: &mut PortPlan,
    requests: &[PortRequest],
    default: IpAddr,
    container: Ipv4Addr,
) -> Result<Vec<Listener>, Error> {
    let mut listeners = Vec::new();
    for request in requests {
        match open(plan, request, default, container) {
            Ok(more) => listeners.extend(more),
            Err(error) => {
                for listener in &listeners {
                    let Listener { port, .. } = listener;
                    plan.release(port);
                }
                return Err(error);
            }
        }
    }
    Ok(listeners)
}

fn open(
    plan: &mut PortPlan,
    request: &PortRequest,
    default: IpAddr,
    container: Ipv4Addr,
) -> Result<Vec<Listener>, Error> {
    let addresses = port::bind_addresses(request, default, has_ipv6());
    let mut last = None;
    for candidate in plan.candidates(request, &addresses)? {
        match bind(&port::publish(request, &addresses, candidate), container) {
            Ok(listeners) => {
                for listener in &listeners {
                    plan.take(&listener.port, request.host_ports.is_none());
                }
                return Ok(listeners);
            }
            // Some other program has it; a range goes on to the next.
            Err(error @ Error::PortBind { .. }) => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or(Error::PortsExhausted {
        protocol: request.protocol,
    }))
}

fn bind(ports: &[PublishedPort], container: Ipv4Addr) -> Result<Vec<Listener>, Error> {
    let hold = |port: &PublishedPort| {
        let socket = match port.protocol {
            Protocol::Tcp => sock::listen_tcp(port.host),
            Protocol::Udp => sock::bind_udp(port.host),
            Protocol::Sctp => sock::listen_sctp(port.host),
        };
        match socket {
            Ok(socket) => Ok(Listener {
                port: *port,
                socket,
            }),
            Err(cause) => Err(Error::PortBind {
                port: *port,
                container,
                cause,
            }),
        }
    };
    ports.iter().map(hold).collect()
}

/// Whether the host speaks IPv6 at all.
fn has_ipv6() -> bool {
    match sock::bind_udp((std::net::Ipv6Addr::UNSPECIFIED, 0).into()) {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::AddrInUse,
    }
}
