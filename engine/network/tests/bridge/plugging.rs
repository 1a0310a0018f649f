//! Bridge, addresses and namespaces.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;

use dhow_network::{Bridge, BridgeConfig, EndpointRequest, Namespace, NamespacePool, unplugged};
use dhow_sys::netns;

use crate::world::*;

#[test]
fn containers_get_address_route_and_each_other() {
    world(|world| {
        let pool = engine(BridgeConfig::default());
        let first = Container::run(&pool, &[]);
        let second = Container::run(&pool, &[]);
        assert_eq!(first.address(), Ipv4Addr::new(172, 17, 0, 2));
        assert_eq!(second.address(), Ipv4Addr::new(172, 17, 0, 3));
        first.serve(80);
        let seen = second.inside(|| ask((first.address(), 80)));
        assert_eq!(seen, (first.address(), second.address().into()));
        first.inside(|| {
            let link = output("ip", &["addr", "show", "eth0"]);
            assert!(link.contains("mtu 1500"), "{link}");
            assert!(link.contains("link/ether 02:42:ac:11:00:02"), "{link}");
            assert!(
                link.contains("inet 172.17.0.2/16 brd 172.17.255.255"),
                "{link}"
            );
            assert!(!link.contains("inet6"), "{link}");
            let lo = output("ip", &["addr", "show", "lo"]);
            assert!(lo.contains("LOOPBACK,UP"), "{lo}");
            let routes = output("ip", &["route"]);
            assert!(
                routes.starts_with("default via 172.17.0.1 dev eth0"),
                "{routes}"
            );
        });

        // Other machines see the host, and are reached through it.
        let server = world.outside(|| TcpListener::bind((OUTSIDE, 80)).unwrap());
        thread::spawn(move || answer_tcp(&server, OUTSIDE));
        let seen = second.inside(|| ask((OUTSIDE, 80)));
        assert_eq!(seen, (OUTSIDE, IpAddr::V4(HOST)));
    });
}

#[test]
fn containers_of_a_closed_bridge_meet_only_by_published_ports() {
    world(|world| {
        let pool = engine(BridgeConfig {
            inter_container: false,
            ..BridgeConfig::default()
        });
        set_sysctl("bridge/bridge-nf-call-iptables", "1");
        let first = Container::run(&pool, &[tcp(80, 8080)]);
        first.serve(80).serve(81);
        let second = Container::run(&pool, &[]);
        second.inside(|| {
            assert!(silent((first.address(), 81)));
            assert_eq!(ask((HOST, 8080)).0, first.address());
        });
        let server = world.outside(|| TcpListener::bind((OUTSIDE, 80)).unwrap());
        thread::spawn(move || answer_tcp(&server, OUTSIDE));
        assert_eq!(second.inside(|| ask((OUTSIDE, 80))).0, OUTSIDE);
    });
}

#[test]
fn a_mac_address_may_be_chosen() {
    world(|_| {
        let pool = engine(BridgeConfig::default());
        let mac = "92:d0:c6:0a:29:33".parse().unwrap();
        let request = EndpointRequest {
            id: "e".into(),
            mac: Some(mac),
            ports: vec![tcp(80, 8080)],
        };
        let attached = pool.attach(&request).unwrap();
        assert_eq!(attached.endpoint.mac, mac);
        let container = Container { attached };
        container.serve(80);
        container.inside(|| {
            assert!(output("ip", &["link", "show", "eth0"]).contains("92:d0:c6:0a:29:33"));
        });
        assert_eq!(ask((Ipv4Addr::LOCALHOST, 8080)).0, container.address());
    });
}

#[test]
fn subnets_of_the_host_are_left_alone() {
    world(|_| {
        output(
            "ip",
            &["route", "add", "172.16.0.0/14", "via", "198.51.100.2"],
        );
        let pool = engine(BridgeConfig::default());
        assert_eq!(pool.bridge().subnet().to_string(), "172.20.0.0/16");
        let bip = engine(BridgeConfig {
            bridge: "dhow1".into(),
            table: "dhow1".into(),
            bip: Some("10.77.0.1/24".parse().unwrap()),
            mtu: 1400,
            ..BridgeConfig::default()
        });
        let container = Container::run(&bip, &[]);
        assert_eq!(container.address(), Ipv4Addr::new(10, 77, 0, 2));
        container.inside(|| assert!(output("ip", &["link"]).contains("mtu 1400")));
        assert!(output("ip", &["link", "show", "dhow1"]).contains("mtu 1400"));
    });
}

#[test]
fn the_pool_makes_ready_and_addresses_come_back() {
    world(|_| {
        let bridge = Arc::new(Bridge::open(BridgeConfig::default()).unwrap());
        let pool = Arc::new(NamespacePool::new(bridge, 3));
        let keeper = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.keep_full())
        };
        wait("the pool to fill", || pool.ready() == 3);
        let container = Container::run(&pool, &[]);
        let address = container.address();
        assert_eq!(address, Ipv4Addr::new(172, 17, 0, 2));
        wait("the pool to fill again", || pool.ready() == 3);
        assert!(links().contains(&container.attached.endpoint.link));
        pool.detach(container.id()).unwrap();
        // The namespace lives on, as when another container shares it; its
        // link goes all the same, so that the address may be another's.
        wait("the address to be free", || !pool.bridge().has_leaving());
        assert!(!links().contains(&container.attached.endpoint.link));
        let taken: Vec<_> = (0..10).map(|_| pool.take().unwrap()).collect();
        let again = |namespace: &Namespace| namespace.address() == address;
        assert!(taken.iter().any(again), "{address} never came back");
        drop(taken);
        pool.close();
        keeper.join().unwrap();
        // The kernel deletes what closed namespaces held.
        wait("the veth pairs to go", || {
            !links().iter().any(|name| name.starts_with("veth"))
        });
    });
}

#[test]
fn a_namespace_without_network_has_only_loopback() {
    world(|_| {
        let namespace = unplugged().unwrap();
        netns::within(std::os::fd::AsFd::as_fd(&namespace), || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            thread::spawn(move || answer_tcp(&listener, Ipv4Addr::LOCALHOST));
            assert_eq!(ask(address).0, Ipv4Addr::LOCALHOST);
            assert_eq!(output("ip", &["route"]), "");
        })
        .unwrap();
    });
}

#[test]
fn a_table_may_be_called_after_the_longest_bridge() {
    world(|_| {
        let config = BridgeConfig {
            bridge: "fifteen-letters".into(),
            table: "dhow-fifteen-letters".into(),
            ..BridgeConfig::default()
        };
        let bridge = Bridge::open(config).unwrap();
        bridge.remove_all().unwrap();
    });
}

#[test]
fn names_that_are_none_are_refused() {
    world(|_| {
        for name in ["", "a/b", "a b", "sixteen-letters-"] {
            let config = BridgeConfig {
                bridge: name.into(),
                ..BridgeConfig::default()
            };
            let error = Bridge::open(config).err().unwrap().to_string();
            assert_eq!(error, format!("invalid bridge or table name {name:?}"));
        }
        let config = BridgeConfig {
            bridge: "uplink".into(),
            ..BridgeConfig::default()
        };
        let error = Bridge::open(config).err().unwrap().to_string();
        assert_eq!(error, "uplink exists and is not a bridge");
        let config = BridgeConfig {
            managed: false,
            ..BridgeConfig::default()
        };
        let error = Bridge::open(config).err().unwrap().to_string();
        assert_eq!(
            error,
            "bridge device dhow0 does not exist, or has no IPv4 address"
        );
        assert_eq!(output("nft", &["list", "ruleset"]), "");
    });
}
