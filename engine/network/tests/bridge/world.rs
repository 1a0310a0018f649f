//! A small internet of network namespaces, made for one test and gone with it:
//! a host with its engine, and another machine. Nothing leaves it.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use dhow_network::{
    Attached, Bridge, BridgeConfig, EndpointRequest, Error, NamespacePool, PortRequest, Protocol,
};
use dhow_sys::netlink::{Address, MacAddress, NewVeth, Route, Socket};
use dhow_sys::netns;

/// The host's address towards the other machine.
pub const HOST: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The other machine's.
pub const OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
/// How long something that must not happen is waited for.
const NOTHING: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(10);

/// The test's host is the namespace of the thread it runs on.
pub struct World {
    outside: OwnedFd,
}

/// Runs `test` on a thread that is the host of a fresh world.
pub fn world(test: impl FnOnce(&World) + Send) {
    netns::create_with(|_| {
        let outside = netns::create().expect("namespaces need root");
        let mut host = Socket::route().unwrap();
        host.set_up(1, true).unwrap();
        host.add_veth(&NewVeth {
            name: "uplink",
            master: None,
            mtu: 1500,
            peer_netns: outside.as_fd(),
            peer_name: "eth0",
            peer_mac: MacAddress([2, 0, 0, 0, 0, 2]),
        })
        .unwrap();
        address(&mut host, "uplink", HOST);
        netns::within(outside.as_fd(), || {
            let mut inside = Socket::route().unwrap();
            inside.set_up(1, true).unwrap();
            address(&mut inside, "eth0", OUTSIDE);
            // Whatever the host would forward, it is asked to.
            inside
                .add_route(&Route {
                    destination: Ipv4Addr::UNSPECIFIED.into(),
                    prefix: 0,
                    gateway: Some(HOST.into()),
                    link: None,
                })
                .unwrap();
        })
        .unwrap();
        test(&World { outside });
    })
    .expect("namespaces need root");
}

fn address(socket: &mut Socket, link: &str, ip: Ipv4Addr) {
    let link = socket.link(link).unwrap().unwrap().index;
    socket.set_up(link, true).unwrap();
    let address = Address {
        link,
        ip: ip.into(),
        prefix: 24,
    };
    socket.add_address(&address).unwrap();
}

impl World {
    /// Runs `work` on the other machine.
    pub fn outside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        netns::within(self.outside.as_fd(), work).unwrap()
    }
}

/// An engine's bridge and pool in the host.
pub fn engine(config: BridgeConfig) -> NamespacePool {
    let bridge =
        Bridge::open(config).unwrap_or_else(|e| panic!("{}", dhow_model::error::chain(&e)));
    NamespacePool::new(Arc::new(bridge), 2)
}

/// A container that publishes `ports`.
pub struct Container {
    pub attached: Attached,
}

impl Container {
    pub fn run(pool: &NamespacePool, ports: &[PortRequest]) -> Self {
        Self::try_run(pool, ports).unwrap_or_else(|e| panic!("{}", dhow_model::error::chain(&e)))
    }

    pub fn try_run(pool: &NamespacePool, ports: &[PortRequest]) -> Result<Self, Error> {
        let request = EndpointRequest {
            id: format!("{:064x}", pool.bridge().endpoints().len() + 1),
            mac: None,
            ports: ports.to_vec(),
        };
        let attached = pool.attach(&request)?;
        Ok(Self { attached })
    }

    pub fn address(&self) -> Ipv4Addr {
        self.attached.endpoint.address
    }

    pub fn id(&self) -> &str {
        &self.attached.endpoint.id
    }

    /// The host ports, in order.
    pub fn host_ports(&self) -> Vec<SocketAddr> {
        let ports = self.attached.endpoint.ports.iter();
        ports.map(|port| port.host).collect()
    }

    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        netns::within(self.attached.namespace.as_fd(), work).unwrap()
    }

    /// Answers every connection and datagram to `port` with the container's
    /// address and the peer's, until the test ends.
    pub fn serve(&self, port: u16) -> &Self {
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let (tcp, udp) = self.inside(|| {
            (
                TcpListener::bind(any).unwrap(),
                UdpSocket::bind(any).unwrap(),
            )
        });
        let own = self.address();
        thread::spawn(move || answer_tcp(&tcp, own));
        thread::spawn(move || answer_udp(&udp, own));
        self
    }
}

pub fn answer_tcp(listener: &TcpListener, own: Ipv4Addr) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { return };
        let peer = stream.peer_addr().map(|peer| peer.ip());
        if let Ok(peer) = peer {
            let _ = write!(stream, "{own} {peer}");
        }
    }
}

fn answer_udp(socket: &UdpSocket, own: Ipv4Addr) {
    let mut buffer = [0; 64];
    while let Ok((_, peer)) = socket.recv_from(&mut buffer) {
        let _ = socket.send_to(format!("{own} {}", peer.ip()).as_bytes(), peer);
    }
}

/// What the server at `address` says: (who answered, whom it saw).
pub fn ask(address: impl Into<SocketAddr>) -> (Ipv4Addr, IpAddr) {
    let address = address.into();
    let text = talk(address, PATIENCE).unwrap_or_else(|error| panic!("{address}: {error}"));
    parse(&text)
}

/// The same over UDP; datagrams may get lost while ARP resolves.
pub fn ask_udp(address: impl Into<SocketAddr>) -> (Ipv4Addr, IpAddr) {
    let address = address.into();
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.set_read_timeout(Some(NOTHING)).unwrap();
    let mut buffer = [0; 64];
    for _ in 0..20 {
        socket.send_to(b"?", address).unwrap();
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            assert_eq!(from, address, "the answer must come from where was asked");
            return parse(std::str::from_utf8(&buffer[..length]).unwrap());
        }
    }
    panic!("no answer from udp {address}");
}

/// Nobody answers at `address`.
pub fn silent(address: impl Into<SocketAddr>) -> bool {
    talk(address.into(), NOTHING).is_err()
}

/// Whether somebody answers at `address`, be it after a lost packet.
pub fn answered(address: impl Into<SocketAddr>) -> bool {
    talk(address.into(), Duration::from_millis(2500)).is_ok()
}

fn talk(address: SocketAddr, patience: Duration) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn parse(text: &str) -> (Ipv4Addr, IpAddr) {
    let (own, peer) = text.split_once(' ').expect("two addresses");
    (own.parse().unwrap(), peer.parse().unwrap())
}

pub fn tcp(container_port: u16, host_port: u16) -> PortRequest {
    PortRequest {
        protocol: Protocol::Tcp,
        container_port,
        host_address: None,
        host_ports: (host_port != 0).then_some(host_port..=host_port),
    }
}

pub fn udp(container_port: u16, host_port: u16) -> PortRequest {
    PortRequest {
        protocol: Protocol::Udp,
        ..tcp(container_port, host_port)
    }
}

pub fn at(address: impl Into<IpAddr>, request: PortRequest) -> PortRequest {
    PortRequest {
        host_address: Some(address.into()),
        ..request
    }
}

/// What a program prints, run in the calling thread's namespace.
pub fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names of the host's links.
pub fn links() -> Vec<String> {
    let mut names: Vec<String> = Socket::route()
        .unwrap()
        .links()
        .unwrap()
        .into_iter()
        .map(|link| link.name)
        .collect();
    names.sort();
    names
}

pub fn set_sysctl(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/{name}"), value).unwrap();
}

/// Waits for what must become true.
pub fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
