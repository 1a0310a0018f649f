//! Proxies: used for other machines, never for this one.

use dhow_registry::{Access, Config, Credentials, Proxies, Registry, Remote, Repository, Target};

use crate::server::{Server, reply};
use crate::support::{config, text};

async fn open(config: Config, domain: &str) -> Remote {
    Registry::new(config)
        .unwrap()
        .remote(
            Repository::new(domain, "app"),
            Credentials::default(),
            Access::Pull,
        )
        .await
        .unwrap()
}

fn proxied_by(server: &Server, no_proxy: Option<&str>) -> Config {
    let mut config = config();
    config.add_insecure("registry.invalid").unwrap();
    config.proxies = Proxies {
        http: Some(server.address()),
        https: Some(format!("http://{}", server.address())),
        no_proxy: no_proxy.map(str::to_owned),
    };
    config
}

#[tokio::test]
async fn other_machines_are_asked_through_the_proxy() {
    let proxy = Server::start(|request, stream, _| match request.method.as_str() {
        "CONNECT" => reply(stream, "502 Bad Gateway", &[], b""),
        _ => reply(stream, "404 Not Found", &[], b"{}"),
    });
    let remote = open(proxied_by(&proxy, None), "registry.invalid").await;
    remote.manifest(&Target::Tag("1".into())).await.unwrap_err();
    let seen = proxy.seen();
    let targets: Vec<_> = seen.iter().map(|r| r.target.as_str()).collect();
    assert_eq!(
        targets,
        [
            "registry.invalid:443",
            "http://registry.invalid/v2/",
            "http://registry.invalid/v2/app/manifests/1"
        ]
    );
}

#[tokio::test]
async fn exceptions_and_this_machine_are_reached_directly() {
    let proxy = Server::start(|_, stream, _| reply(stream, "502 Bad Gateway", &[], b""));
    let config = proxied_by(&proxy, Some("localhost,.invalid"));
    let remote = open(config.clone(), "registry.invalid").await;
    let error = remote.manifest(&Target::Tag("1".into())).await.unwrap_err();
    assert!(
        text(&error).contains("lookup registry.invalid"),
        "{}",
        text(&error)
    );
    let registry = Server::start(|_, stream, _| reply(stream, "404 Not Found", &[], b"{}"));
    let remote = open(config, &registry.address()).await;
    remote.manifest(&Target::Tag("1".into())).await.unwrap_err();
    assert_eq!(registry.seen().len(), 1);
    assert!(proxy.seen().is_empty());
}
