//! The network calls on a real kernel, as root, each test in a network
//! namespace of its own. `nft` and `ip` only check what we wrote.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;
use std::process::Command;

use dhow_sys::netlink::{Address, MacAddress, NewVeth, Route, Socket};
use dhow_sys::nft::{
    Chain, ChainKind, Element, Expression, Family, Field, FieldType, Hook, Map, Nft, PayloadBase,
    Register, Table, Transaction, Verdict, legacy_forward_drops,
};
use dhow_sys::{netns, sock};

/// Runs `test` in a fresh network namespace, which vanishes with it.
fn in_own_namespace(test: impl FnOnce() + Send) {
    netns::create_with(|_| test()).expect("these tests need root");
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

const MAP: Map<'_> = Map {
    name: "ports",
    key: &[FieldType::Protocol, FieldType::Port],
    value: &[FieldType::Ipv4, FieldType::Port],
};

fn element(port: u16, address: [u8; 4]) -> Element {
    Element {
        key: vec![Field::Protocol(6), Field::Port(port)],
        value: vec![Field::Address(IpAddr::from(address)), Field::Port(80)],
    }
}

#[test]
fn a_veth_pair_is_born_plugged_in_and_across_namespaces() {
    in_own_namespace(|| {
        let mut socket = Socket::route().unwrap();
        let mac = MacAddress([2, 0x42, 1, 2, 3, 4]);
        socket.add_bridge("br9", 1400, mac).unwrap();
        let bridge = socket.link("br9").unwrap().unwrap();
        assert_eq!((bridge.mac, bridge.mtu), (Some(mac), 1400));
        assert_eq!(bridge.kind.as_deref(), Some("bridge"));
        assert!(!bridge.up);
        socket.set_up(bridge.index, true).unwrap();
        let address = Address {
            link: bridge.index,
            ip: IpAddr::from([10, 9, 0, 1]),
            prefix: 16,
        };
        socket.add_address(&address).unwrap();
        assert!(socket.add_address(&address).unwrap_err().is_exists());
        assert!(socket.addresses().unwrap().contains(&address));
        assert!(output("ip", &["addr", "show", "br9"]).contains("brd 10.9.255.255"));

        let other = netns::create().unwrap();
        let peer_mac = MacAddress([2, 0x42, 9, 9, 9, 9]);
        socket
            .add_veth(&NewVeth {
                name: "veth9",
                master: Some(bridge.index),
                mtu: 1400,
                peer_netns: other.as_fd(),
                peer_name: "eth0",
                peer_mac,
            })
            .unwrap();
        let near = socket.link("veth9").unwrap().unwrap();
        assert!(!near.up);
        socket.set_up(near.index, true).unwrap();
        assert_eq!((near.master, near.mtu), (Some(bridge.index), 1400));
        socket.set_hairpin(near.index, true).unwrap();
        assert!(output("ip", &["-d", "link", "show", "veth9"]).contains("hairpin on"));
        socket.without_link_local(near.index).unwrap();
        assert!(output("ip", &["-d", "link", "show", "veth9"]).contains("addrgenmode none"));

        let mut inside = netns::route_socket(other.as_fd()).unwrap().unwrap();
        let far = inside.link("eth0").unwrap().unwrap();
        assert!(!far.up);
        inside.set_up(far.index, true).unwrap();
        assert!(inside.link("eth0").unwrap().unwrap().up);
        assert_eq!((far.mac, far.mtu), (Some(peer_mac), 1400));
        inside
            .add_address(&Address {
                link: far.index,
                ip: IpAddr::from([10, 9, 0, 2]),
                prefix: 16,
            })
            .unwrap();
        let default = Route {
            destination: Ipv4Addr::UNSPECIFIED.into(),
            prefix: 0,
            gateway: Some(IpAddr::from([10, 9, 0, 1])),
            link: Some(far.index),
        };
        inside.add_route(&default).unwrap();
        assert!(inside.routes().unwrap().contains(&default));
        inside.delete_route(&default).unwrap();
        assert!(!inside.routes().unwrap().contains(&default));

        socket.set_up(near.index, false).unwrap();
        socket.set_name(near.index, "other").unwrap();
        assert!(socket.link("veth9").unwrap().is_none());
        socket.delete_link(near.index).unwrap();
        assert!(inside.link("eth0").unwrap().is_none());
        socket.delete_link(bridge.index).unwrap();
        let names: Vec<String> = socket
            .links()
            .unwrap()
            .into_iter()
            .map(|l| l.name)
            .collect();
        assert!(
            !names.iter().any(|name| name == "br9" || name == "other"),
            "{names:?}"
        );
    });
}

#[test]
fn links_are_deleted_together_and_others_stay() {
    in_own_namespace(|| {
        let mut socket = Socket::route().unwrap();
        for name in ["br1", "br2", "br3"] {
            socket.add_bridge(name, 1500, MacAddress([2; 6])).unwrap();
        }
        let mut index = |name| socket.link(name).unwrap().unwrap().index;
        let two = [index("br1"), index("br3"), 4_000_000];
        socket.delete_links(&two, 77).unwrap();
        assert!(socket.link("br1").unwrap().is_none());
        assert!(socket.link("br2").unwrap().is_some());
        assert!(socket.link("br3").unwrap().is_none());
        socket.delete_links(&two, 77).unwrap();
        socket.delete_links(&[], 0).unwrap();
        assert!(socket.link("br2").unwrap().is_some());
    });
}

#[test]
fn refusals_say_what_was_done_and_why() {
    in_own_namespace(|| {
        let mut socket = Socket::route().unwrap();
        let error = socket.delete_link(4_000_000).unwrap_err();
        assert_eq!(error.to_string(), "delete link 4000000");
        assert!(error.is_not_found());
        let error = socket
            .add_bridge("a-name-that-is-too-long", 1500, MacAddress([2; 6]))
            .unwrap_err();
        assert!(
            error.to_string().starts_with("add bridge a-name"),
            "{error}"
        );
        // The kernel's own words come along.
        assert!(error.to_string().ends_with(')'), "{error}");
    });
}

#[test]
fn nft_reads_what_we_wrote() {
    in_own_namespace(|| {
        let mut nft = Nft::open().unwrap();
        let table = Table::new(Family::Ipv4, "dhowtest");
        let mut transaction = Transaction::new();
        transaction.add_table(&table);
        transaction.add_map(&table, &MAP);
        let base = Chain {
            name: "in",
            base: Some((ChainKind::Nat, Hook::Prerouting, -100)),
        };
        transaction.add_chain(&table, &base);
        transaction.add_chain(
            &table,
            &Chain {
                name: "side",
                base: None,
            },
        );
        let mut rule = Expression::match_input("dhow0", false).to_vec();
        rule.extend(Expression::match_destination_local());
        rule.push(Expression::Verdict(Verdict::Jump("side".into())));
        transaction.append_rule(&table, "in", &rule, Some("ours"));
        let rule = [
            Expression::TransportProtocol(Register(0)),
            Expression::Payload {
                base: PayloadBase::Transport,
                offset: 2,
                length: 2,
                to: Register(1),
            },
            Expression::Lookup {
                set: "ports".into(),
                key: Register(0),
                to: Some(Register(0)),
            },
            Expression::Nat {
                kind: dhow_sys::nft::NatKind::Destination,
                family: Family::Ipv4,
                address: Register(0),
                port: Some(Register(1)),
            },
        ];
        transaction.append_rule(&table, "side", &rule, None);
        transaction.add_elements(&table, "ports", &[element(8080, [10, 0, 0, 2])]);
        nft.commit(transaction).unwrap();

        let listed = output("nft", &["list", "ruleset"]);
        for line in [
            "type inet_proto . inet_service : ipv4_addr . inet_service",
            "elements = { tcp . 8080 : 10.0.0.2 . 80 }",
            "type nat hook prerouting priority dstnat; policy accept;",
            "iifname != \"dhow0\" fib daddr type local jump side comment \"ours\"",
            "dnat ip to meta l4proto . th dport map @ports",
        ] {
            assert!(listed.contains(line), "{line:?} is not in:\n{listed}");
        }

        let rules = nft.rules(&table, "in").unwrap();
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0].comment.as_deref(), Some("ours"));
        let elements = nft.elements(&table, &MAP).unwrap();
        assert_eq!(elements, [element(8080, [10, 0, 0, 2])]);

        let mut transaction = Transaction::new();
        transaction.delete_rule(&table, "in", rules[0].handle);
        transaction.delete_elements(&table, "ports", &elements);
        nft.commit(transaction).unwrap();
        assert!(nft.rules(&table, "in").unwrap().is_empty());
        assert!(nft.elements(&table, &MAP).unwrap().is_empty());

        let mut transaction = Transaction::new();
        transaction.delete_table(&table);
        nft.commit(transaction).unwrap();
        assert_eq!(output("nft", &["list", "ruleset"]), "");
    });
}

#[test]
fn a_refused_step_undoes_the_transaction() {
    in_own_namespace(|| {
        let mut nft = Nft::open().unwrap();
        let table = Table::new(Family::Ipv4, "dhowtest");
        let mut transaction = Transaction::new();
        transaction.add_table(&table);
        transaction.add_map(&table, &MAP);
        transaction.add_elements(&table, "ports", &[element(1, [10, 0, 0, 2])]);
        transaction.add_elements(&table, "nosuch", &[element(2, [10, 0, 0, 2])]);
        let error = nft.commit(transaction).unwrap_err();
        assert_eq!(error.to_string(), "add to map nosuch of table dhowtest");
        assert!(error.is_not_found());
        assert_eq!(output("nft", &["list", "ruleset"]), "");
        // The socket is still in step.
        let mut transaction = Transaction::new();
        transaction.add_table(&table);
        nft.commit(transaction).unwrap();
        assert!(output("nft", &["list", "ruleset"]).contains("dhowtest"));
    });
}

#[test]
fn thousands_of_elements_fit_one_transaction() {
    in_own_namespace(|| {
        let mut nft = Nft::open().unwrap();
        let table = Table::new(Family::Ipv4, "dhowtest");
        let elements: Vec<Element> = (1..=20_000).map(|p| element(p, [10, 0, 0, 2])).collect();
        let mut transaction = Transaction::new();
        transaction.add_table(&table);
        transaction.add_map(&table, &MAP);
        transaction.add_elements(&table, "ports", &elements);
        nft.commit(transaction).unwrap();
        assert_eq!(nft.elements(&table, &MAP).unwrap().len(), 20_000);
        let mut transaction = Transaction::new();
        transaction.flush_map(&table, "ports");
        transaction.add_elements(&table, "ports", &elements[..3]);
        nft.commit(transaction).unwrap();
        assert_eq!(nft.elements(&table, &MAP).unwrap().len(), 3);
    });
}

#[test]
fn forward_policies_of_both_iptables_are_seen() {
    in_own_namespace(|| {
        assert!(!legacy_forward_drops().unwrap());
        output("iptables-legacy", &["-P", "FORWARD", "DROP"]);
        assert!(legacy_forward_drops().unwrap());
        output("iptables-legacy", &["-A", "FORWARD", "-j", "ACCEPT"]);
        assert!(legacy_forward_drops().unwrap());
        output("iptables-legacy", &["-P", "FORWARD", "ACCEPT"]);
        assert!(!legacy_forward_drops().unwrap());

        let mut nft = Nft::open().unwrap();
        output("iptables-nft", &["-P", "FORWARD", "DROP"]);
        let chains = nft.chains().unwrap();
        let forward = chains.iter().find(|c| c.name == "FORWARD").unwrap();
        assert_eq!(forward.table, Table::new(Family::Ipv4, "filter"));
        assert_eq!((forward.hook, forward.drops), (Some(2), true));
    });
}

#[test]
fn a_held_port_cannot_be_taken_twice() {
    in_own_namespace(|| {
        let mut route = Socket::route().unwrap();
        route.set_up(1, true).unwrap();
        let address = "127.0.0.1:8080".parse().unwrap();
        let held = sock::listen_tcp(address).unwrap();
        assert_eq!(sock::local_address(&held).unwrap(), address);
        let error = sock::listen_tcp("0.0.0.0:8080".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        // The other family and the other protocol are other ports.
        let _v6 = sock::listen_tcp("[::]:8080".parse().unwrap()).unwrap();
        let _udp = sock::bind_udp(address).unwrap();
        let error = sock::bind_udp(address).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        drop(held);
        sock::listen_tcp(address).unwrap();
    });
}
