//! Other engines' and other people's rules.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Barrier};
use std::thread;

use dhow_network::BridgeConfig;

use crate::world::*;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn second_engine() -> BridgeConfig {
    BridgeConfig {
        bridge: "dhow1".into(),
        table: "dhow1".into(),
        ..BridgeConfig::default()
    }
}

#[test]
fn engines_side_by_side_do_not_meet() {
    world(|world| {
        let one = engine(BridgeConfig::default());
        let two = engine(second_engine());
        assert_eq!(two.bridge().subnet().to_string(), "172.18.0.0/16");
        let first = Container::run(&one, &[tcp(80, 8080)]);
        first.serve(80);
        let second = Container::run(&two, &[tcp(80, 8081)]);
        second.serve(80).serve(81);
        let ask_both = || (ask((HOST, 8080)).0, ask((HOST, 8081)).0);
        let both = (first.address(), second.address());
        assert_eq!(world.outside(ask_both), both);
        assert_eq!(first.inside(ask_both), both);
        assert_eq!(second.inside(ask_both), both);
        // Only what is published leads from one to the other.
        first.inside(|| assert!(silent((second.address(), 81))));
        // The one does not know the other's ports, the kernel does.
        let error = Container::try_run(&two, &[tcp(80, 8080)]).err().unwrap();
        assert_eq!(
            error.to_string(),
            "failed to bind host port for 0.0.0.0:8080:172.18.0.3:80/tcp: address already in use"
        );
        two.bridge().remove_all().unwrap();
        assert_eq!(ask((LOOPBACK, 8080)).0, first.address());
        assert_eq!(world.outside(|| ask((HOST, 8080))).0, first.address());
        one.bridge().remove_all().unwrap();
        assert_eq!(output("nft", &["list", "ruleset"]), "");
    });
}

/// Without the lock two of them chose one subnet in most runs.
#[test]
fn engines_that_start_at_once_share_no_subnet() {
    const ENGINES: usize = 12;
    world(|_| {
        let together = Barrier::new(ENGINES);
        let start = &|number: usize| {
            together.wait();
            let pool = engine(BridgeConfig {
                bridge: format!("dhow{number}"),
                table: format!("dhow{number}"),
                ..BridgeConfig::default()
            });
            let container = Container::run(&pool, &[]);
            (pool.bridge().subnet(), container.address())
        };
        let started: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..ENGINES)
                .map(|number| scope.spawn(move || start(number)))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let subnets: BTreeSet<_> = started.iter().map(|(subnet, _)| subnet).collect();
        assert_eq!(subnets.len(), ENGINES, "{started:?}");
        assert!(started.iter().all(|(subnet, own)| subnet.contains(own)));
    });
}

/// Whether a container reaches the other machine and is reached by it.
fn connected(world: &World, config: BridgeConfig) -> (bool, bool, Vec<String>) {
    let pool = engine(config);
    let server = Container::run(&pool, &[tcp(80, 8080)]);
    server.serve(80);
    let listener = world.outside(|| TcpListener::bind((OUTSIDE, 80)).unwrap());
    thread::spawn(move || answer_tcp(&listener, OUTSIDE));
    let (out, back) = thread::scope(|scope| {
        let out = scope.spawn(|| server.inside(|| answered((OUTSIDE, 80))));
        let back = world.outside(|| answered((HOST, 8080)));
        (out.join().unwrap(), back)
    });
    let warnings = pool.bridge().warnings();
    pool.bridge().remove_all().unwrap();
    (out, back, warnings)
}

#[test]
fn a_forward_policy_of_iptables_is_passed_without_touching_its_rules() {
    for chains in [&["FORWARD"][..], &["FORWARD", "DOCKER-USER"]] {
        world(|world| {
            output("iptables-nft", &["-P", "FORWARD", "DROP"]);
            for chain in &chains[1..] {
                output("iptables-nft", &["-N", chain]);
                output("iptables-nft", &["-A", "FORWARD", "-j", chain]);
            }
            output(
                "iptables-nft",
                &["-A", "FORWARD", "-s", "203.0.113.1", "-j", "ACCEPT"],
            );
            let before = output("iptables-nft", &["-S"]);
            let pool = engine(BridgeConfig::default());
            // Opening again adds nothing.
            let again = engine(BridgeConfig::default());
            let during = output("iptables-nft", &["-S"]);
            let ours = format!("-A {} -i dhow0", chains[chains.len() - 1]);
            assert_eq!(during.matches(&ours).count(), 1, "{during}");
            assert_eq!(
                during.lines().count(),
                before.lines().count() + 2,
                "{during}"
            );
            drop((pool, again));
            let (out, back, warnings) = connected(world, BridgeConfig::default());
            assert!(out && back);
            assert!(warnings.is_empty(), "{warnings:?}");
            assert_eq!(output("iptables-nft", &["-S"]), before);
        });
    }
}

#[test]
fn a_policy_that_comes_later_is_passed_too() {
    world(|_| {
        let pool = Arc::new(engine(BridgeConfig::default()));
        let watching = Arc::clone(&pool);
        let watch = thread::spawn(move || watching.watch_firewall());
        let ours = || output("iptables-nft", &["-S"]).matches("-i dhow0").count();
        // As dockerd does when it starts, and somebody who starts over.
        output("iptables-nft", &["-P", "FORWARD", "DROP"]);
        wait("its policy is passed", || ours() == 1);
        output("iptables-nft", &["-F", "FORWARD"]);
        wait("the rule is put back", || ours() == 1);
        output("nft", &["add table inet wall"]);
        output(
            "nft",
            &["add chain inet wall fence { type filter hook forward priority 0; policy drop; }"],
        );
        let warned = || pool.bridge().warnings().len();
        wait("what cannot be passed is told", || warned() == 1);
        output("nft", &["delete table inet wall"]);
        wait("and not for longer than it is so", || warned() == 0);
        pool.close();
        pool.bridge().remove_all().unwrap();
        // Wakes the watch, which has nothing to do any more.
        output("iptables-nft", &["-N", "later"]);
        watch.join().unwrap();
        assert_eq!(ours(), 0, "a closed engine's rules do not come back");
    });
}

#[test]
fn drops_that_cannot_be_passed_are_told() {
    world(|world| {
        output("iptables-legacy", &["-P", "FORWARD", "DROP"]);
        let (out, back, warnings) = connected(world, BridgeConfig::default());
        assert!(!out && !back);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("iptables-legacy"), "{warnings:?}");
        assert!(warnings[0].contains("dhow0"), "{warnings:?}");
    });
    world(|world| {
        output("nft", &["add table inet wall"]);
        output(
            "nft",
            &["add chain inet wall fence { type filter hook forward priority 0; policy drop; }"],
        );
        let before = output("nft", &["list", "ruleset"]);
        let (out, back, warnings) = connected(world, BridgeConfig::default());
        assert!(!out && !back);
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0].contains("chain fence of nftables table wall"),
            "{warnings:?}"
        );
        assert_eq!(output("nft", &["list", "ruleset"]), before);
    });
}
