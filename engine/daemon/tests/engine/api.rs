//! The API itself: versions, refusals, shapes.

use dhow_testkit::Engine;
use serde_json::json;

#[test]
fn ping_tells_the_version() {
    let engine = Engine::start();
    for method in ["GET", "HEAD"] {
        let answer = engine.send(method, "/_ping", b"");
        assert_eq!(answer.status, 200);
        assert!(
            answer
                .header("Api-Version")
                .is_some_and(|version| version.starts_with("1."))
        );
        assert_eq!(answer.header("Ostype"), Some("linux"));
    }
    assert_eq!(engine.get("/_ping").text(), "OK");
}

#[test]
fn versions_are_negotiated() {
    let engine = Engine::start();
    let newest = engine.get("/version").json()["ApiVersion"]
        .as_str()
        .unwrap()
        .to_owned();
    for version in ["1.24", "1.41", &newest] {
        assert_eq!(
            engine.get(&format!("/v{version}/containers/json")).status,
            200,
            "{version}"
        );
    }
    let too_new = engine.get("/v1.999/containers/json");
    assert_eq!(too_new.status, 400);
    assert!(
        too_new
            .message()
            .starts_with("client version 1.999 is too new. Maximum supported API version is"),
        "{}",
        too_new.text()
    );
    let too_old = engine.get("/v1.5/containers/json");
    assert_eq!(too_old.status, 400);
    assert!(
        too_old
            .message()
            .starts_with("client version 1.5 is too old. Minimum supported API version is"),
        "{}",
        too_old.text()
    );
}

#[test]
fn unknown_paths_and_methods_are_refused_in_json() {
    let engine = Engine::start();
    let unknown = engine.get("/v1.41/no/such/thing");
    assert_eq!(
        (unknown.status, unknown.message().as_str()),
        (404, "page not found")
    );
    assert_eq!(
        engine.send("PATCH", "/v1.41/containers/json", b"").status / 100,
        4
    );
}

#[test]
fn malformed_bodies_are_a_bad_request() {
    let engine = Engine::with_busybox();
    for body in ["", "{", "[]", "{\"Image\": 7}"] {
        let answer = engine.send("POST", "/v1.41/containers/create", body.as_bytes());
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert!(!answer.message().is_empty(), "{body}: {}", answer.text());
    }
    let unknown = engine.post(
        "/v1.41/containers/create",
        &json!({ "Image": "busybox", "Cmd": ["true"], "NoSuchKey": 1 }),
    );
    assert_eq!(
        unknown.status,
        201,
        "unknown keys are ignored: {}",
        unknown.text()
    );
    let missing = engine.post("/v1.41/containers/create", &json!({ "Image": "no-such" }));
    assert_eq!(
        (missing.status, missing.message().as_str()),
        (404, "No such image: no-such:latest")
    );
}

#[test]
fn what_is_not_there_is_404_in_dockers_words() {
    let engine = Engine::start();
    for (method, target) in [
        ("GET", "/v1.41/containers/nobody/json"),
        ("POST", "/v1.41/containers/nobody/start"),
        ("POST", "/v1.41/containers/nobody/stop"),
        ("DELETE", "/v1.41/containers/nobody"),
        ("GET", "/v1.41/containers/nobody/logs?stdout=1"),
    ] {
        let answer = engine.send(method, target, b"");
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (404, "No such container: nobody"),
            "{target}"
        );
    }
    assert_eq!(
        engine.get("/v1.41/exec/nobody/json").message(),
        "No such exec instance: nobody"
    );
    assert_eq!(engine.get("/v1.41/volumes/nobody").status, 404);
    assert_eq!(engine.get("/v1.41/networks/nobody").status, 404);
}

#[test]
fn a_network_has_dockers_fields_in_dockers_order() {
    let engine = Engine::start();
    let bridge = engine.get("/networks/bridge").json();
    let fields: Vec<_> = bridge.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "Name",
            "Id",
            "Created",
            "Scope",
            "Driver",
            "EnableIPv4",
            "EnableIPv6",
            "IPAM",
            "Internal",
            "Attachable",
            "Ingress",
            "ConfigFrom",
            "ConfigOnly",
            "Options",
            "Labels",
            "Containers",
        ]
    );
    assert_eq!(bridge["ConfigFrom"], json!({ "Network": "" }));
}

#[test]
fn starting_twice_is_not_modified() {
    let engine = Engine::with_busybox();
    crate::idle(&engine, "once");
    assert_eq!(
        engine.send("POST", "/containers/once/start", b"").status,
        304
    );
    engine.docker(&["stop", "-t", "5", "once"]).ok();
    assert_eq!(
        engine.send("POST", "/containers/once/stop", b"").status,
        304
    );
}

#[test]
fn info_and_version_are_for_clients() {
    let engine = Engine::with_busybox();
    let version = engine
        .docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"])
        .ok();
    assert_eq!(
        version,
        format!("linux/{}", dhow_testkit::image::architecture())
    );
    let compiler = engine.get("/version").json()["GoVersion"].clone();
    let compiler = compiler.as_str().unwrap_or_default();
    assert!(compiler.starts_with("rustc 1."), "{compiler}");
    let info = engine.get("/info").json();
    assert_eq!(info["OSType"], "linux");
    assert_eq!(info["Containers"], 0);
    assert!(info["NCPU"].as_u64().is_some_and(|count| count > 0));
    engine.docker(&["info"]).ok();
}

/// People read the answer from the top, and compare two line by line.
#[test]
fn answers_are_in_docker_s_order() {
    let engine = Engine::with_busybox();
    let labels = ["z=1", "b=2", "m=3", "a=4"].map(|label| format!("--label={label}"));
    let mut create = vec!["create", "--name", "box"];
    create.extend(labels.iter().map(String::as_str));
    create.extend(["busybox", "true"]);
    engine.docker(&create).ok();
    for inspected in [
        engine.docker(&["inspect", "box"]).ok(),
        engine.dhow(&["inspect", "box"]).ok(),
    ] {
        let position = |key: &str| {
            let at = inspected.find(&format!("\"{key}\":"));
            at.unwrap_or_else(|| panic!("no {key} in {inspected}"))
        };
        let keys = [
            "Id",
            "Created",
            "Path",
            "Args",
            "State",
            "Image",
            "HostConfig",
            "Config",
            "a",
            "b",
            "m",
            "z",
        ];
        assert!(keys.map(position).is_sorted(), "{inspected}");
    }
}

#[test]
fn the_socket_is_for_its_group_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let engine = Engine::start();
    let mode = std::fs::metadata(engine.socket())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
}

#[test]
fn both_clients_print_the_same_tables() {
    let engine = Engine::with_busybox();
    crate::idle(&engine, "box");
    for words in [
        &[
            "ps",
            "--format",
            "table {{.Names}}\t{{.Image}}\t{{.Command}}",
        ][..],
        &["ps", "-aq", "--no-trunc"],
        &[
            "images",
            "--format",
            "{{.Repository}} {{.Tag}} {{.ID}} {{.Size}}",
        ],
        &[
            "inspect",
            "-f",
            "{{json .Config.Cmd}} {{.State.Status}}",
            "box",
        ],
        &["volume", "ls"],
        &["port", "box"],
    ] {
        assert_eq!(
            engine.docker(words).ok(),
            engine.dhow(words).ok(),
            "{words:?}"
        );
    }
}
