//! Images in the store: names, archives, removal, listings.

use std::process::Command;

use dhow_testkit::{Engine, Outcome, fixture};

use crate::field;

#[test]
fn load_lists_and_inspects() {
    let engine = Engine::start();
    let image = fixture::layered();
    let path = engine.scratch().join("image.tar");
    std::fs::write(&path, image.archive("dhow/layered:1")).unwrap();
    let said = engine
        .docker(&["load", "-i", &path.display().to_string()])
        .ok();
    assert_eq!(said, "Loaded image: dhow/layered:1");
    assert_eq!(field(&engine, "dhow/layered:1", "{{.Id}}"), image.id());
    let layers = field(
        &engine,
        "dhow/layered:1",
        "{{range .RootFS.Layers}}{{.}} {{end}}",
    );
    assert_eq!(
        layers.split_whitespace().collect::<Vec<_>>(),
        image.diff_ids()
    );
    let listed = engine
        .docker(&[
            "images",
            "--format",
            "{{.Repository}}:{{.Tag}} {{.ID}}",
            "--no-trunc",
            "dhow/layered",
        ])
        .ok();
    assert_eq!(listed, format!("dhow/layered:1 {}", image.id()));
}

#[test]
fn the_built_in_image_is_there_until_somebody_removes_it() {
    let mut engine = Engine::start();
    let id = field(&engine, "dhow/welcome", "{{.Id}}");
    assert!(id.starts_with("sha256:"), "{id}");
    assert_eq!(engine.docker(&["images", "-q"]).ok().lines().count(), 1);
    engine.docker(&["rmi", "dhow/welcome"]).ok();
    engine.stop();
    engine.start_again();
    assert_eq!(engine.docker(&["images", "-q"]).ok(), "");
}

#[test]
fn what_is_saved_loads_elsewhere_and_here() {
    let engine = Engine::with_busybox();
    engine.load(&fixture::layered(), "layered:1");
    let path = engine.scratch().join("saved.tar");
    let file = path.display().to_string();
    engine
        .docker(&["save", "-o", &file, "layered:1", "busybox"])
        .ok();
    let single = engine.scratch().join("single.tar");
    engine
        .docker(&["save", "-o", &single.display().to_string(), "layered:1"])
        .ok();
    let mut skopeo = Command::new("skopeo");
    skopeo.args([
        "inspect",
        "--raw",
        "--config",
        &format!("docker-archive:{}", single.display()),
    ]);
    assert!(Outcome::of(skopeo, b"").ok().contains("rootfs"));

    let other = Engine::start();
    let mut said: Vec<String> = other
        .docker(&["load", "-i", &file])
        .ok()
        .lines()
        .map(str::to_owned)
        .collect();
    said.sort();
    assert_eq!(
        said,
        ["Loaded image: busybox:latest", "Loaded image: layered:1"]
    );
    assert_eq!(
        field(&other, "layered:1", "{{.Id}}"),
        fixture::layered().id(),
        "the id survives"
    );
    assert_eq!(
        other
            .docker(&["run", "--rm", "layered:1", "cat", "/data/changed"])
            .ok(),
        "after"
    );
}

#[test]
fn an_archive_through_a_pipe_is_the_same() {
    let engine = Engine::with_busybox();
    let saved = engine.docker(&["save", "busybox"]).stdout;
    let other = Engine::start();
    other.docker_fed(&["load"], &saved).ok();
    assert_eq!(
        other.docker(&["run", "--rm", "busybox", "echo", "hi"]).ok(),
        "hi"
    );
}

#[test]
fn tags_come_and_go_by_dockers_rules() {
    let engine = Engine::with_busybox();
    let id = fixture::busybox().id();
    engine.docker(&["tag", "busybox", "boat:1"]).ok();
    engine
        .docker(&["tag", "busybox", "registry.example/fleet/boat:2"])
        .ok();
    let several = engine.docker(&["rmi", &id]).fails(1);
    assert!(
        several.contains("must be forced") && several.contains("multiple repositories"),
        "{several}"
    );
    assert_eq!(engine.docker(&["rmi", "boat:1"]).ok(), "Untagged: boat:1");
    engine.docker(&["create", "--name", "user", "busybox"]).ok();
    engine
        .docker(&["rmi", "registry.example/fleet/boat:2"])
        .ok();
    let used = engine.docker(&["rmi", "busybox"]).fails(1);
    assert!(
        used.contains("conflict: unable to remove repository reference"),
        "{used}"
    );
    engine.docker(&["rm", "user"]).ok();
    let said = engine.docker(&["rmi", "busybox"]).ok();
    assert!(
        said.starts_with("Untagged: busybox:latest\nDeleted: sha256:"),
        "{said}"
    );
    let gone = engine.docker(&["rmi", "busybox"]).fails(1);
    assert!(gone.contains("No such image: busybox"), "{gone}");
    let left = engine
        .docker(&["images", "-aq", "--filter", "reference=busybox"])
        .ok();
    assert_eq!(left, "");
}

#[test]
fn bad_references_are_refused_in_dockers_words() {
    let engine = Engine::with_busybox();
    let tag = |name: &str| engine.docker(&["tag", "busybox", name]).err();
    assert!(tag("Upper:1").contains("must be lowercase"));
    assert!(
        tag("a:b:c").contains("invalid reference format")
            || tag("a:b:c").contains("is not a valid repository/tag")
    );
    let unknown = engine.get("/images/no-such/json");
    assert_eq!(
        (unknown.status, unknown.message().as_str()),
        (404, "No such image: no-such:latest")
    );
}

#[test]
fn history_names_every_layer() {
    let engine = Engine::start();
    engine.load(&fixture::layered(), "layered:1");
    let told = engine
        .docker(&["history", "--format", "{{.CreatedBy}}", "layered:1"])
        .ok();
    assert_eq!(told, "dhow-testkit\ndhow-testkit\ndhow-testkit");
}

#[test]
fn prune_takes_what_nothing_names() {
    let engine = Engine::with_busybox();
    engine.load(&fixture::layered(), "busybox:latest");
    let dangling = engine
        .docker(&["images", "-q", "--no-trunc", "-f", "dangling=true"])
        .ok();
    assert_eq!(dangling, fixture::busybox().id());
    let said = engine.docker(&["image", "prune", "-f"]).ok();
    assert!(said.contains("Total reclaimed space"), "{said}");
    assert_eq!(
        engine.docker(&["images", "-q", "-f", "dangling=true"]).ok(),
        ""
    );
    assert_eq!(
        engine
            .docker(&["run", "--rm", "busybox", "cat", "/data/changed"])
            .ok(),
        "after",
        "shared layers stay"
    );
}

#[test]
fn disk_usage_counts() {
    let engine = Engine::with_busybox();
    let told = engine
        .docker(&["system", "df", "--format", "{{.Type}} {{.TotalCount}}"])
        .ok();
    assert!(
        told.contains("Containers 0") && told.contains("Images "),
        "{told}"
    );
}
