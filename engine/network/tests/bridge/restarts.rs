//! The daemon comes back, or goes for good.

use std::net::Ipv4Addr;

use dhow_network::{BridgeConfig, Endpoint};
use dhow_sys::netns;

use crate::world::*;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

#[test]
fn a_new_daemon_finds_its_containers_again() {
    world(|world| {
        let pool = engine(BridgeConfig::default());
        let kept = Container::run(&pool, &[tcp(80, 8080)]);
        kept.serve(80);
        let lost = Container::run(&pool, &[tcp(80, 8081)]);
        lost.serve(80);
        let text = format!("{:?}", kept.attached.endpoint);
        // kill -9: nothing is said, the pool's namespaces are closed.
        pool.refill().unwrap();
        drop(pool);

        let pool = engine(BridgeConfig::default());
        // Ports work before anybody is adopted.
        assert_eq!(world.outside(|| ask((HOST, 8080))).0, kept.address());
        let endpoint: Endpoint = kept.attached.endpoint.clone();
        assert_eq!(format!("{endpoint:?}"), text);
        pool.bridge().adopt(&endpoint).unwrap();
        assert!(pool.bridge().adopt(&endpoint).is_err());
        let removed = pool.bridge().reconcile(&[endpoint]).unwrap();
        // The lost container's; the kernel may have been quicker with the pool's.
        assert!((1..=3).contains(&removed), "{removed}");
        let present = links();
        assert!(present.contains(&kept.attached.endpoint.link));
        assert!(!present.contains(&lost.attached.endpoint.link));
        assert_eq!(world.outside(|| ask((HOST, 8080))).0, kept.address());
        assert!(!output("nft", &["list", "ruleset"]).contains("8081"));

        // Address and port are known to be taken.
        let error = Container::try_run(&pool, &[tcp(80, 8080)]).err().unwrap();
        assert_eq!(
            error.to_string(),
            "Bind for 0.0.0.0:8080 failed: port is already allocated"
        );
        let other = Container::run(&pool, &[]);
        assert_ne!(other.address(), kept.address());

        // An endpoint that died while nobody looked.
        assert_eq!(
            pool.bridge()
                .reconcile(std::slice::from_ref(&other.attached.endpoint))
                .unwrap(),
            0
        );
        assert!(!output("nft", &["list", "ruleset"]).contains("8080"));
        pool.bridge().sweep(std::time::Duration::ZERO).unwrap();
        assert!(!links().contains(&kept.attached.endpoint.link));
    });
}

#[test]
fn endpoints_are_stored_as_json() {
    let text = r#"{"id":"e","address":"172.17.0.2","prefix":16,"gateway":"172.17.0.1","mac":"02:42:ac:11:00:02","link":"vethac110002","ports":[{"protocol":"tcp","container_port":80,"host":"0.0.0.0:8080"}]}"#;
    let endpoint: Endpoint = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&endpoint).unwrap(), text);
}

#[test]
fn everything_goes() {
    world(|_| {
        let pool = engine(BridgeConfig::default());
        let container = Container::run(&pool, &[tcp(80, 8080), udp(53, 5353)]);
        pool.refill().unwrap();
        assert_eq!(links().iter().filter(|n| n.starts_with("veth")).count(), 3);
        pool.bridge().remove_all().unwrap();
        assert_eq!(links(), ["lo", "uplink"]);
        assert_eq!(output("nft", &["list", "ruleset"]), "");
        // Again, with nothing left.
        pool.bridge().remove_all().unwrap();
        drop(container);
    });
}

#[test]
fn a_bridge_of_somebody_elses_is_used_and_left() {
    world(|_| {
        output("ip", &["link", "add", "br0", "type", "bridge"]);
        output("ip", &["addr", "add", "10.5.0.1/24", "dev", "br0"]);
        output("ip", &["link", "set", "br0", "up"]);
        let pool = engine(BridgeConfig {
            bridge: "br0".into(),
            managed: false,
            ..BridgeConfig::default()
        });
        let container = Container::run(&pool, &[tcp(80, 8080)]);
        container.serve(80);
        assert_eq!(container.address(), Ipv4Addr::new(10, 5, 0, 2));
        assert_eq!(ask((LOOPBACK, 8080)).0, container.address());
        pool.bridge().remove_all().unwrap();
        assert_eq!(links(), ["br0", "lo", "uplink"]);
    });
}

#[test]
fn a_flushed_rule_set_heals_with_the_next_container() {
    world(|_| {
        let pool = engine(BridgeConfig::default());
        let first = Container::run(&pool, &[tcp(80, 8080)]);
        first.serve(80);
        output("nft", &["flush", "ruleset"]);
        let second = Container::run(&pool, &[tcp(80, 8081)]);
        second.serve(80);
        assert_eq!(ask((LOOPBACK, 8080)).0, first.address());
        assert_eq!(ask((LOOPBACK, 8081)).0, second.address());
        output("nft", &["flush", "ruleset"]);
        pool.detach(second.id()).unwrap();
        assert_eq!(ask((LOOPBACK, 8080)).0, first.address());
        assert!(!output("nft", &["list", "ruleset"]).contains("8081"));
    });
}

#[test]
fn a_daemon_that_dies_leaves_a_namespace_to_its_holder() {
    world(|_| {
        let pool = engine(BridgeConfig::default());
        let container = Container::run(&pool, &[tcp(80, 8080)]);
        container.serve(80);
        drop(pool);
        assert_eq!(ask((LOOPBACK, 8080)).0, container.address());
        let routes = netns::within(
            std::os::fd::AsFd::as_fd(&container.attached.namespace),
            || output("ip", &["route"]),
        )
        .unwrap();
        assert!(routes.contains("default via 172.17.0.1"));
    });
}
