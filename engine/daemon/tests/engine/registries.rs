//! Pull and push against Debian's registry.

use dhow_testkit::registry::{Options, PASSWORD, USER};
use dhow_testkit::{Engine, Image, Layer, Registry, fixture};

use crate::field;

#[test]
fn pulls_both_formats_and_runs_them() {
    let engine = Engine::start();
    let registry = Registry::start();
    let oci = registry.push(&fixture::layered(), "layered:oci");
    let docker = registry.push_docker(&fixture::layered(), "fleet/layered:docker");
    for reference in [&oci, &docker] {
        let said = engine.docker(&["pull", reference]).ok();
        assert!(
            said.contains("Status: Downloaded newer image for") || said.contains("up to date"),
            "{said}"
        );
        assert!(said.contains("Digest: sha256:"), "{said}");
        assert_eq!(
            engine
                .docker(&["run", "--rm", reference, "cat", "/data/changed"])
                .ok(),
            "after"
        );
    }
    assert_eq!(field(&engine, &oci, "{{.Id}}"), fixture::layered().id());
    let again = engine.docker(&["pull", &oci]).ok();
    assert!(again.contains("Image is up to date"), "{again}");
    let quiet = engine.docker(&["pull", "-q", &oci]).ok();
    assert_eq!(quiet, oci);
}

#[test]
fn pulls_by_digest() {
    let engine = Engine::start();
    let registry = Registry::start();
    let reference = registry.push(&fixture::busybox(), "busybox:1");
    let said = engine.docker(&["pull", &reference]).ok();
    let digest = said
        .lines()
        .find_map(|line| line.strip_prefix("Digest: "))
        .unwrap()
        .to_owned();
    let by_digest = format!("{}/busybox@{digest}", registry.address());
    engine.docker(&["rmi", &reference]).ok();
    engine.docker(&["pull", &by_digest]).ok();
    assert_eq!(
        engine
            .docker(&["run", "--rm", &by_digest, "echo", "hi"])
            .ok(),
        "hi"
    );
    assert_eq!(
        field(&engine, &by_digest, "{{index .RepoDigests 0}}"),
        by_digest
    );
    let wrong = format!("{}/busybox@sha256:{}", registry.address(), "0".repeat(64));
    let refused = engine.docker(&["pull", &wrong]).fails(1);
    assert!(
        refused.contains("manifest unknown") || refused.contains("not found"),
        "{refused}"
    );
}

#[test]
fn what_is_pulled_can_be_pushed_with_the_same_digest() {
    let engine = Engine::start();
    let registry = Registry::start();
    let reference = registry.push_docker(&fixture::layered(), "one/layered:1");
    engine.docker(&["pull", &reference]).ok();
    let target = format!("{}/two/layered:1", registry.address());
    engine.docker(&["tag", &reference, &target]).ok();
    let said = engine.docker(&["push", &target]).ok();
    assert!(said.contains("1: digest: sha256:"), "{said}");
    let digests = |name: &str| -> Vec<String> {
        let manifest = registry.get(&format!("{name}/manifests/1")).json();
        let layers = manifest["layers"].as_array().unwrap();
        layers
            .iter()
            .map(|layer| layer["digest"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        digests("one/layered"),
        digests("two/layered"),
        "blobs are sent as they came"
    );
    let again = engine.docker(&["push", &target]).ok();
    assert!(again.contains("Layer already exists"), "{again}");
}

#[test]
fn what_was_made_here_can_be_pushed_and_pulled_elsewhere() {
    let engine = Engine::with_busybox();
    let registry = Registry::start();
    engine
        .docker(&[
            "run",
            "--name",
            "made",
            "busybox",
            "sh",
            "-c",
            "echo cargo > /hold",
        ])
        .ok();
    let reference = format!("{}/laden:1", registry.address());
    engine.docker(&["commit", "made", &reference]).ok();
    engine.docker(&["push", "-q", &reference]).ok();
    let other = Engine::start();
    other.docker(&["pull", "-q", &reference]).ok();
    assert_eq!(
        other
            .docker(&["run", "--rm", &reference, "cat", "/hold"])
            .ok(),
        "cargo"
    );
}

#[test]
fn an_unknown_image_is_dockers_error() {
    let engine = Engine::start();
    let registry = Registry::start();
    registry.push(&fixture::busybox(), "busybox:1");
    let said = engine
        .docker(&["pull", &format!("{}/busybox:2", registry.address())])
        .fails(1);
    assert!(
        said.contains("manifest") && said.contains("not found")
            || said.contains("manifest unknown"),
        "{said}"
    );
}

#[test]
fn passwords_open_the_door() {
    let engine = Engine::start();
    let registry = Registry::with(Options {
        password: true,
        ..Options::default()
    });
    let reference = registry.push(&fixture::busybox(), "busybox:1");
    let refused = engine.docker(&["pull", &reference]).fails(1);
    assert!(
        refused.contains("no basic auth credentials") || refused.contains("unauthorized"),
        "{refused}"
    );
    let wrong = engine
        .docker_fed(
            &["login", "-u", USER, "--password-stdin", registry.address()],
            b"wrong",
        )
        .fails(1);
    assert!(
        wrong.contains("401") || wrong.contains("unauthorized"),
        "{wrong}"
    );
    let said = engine.docker_fed(
        &["login", "-u", USER, "--password-stdin", registry.address()],
        PASSWORD.as_bytes(),
    );
    assert!(said.clone().ok().contains("Login Succeeded"), "{said}");
    engine.docker(&["pull", &reference]).ok();
    assert!(!engine.log().contains(PASSWORD), "a secret is in the log");
}

#[test]
fn a_mirror_is_asked_first() {
    let registry = Registry::start();
    registry.push(&fixture::busybox(), "library/busybox:1");
    let engine = Engine::options()
        .argument(&format!("--registry-mirror=http://{}", registry.address()))
        .start();
    engine.docker(&["pull", "busybox:1"]).ok();
    assert_eq!(
        engine
            .docker(&["run", "--rm", "busybox:1", "echo", "hi"])
            .ok(),
        "hi"
    );
    assert!(
        registry.log().contains("/v2/library/busybox/"),
        "the mirror was not asked"
    );
}

#[test]
fn concurrent_pulls_of_the_same_all_end_well() {
    let engine = Engine::start();
    let registry = Registry::start();
    let reference = registry.push_docker(&fixture::layered(), "layered:1");
    let pulls: Vec<_> = (0..4)
        .map(|_| {
            let mut command = engine.docker_command(&["pull", "-q", &reference]);
            std::thread::spawn(move || command.output().unwrap())
        })
        .collect();
    for pull in pulls {
        let output = pull.join().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let blobs = registry
        .log()
        .lines()
        .filter(|line| line.contains("GET") && line.contains("/blobs/"))
        .count();
    assert!(
        blobs <= 4 * 2,
        "four pulls of three layers and a configuration fetched {blobs} blobs"
    );
}

#[test]
fn a_tampered_blob_is_refused_and_nothing_stays() {
    let engine = Engine::start();
    let registry = Registry::start();
    let payload: Vec<u8> = (0..200_000_u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let image = Image::new()
        .layer(Layer::new().file("payload", 0o644, &payload))
        .cmd(&["/payload"])
        .gzip();
    let reference = registry.push(&image, "victim:1");
    let manifest = registry.get("victim/manifests/1").json();
    let digest = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
    let good = std::fs::read(registry.blob(&digest)).unwrap();

    let mut bad = good.clone();
    bad[good.len() / 2] ^= 0x40;
    std::fs::write(registry.blob(&digest), &bad).unwrap();
    let refused = engine.docker(&["pull", &reference]);
    assert_eq!(refused.code, 1, "{refused}");

    std::fs::write(registry.blob(&digest), &good[..good.len() / 3]).unwrap();
    let refused = engine.docker(&["pull", &reference]);
    assert_eq!(refused.code, 1, "{refused}");
    assert_eq!(
        engine.docker(&["images", "-q"]).ok(),
        engine.docker(&["images", "-q", "dhow/welcome"]).ok()
    );

    std::fs::write(registry.blob(&digest), &good).unwrap();
    engine.docker(&["pull", &reference]).ok();
    assert_eq!(field(&engine, &reference, "{{.Id}}"), image.id());
}
