//! Published ports that the kernel does not redirect.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};

use dhow_runtime::protocol::Protocol;
use dhow_runtime::spec::namespaces::Namespace;

use crate::fixture::{PATIENCE, Plan};

/// A container without a network of its own; what it would serve is served by
/// the test on loopback.
fn plan(protocol: Protocol, socket: std::os::fd::OwnedFd, target: SocketAddr) -> Plan {
    Plan::command(&["sleep", "1000"]).with(|plan| {
        plan.spec.namespaces.network = Namespace::Host;
        plan.inherited.ports.push((protocol, socket, target));
    })
}

#[test]
fn tcp_is_carried_both_ways_with_half_close() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let published = listener.local_addr().unwrap();
    let target = server.local_addr().unwrap();
    let _container = plan(Protocol::Tcp, listener.into(), target).start();
    let serve = std::thread::spawn(move || {
        let (mut connection, _) = server.accept().unwrap();
        let mut request = Vec::new();
        connection.read_to_end(&mut request).unwrap();
        let answer: Vec<u8> = request.iter().rev().copied().collect();
        connection.write_all(&answer).unwrap();
    });
    let mut client = TcpStream::connect(published).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let request: Vec<u8> = (0..500_000u32).map(|n| (n % 251) as u8).collect();
    client.write_all(&request).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    answer.reverse();
    assert!(answer == request);
    serve.join().unwrap();
}

#[test]
fn a_container_that_does_not_listen_closes_the_connection() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let published = listener.local_addr().unwrap();
    // Bound for a moment, so that nobody else has it.
    let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = target.local_addr().unwrap();
    drop(target);
    let _container = plan(Protocol::Tcp, listener.into(), address).start();
    let mut client = TcpStream::connect(published).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    assert!(answer.is_empty());
}

#[test]
fn udp_clients_are_told_apart() {
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let published = socket.local_addr().unwrap();
    let target = server.local_addr().unwrap();
    let _container = plan(Protocol::Udp, socket.into(), target).start();
    let serve = std::thread::spawn(move || {
        let mut buffer = [0; 100];
        for _ in 0..4 {
            let (length, from) = server.recv_from(&mut buffer).unwrap();
            server.send_to(&buffer[..length], from).unwrap();
        }
    });
    let clients: Vec<UdpSocket> = (0..2)
        .map(|_| {
            let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            client.connect(published).unwrap();
            client
        })
        .collect();
    for round in 0..2 {
        for (number, client) in clients.iter().enumerate() {
            client.send(&[round, number as u8]).unwrap();
        }
        for (number, client) in clients.iter().enumerate() {
            let mut answer = [0; 10];
            assert_eq!(client.recv(&mut answer).unwrap(), 2);
            assert_eq!(answer[..2], [round, number as u8]);
        }
    }
    serve.join().unwrap();
}
