//! Archives handed from engine to engine: Debian's dockerd on the other end.

use std::process::Command;

use dhow_testkit::{Dockerd, Engine, Outcome, Registry, fixture};
use serde_json::Value;

use crate::field;

#[test]
fn dockerd_loads_what_is_saved_here_and_the_other_way_round() {
    let engine = Engine::start();
    let docker = Dockerd::start().expect("dockerd starts");
    let registry = Registry::start();
    let zstd = format!("{}/layered:zstd", registry.address());
    let plain = engine.scratch().join("plain.tar");
    std::fs::write(&plain, fixture::layered().archive("layered:plain")).unwrap();
    let mut skopeo = Command::new("skopeo");
    skopeo.args([
        "--insecure-policy",
        "copy",
        "--dest-tls-verify=false",
        "--format=oci",
        "--dest-compress-format=zstd",
        &format!("docker-archive:{}", plain.display()),
        &format!("docker://{zstd}"),
    ]);
    Outcome::of(skopeo, b"").ok();
    let manifest: Value = registry.get("layered/manifests/zstd").json();
    let kind = &manifest["layers"][0]["mediaType"];
    assert_eq!(kind, "application/vnd.oci.image.layer.v1.tar+zstd");

    engine.docker(&["pull", &zstd]).ok();
    engine.docker(&["tag", &zstd, "packed:1"]).ok();
    let path = engine.scratch().join("saved.tar").display().to_string();
    engine.docker(&["save", "-o", &path, "packed:1"]).ok();
    let said = docker.docker(&["load", "-i", &path]).ok();
    assert_eq!(said, "Loaded image: packed:1");
    let id = docker
        .docker(&["inspect", "-f", "{{.Id}}", "packed:1"])
        .ok();
    assert_eq!(id, field(&engine, "packed:1", "{{.Id}}"));

    docker.docker(&["tag", "packed:1", "back:1"]).ok();
    let path = engine.scratch().join("back.tar").display().to_string();
    docker.docker(&["save", "-o", &path, "back:1"]).ok();
    engine.docker(&["load", "-i", &path]).ok();
    assert_eq!(field(&engine, "back:1", "{{.Id}}"), id);

    // The same archive for readers from before `manifest.json`, to both.
    let mut strip = Command::new("tar");
    strip.args(["--delete", "-f", &path, "manifest.json"]);
    Outcome::of(strip, b"").ok();
    let said = engine.docker(&["load", "-i", &path]).ok();
    assert!(said.contains("Loaded image: back:1"), "{said}");
    docker.docker(&["load", "-i", &path]).ok();
    let layers = "{{.RootFS.Layers}}";
    let theirs = docker.docker(&["inspect", "-f", layers, "back:1"]).ok();
    assert_eq!(field(&engine, "back:1", layers), theirs);
    assert_eq!(
        engine
            .docker(&["run", "--rm", "back:1", "cat", "/data/changed"])
            .ok(),
        "after"
    );
}
