//! Published ports. The kernel redirects most connections straight to the
//! container; those it does not (from `::1`, for one) arrive at the sockets
//! held here, and are carried over. The sockets also keep the ports reserved,
//! whatever becomes of the daemon.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use dhow_runtime::protocol::{PortProxy, Protocol};
use dhow_sys::process;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrAny, SocketFlags, SocketType,
};

use crate::poller::{Interest, Poller, Ready, Token};

/// All published ports and what goes through them.
#[derive(Debug, Default)]
pub struct Ports {
    sockets: Vec<Port>,
    carried: BTreeMap<u32, Carried>,
    next_id: u32,
}

#[derive(Debug)]
struct Port {
    socket: OwnedFd,
    protocol: Protocol,
    target: SocketAddr,
}

/// A connection, or a UDP client, and its way to the container.
#[derive(Debug)]
enum Carried {
    Stream {
        /// Outer and inner socket.
        sockets: [OwnedFd; 2],
        /// What came from each side and is not yet with the other.
        waiting: [Vec<u8>; 2],
        /// Whether each side has said its last.
        ended: [bool; 2],
        connected: bool,
    },
    Datagrams {
        port: u32,
        client: SocketAddrAny,
        socket: OwnedFd,
    },
}

/// UDP clients remembered; beyond that the oldest is forgotten.
const MOST_CLIENTS: usize = 512;

impl Ports {
    /// Takes over the inherited sockets.
    pub fn adopt(ports: &[PortProxy], poller: &Poller) -> io::Result<Self> {
        let mut adopted = Self::default();
        for (index, port) in (0..).zip(ports) {
            let socket = process::inherited(port.fd)?;
            rustix::io::ioctl_fionbio(&socket, true)?;
            poller.add(&socket, Token::Port(index), Interest::READ)?;
            adopted.sockets.push(Port {
                socket,
                protocol: port.protocol,
                target: port.target,
            });
        }
        Ok(adopted)
    }

    /// Something arrived at a published port.
    pub fn accept(&mut self, index: u32, poller: &Poller) {
        let Some(port) = self.sockets.get(index as usize) else {
            return;
        };
        let result = match port.protocol {
            Protocol::Tcp => self.accept_stream(index, poller),
            Protocol::Udp => self.receive_datagrams(index, poller),
        };
        if let Err(e) = result {
            eprintln!("a connection to a published port failed: {e}");
        }
    }

    fn accept_stream(&mut self, index: u32, poller: &Poller) -> io::Result<()> {
        let port = &self.sockets[index as usize];
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let outer = match rustix::net::accept_with(&port.socket, flags) {
            Ok(outer) => outer,
            Err(rustix::io::Errno::AGAIN) => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        let inner = open(port.target, SocketType::STREAM)?;
        match rustix::net::connect(&inner, &port.target) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(e) => return Err(e.into()),
        }
        let id = self.next_id;
        self.next_id += 1;
        let connecting = Interest {
            read: false,
            write: true,
        };
        poller.add(&outer, Token::Carried(id, 0), Interest::default())?;
        poller.add(&inner, Token::Carried(id, 1), connecting)?;
        let carried = Carried::Stream {
            sockets: [outer, inner],
            waiting: Default::default(),
            ended: [false; 2],
            connected: false,
        };
        self.carried.insert(id, carried);
        Ok(())
    }

    /// One side of something carried is ready.
    pub fn carry(&mut self, id: u32, side: u8, event: Ready, poller: &Poller, buffer: &mut [u8]) {
        let Some(carried) = self.carried.get_mut(&id) else {
            return;
        };
        let result = match carried {
            Carried::Stream { .. } => {
                carry_stream(carried, id, usize::from(side), event, poller, buffer)
            }
            Carried::Datagrams {
                port,
                client,
                socket,
            } => {
                let outer = &self.sockets[*port as usize].socket;
                carry_datagrams(outer, client, socket, buffer).map(|()| true)
            }
        };
        if !matches!(result, Ok(true)) {
            self.forget(id, poller);
        }
    }

    fn receive_datagrams(&mut self, index: u32, poller: &Poller) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let port = &self.sockets[index as usize];
            let flags = RecvFlags::DONTWAIT;
            let (length, client) = match rustix::net::recvfrom(&port.socket, &mut buffer[..], flags)
            {
                Ok((length, _, Some(client))) => (length, client),
                Ok(_) | Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(e) => return Err(e.into()),
            };
            let known = self.carried.values().find_map(|carried| match carried {
                Carried::Datagrams {
                    port,
                    client: other,
                    socket,
                } if *port == index && *other == client => Some(socket),
                _ => None,
            });
            if let Some(socket) = known {
                let _ = rustix::net::send(socket, &buffer[..length], SendFlags::DONTWAIT);
                continue;
            }
            let socket = open(port.target, SocketType::DGRAM)?;
            rustix::net::connect(&socket, &port.target)?;
            let id = self.next_id;
            self.next_id += 1;
            poller.add(&socket, Token::Carried(id, 1), Interest::READ)?;
            let _ = rustix::net::send(&socket, &buffer[..length], SendFlags::DONTWAIT);
            let carried = Carried::Datagrams {
                port: index,
                client,
                socket,
            };
            self.carried.insert(id, carried);
            self.forget_oldest(poller);
        }
    }

    fn forget_oldest(&mut self, poller: &Poller) {
        let datagrams = |(id, carried): (&u32, &Carried)| {
            matches!(carried, Carried::Datagrams { .. }).then_some(*id)
        };
        let ids: Vec<u32> = self.carried.iter().filter_map(datagrams).collect();
        if ids.len() > MOST_CLIENTS {
            self.forget(ids[0], poller);
        }
    }

    fn forget(&mut self, id: u32, poller: &Poller) {
        match self.carried.remove(&id) {
            Some(Carried::Stream { sockets, .. }) => sockets.iter().for_each(|s| poller.remove(s)),
            Some(Carried::Datagrams { socket, .. }) => poller.remove(&socket),
            None => {}
        }
    }
}

/// Moves what one side of a connection has to say; `false` when all is said.
fn carry_stream(
    carried: &mut Carried,
    id: u32,
    side: usize,
    event: Ready,
    poller: &Poller,
    buffer: &mut [u8],
) -> io::Result<bool> {
    let Carried::Stream {
        sockets,
        waiting,
        ended,
        connected,
    } = carried
    else {
        return Ok(false);
    };
    if !*connected {
        if side == 1 {
            rustix::net::sockopt::socket_error(&sockets[1])??;
            *connected = event.writable;
        } else if event.hung_up {
            return Ok(false);
        }
    }
    if *connected {
        if event.writable {
            let from = 1 - side;
            flush(&sockets[side], &mut waiting[from])?;
            pass_end_on(&sockets[side], &waiting[from], ended[from])?;
        }
        if (event.readable || event.hung_up) && !ended[side] && waiting[side].is_empty() {
            match rustix::io::read(&sockets[side], &mut *buffer) {
                Ok(0) => ended[side] = true,
                Ok(length) => {
                    waiting[side].extend_from_slice(&buffer[..length]);
                    flush(&sockets[1 - side], &mut waiting[side])?;
                }
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            pass_end_on(&sockets[1 - side], &waiting[side], ended[side])?;
        }
        if ended == &[true; 2] && waiting.iter().all(Vec::is_empty) {
            return Ok(false);
        }
    }
    for (side, socket) in sockets.iter().enumerate() {
        let interest = Interest {
            read: *connected && !ended[side] && waiting[side].is_empty(),
            write: !waiting[1 - side].is_empty() || (side == 1 && !*connected),
        };
        poller.change(socket, Token::Carried(id, side as u8), interest)?;
    }
    Ok(true)
}

fn flush(socket: &OwnedFd, waiting: &mut Vec<u8>) -> io::Result<()> {
    let mut sent = 0;
    while sent < waiting.len() {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match rustix::net::send(socket, &waiting[sent..], flags) {
            Ok(length) => sent += length,
            Err(rustix::io::Errno::AGAIN) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    waiting.drain(..sent);
    if waiting.is_empty() {
        *waiting = Vec::new();
    }
    Ok(())
}

/// Half-closes a side once the other has ended and everything is passed on.
fn pass_end_on(to: &OwnedFd, waiting: &[u8], ended: bool) -> io::Result<()> {
    match ended && waiting.is_empty() {
        true => match rustix::net::shutdown(to, Shutdown::Write) {
            Ok(()) | Err(rustix::io::Errno::NOTCONN) => Ok(()),
            Err(e) => Err(e.into()),
        },
        false => Ok(()),
    }
}

/// Passes the container's answers on to a UDP client.
fn carry_datagrams(
    outer: &OwnedFd,
    client: &SocketAddrAny,
    socket: &OwnedFd,
    buffer: &mut [u8],
) -> io::Result<()> {
    loop {
        match rustix::net::recv(socket, &mut *buffer, RecvFlags::DONTWAIT) {
            Ok((length, _)) => {
                let _ = rustix::net::sendto(outer, &buffer[..length], SendFlags::DONTWAIT, client);
            }
            Err(rustix::io::Errno::AGAIN) => return Ok(()),
            Err(e) => return Err(e.into()),
        }
    }
}

fn open(target: SocketAddr, kind: SocketType) -> io::Result<OwnedFd> {
    let family = match target {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socket_with(family, kind, flags, None)?)
}
