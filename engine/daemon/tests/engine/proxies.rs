//! The engine's own proxies: from `daemon.json`, from flags, from the
//! environment; used for other machines, shown without passwords.

use dhow_testkit::{Engine, Registry, fixture};
use serde_json::json;

use crate::web::Server;

/// `me:sesame`, as it is sent.
const SENT: &str = "Basic bWU6c2VzYW1l";

#[test]
fn registries_are_reached_through_the_configured_proxy() {
    let registry = Registry::start();
    let direct = registry.push(&fixture::busybox(), "library/busybox:1");
    let proxy = Server::proxy(registry.address(), SENT);
    let address = format!("http://me:sesame@{}", proxy.address());
    let mut engine = Engine::options()
        .configuration(json!({
            "insecure-registries": ["registry.invalid", "other.invalid"],
            "proxies": {
                "http-proxy": address,
                "https-proxy": address,
                "no-proxy": "other.invalid,10.0.0.0/8",
            },
        }))
        // The file's proxies stand before the environment's.
        .variable("HTTP_PROXY", "http://127.0.0.1:1")
        .variable("HTTPS_PROXY", "http://127.0.0.1:1")
        .start();

    engine
        .docker(&["pull", "registry.invalid/library/busybox:1"])
        .ok();
    let seen = proxy.seen();
    assert_eq!(seen[0].line(), "CONNECT registry.invalid:443 HTTP/1.1");
    let blobs = seen
        .iter()
        .filter(|r| r.target().contains("/blobs/sha256:"));
    assert!(blobs.count() >= 2, "{seen:?}");
    assert!(
        seen.iter()
            .all(|r| r.header("proxy-authorization") == Some(SENT)),
        "{seen:?}"
    );

    // Exceptions, and this machine, are reached without it.
    let count = proxy.seen().len();
    let refused = engine
        .docker(&["pull", "other.invalid/library/busybox:1"])
        .fails(1);
    assert!(refused.contains("lookup other.invalid"), "{refused}");
    engine.docker(&["pull", &direct]).ok();
    assert_eq!(proxy.seen().len(), count);

    let info = engine.get("/info").json();
    let shown = format!("http://xxxxx:xxxxx@{}", proxy.address());
    assert_eq!(info["HttpProxy"], shown.as_str());
    assert_eq!(info["HttpsProxy"], shown.as_str());
    assert_eq!(info["NoProxy"], "other.invalid,10.0.0.0/8");

    // A proxy that says no is told of, without the password.
    engine.stop();
    engine.configure(&json!({
        "insecure-registries": ["registry.invalid"],
        "proxies": {"http-proxy": address.replace("sesame", "mustard")},
    }));
    engine.start_again();
    let refused = engine
        .docker(&["pull", "registry.invalid/library/busybox:2"])
        .fails(1);
    let log = engine.log();
    for secret in ["sesame", "mustard"] {
        assert!(
            !refused.contains(secret) && !log.contains(secret),
            "{refused}"
        );
    }
}

#[test]
fn flags_and_the_environment_name_proxies_too() {
    let registry = Registry::start();
    registry.push(&fixture::busybox(), "library/busybox:1");
    let proxy = Server::proxy(registry.address(), SENT);
    let address = format!("http://me:sesame@{}", proxy.address());
    let pulls = |engine: &Engine| {
        let before = proxy.seen().len();
        engine
            .docker(&["pull", "registry.invalid/library/busybox:1"])
            .ok();
        assert!(proxy.seen().len() > before);
        engine.get("/info").json()
    };
    let insecure = "--insecure-registry=registry.invalid";
    let engine = Engine::options()
        .argument(insecure)
        .argument(&format!("--http-proxy={address}"))
        .argument("--no-proxy=elsewhere.invalid")
        .start();
    let info = pulls(&engine);
    assert_eq!(info["NoProxy"], "elsewhere.invalid");
    let engine = Engine::options()
        .argument(insecure)
        .variable("http_proxy", &address)
        .start();
    let info = pulls(&engine);
    let shown = format!("http://xxxxx:xxxxx@{}", proxy.address());
    assert_eq!(info["HttpProxy"], shown.as_str());
    assert_eq!(info["HttpsProxy"], "");
}
