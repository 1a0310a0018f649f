//! Published ports, from everywhere.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

use dhow_network::{BridgeConfig, PortRequest};

use crate::world::*;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

#[test]
fn a_published_port_is_reached_from_everywhere() {
    // Whether bridged packets pass the IP rules depends on the host.
    for bridged_packets_pass_rules in ["0", "1"] {
        world(|world| {
            let pool = engine(BridgeConfig::default());
            set_sysctl("bridge/bridge-nf-call-iptables", bridged_packets_pass_rules);
            let gateway = pool.bridge().gateway();
            let server = Container::run(&pool, &[tcp(80, 8080), udp(80, 8080)]);
            server.serve(80);
            let other = Container::run(&pool, &[]);
            let own = server.address();

            assert_eq!(ask((LOOPBACK, 8080)), (own, gateway.into()));
            assert_eq!(ask((HOST, 8080)).0, own);
            assert_eq!(ask((gateway, 8080)).0, own);
            assert_eq!(ask((own, 80)), (own, gateway.into()));
            assert_eq!(ask_udp((LOOPBACK, 8080)), (own, gateway.into()));
            assert_eq!(ask_udp((HOST, 8080)).0, own);

            // A container sees who really called from another machine.
            let seen = world.outside(|| (ask((HOST, 8080)), ask_udp((HOST, 8080))));
            assert_eq!(seen, ((own, OUTSIDE.into()), (own, OUTSIDE.into())));

            for caller in [&other, &server] {
                assert_eq!(caller.inside(|| ask((HOST, 8080))).0, own);
                assert_eq!(caller.inside(|| ask((gateway, 8080))).0, own);
                assert_eq!(caller.inside(|| ask_udp((HOST, 8080))).0, own);
            }
            let direct = other.inside(|| ask((own, 80)));
            assert_eq!(direct, (own, other.address().into()));
        });
    }
}

#[test]
fn a_port_published_on_loopback_stays_there() {
    world(|world| {
        let pool = engine(BridgeConfig::default());
        let server = Container::run(
            &pool,
            &[at(LOOPBACK, tcp(80, 8080)), at(HOST, tcp(80, 8081))],
        );
        server.serve(80);
        assert_eq!(ask((LOOPBACK, 8080)).0, server.address());
        assert_eq!(ask((HOST, 8081)).0, server.address());
        assert!(silent((HOST, 8080)));
        assert!(silent((LOOPBACK, 8081)));
        world.outside(|| {
            assert_eq!(ask((HOST, 8081)).0, server.address());
            assert!(silent((HOST, 8080)));
            // What is not published is not reached past the host either.
            assert!(silent((server.address(), 80)));
            // Nor is the host's loopback, by a machine that sends such packets.
            set_sysctl("ipv4/conf/all/route_localnet", "1");
            output(
                "ip",
                &[
                    "route",
                    "del",
                    "local",
                    "127.0.0.0/8",
                    "dev",
                    "lo",
                    "table",
                    "local",
                ],
            );
            output(
                "ip",
                &[
                    "route",
                    "del",
                    "local",
                    "127.0.0.1",
                    "dev",
                    "lo",
                    "table",
                    "local",
                ],
            );
            output(
                "ip",
                &[
                    "route",
                    "add",
                    "127.0.0.1/32",
                    "via",
                    "198.51.100.1",
                    "src",
                    "198.51.100.2",
                ],
            );
            assert!(silent((LOOPBACK, 8080)));
        });
    });
}

#[test]
fn a_container_does_not_reach_the_hosts_loopback() {
    world(|_| {
        let pool = engine(BridgeConfig::default());
        let server = std::net::TcpListener::bind((LOOPBACK, 7000)).unwrap();
        std::thread::spawn(move || answer_tcp(&server, LOOPBACK));
        assert_eq!(ask((LOOPBACK, 7000)).0, LOOPBACK);
        let container = Container::run(&pool, &[]);
        let source = container.address().to_string();
        let gateway = pool.bridge().gateway().to_string();
        container.inside(|| {
            set_sysctl("ipv4/conf/all/route_localnet", "1");
            for local in ["127.0.0.0/8", "127.0.0.1"] {
                output(
                    "ip",
                    &[
                        "route", "del", "local", local, "dev", "lo", "table", "local",
                    ],
                );
            }
            output(
                "ip",
                &[
                    "route",
                    "add",
                    "127.0.0.1/32",
                    "via",
                    &gateway,
                    "src",
                    &source,
                ],
            );
            assert!(silent((LOOPBACK, 7000)));
        });
        // The packets came, and it was the rule that kept them out.
        let raw = output("nft", &["list", "chain", "ip", "dhow", "raw"]);
        assert!(raw.contains("daddr 127.0.0.0/8 counter packets"), "{raw}");
        assert!(!raw.contains("packets 0 "), "{raw}");
    });
}

#[test]
fn ranges_and_random_ports_take_what_is_free() {
    world(|_| {
        let pool = engine(BridgeConfig::default());
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let range = PortRequest {
            host_ports: Some(9000..=9002),
            ..at(any, tcp(80, 1))
        };
        let first = Container::run(&pool, std::slice::from_ref(&range));
        // Another program has the second; the third is left.
        let _held = std::net::TcpListener::bind("0.0.0.0:9001").unwrap();
        let second = Container::run(&pool, std::slice::from_ref(&range));
        second.serve(80);
        assert_eq!(first.host_ports(), ["0.0.0.0:9000".parse().unwrap()]);
        assert_eq!(second.host_ports(), ["0.0.0.0:9002".parse().unwrap()]);
        assert_eq!(ask((LOOPBACK, 9002)).0, second.address());
        let error = Container::try_run(&pool, &[range]).err().unwrap();
        assert_eq!(
            error.to_string(),
            "failed to bind host port for 0.0.0.0:9001:172.17.0.4:80/tcp: address already in use"
        );

        set_sysctl("ipv4/ip_local_port_range", "40000 40100");
        let random = Container::run(&pool, &[tcp(80, 0), tcp(81, 0)]);
        random.serve(80).serve(81);
        let ports = random.host_ports();
        // Both families have the same port, and the requests' order is kept.
        assert_eq!(ports.len(), 4);
        assert_eq!(ports[0].port(), ports[1].port());
        assert!(ports[0].is_ipv4() && ports[1].is_ipv6());
        assert_ne!(ports[0].port(), ports[2].port());
        assert_eq!(ask((LOOPBACK, ports[2].port())).0, random.address());
    });
}

#[test]
fn a_taken_port_is_refused_and_nothing_stays_behind() {
    world(|_| {
        let pool = engine(BridgeConfig::default());
        let first = Container::run(&pool, &[tcp(80, 8080)]);
        let before = output("nft", &["list", "ruleset"]);
        let refused = |ports: &[PortRequest]| {
            let error = Container::try_run(&pool, ports).err().unwrap();
            assert_eq!(output("nft", &["list", "ruleset"]), before);
            error.to_string()
        };
        assert_eq!(
            refused(&[tcp(81, 8081), tcp(80, 8080)]),
            "Bind for 0.0.0.0:8080 failed: port is already allocated"
        );
        let held = std::net::TcpListener::bind("127.0.0.1:8082").unwrap();
        assert_eq!(
            refused(&[udp(53, 5353), tcp(80, 8082)]),
            "failed to bind host port for 0.0.0.0:8082:172.17.0.3:80/tcp: address already in use"
        );
        assert_eq!(
            refused(&[at(Ipv4Addr::new(203, 0, 113, 9), tcp(80, 8083))]),
            "failed to bind host port for 203.0.113.9:8083:172.17.0.3:80/tcp: cannot assign requested address"
        );
        drop(held);
        // The namespace of the refused is used, and so are their ports.
        let second = Container::run(&pool, &[tcp(81, 8081), tcp(82, 8082), udp(53, 5353)]);
        assert_eq!(second.address(), Ipv4Addr::new(172, 17, 0, 3));

        pool.detach(first.id()).unwrap();
        drop(first);
        let third = Container::run(&pool, &[tcp(80, 8080)]);
        third.serve(80);
        assert_eq!(ask((LOOPBACK, 8080)).0, third.address());
        assert!(pool.detach("nobody").is_err());
    });
}

#[test]
fn a_wide_range_is_one_step() {
    world(|_| {
        let pool = engine(BridgeConfig::default());
        let ports: Vec<PortRequest> = (20_000..21_000).map(|p| at(LOOPBACK, tcp(p, p))).collect();
        let container = Container::run(&pool, &ports);
        container.serve(20_777);
        assert_eq!(ask((LOOPBACK, 20_777)).0, container.address());
        pool.detach(container.id()).unwrap();
        assert!(!output("nft", &["list", "ruleset"]).contains("elements"));
    });
}

#[test]
fn datagrams_that_keep_coming_follow_the_port() {
    world(|world| {
        let pool = engine(BridgeConfig::default());
        let socket = world.outside(|| UdpSocket::bind((OUTSIDE, 5555)).unwrap());
        socket.connect((HOST, 5353)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        // One flow all the while; the kernel remembers it from the first
        // datagram, when there is nobody to answer.
        let answered_by = |address: Option<Ipv4Addr>| {
            let mut buffer = [0; 64];
            for _ in 0..30 {
                // A refusal of the datagram before shows here or there.
                let _ = socket.send(b"?");
                let got = socket.recv(&mut buffer).ok();
                let from = got.and_then(|length| {
                    let text = std::str::from_utf8(&buffer[..length]).unwrap();
                    text.split(' ').next().unwrap().parse::<Ipv4Addr>().ok()
                });
                if from == address {
                    return;
                }
            }
            panic!("{address:?} does not answer");
        };
        answered_by(None);
        let mut first = Container::run(&pool, &[udp(53, 5353)]);
        first.serve(53);
        answered_by(Some(first.address()));
        pool.detach(first.id()).unwrap();
        // As when its shim ends; the namespace goes on and could answer.
        first.attached.listeners.clear();
        answered_by(None);
        let second = Container::run(&pool, &[udp(53, 5353)]);
        second.serve(53);
        assert_ne!(first.address(), second.address());
        answered_by(Some(second.address()));
    });
}
