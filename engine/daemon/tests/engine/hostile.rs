//! Archives made to harm: nothing may be written outside, nothing half-done
//! may be left, and the engine lives on.

use dhow_testkit::{Engine, Image, Layer, fixture};
use tar::EntryType;

/// Loads an image with this layer on top of a good one, if it will go, and
/// runs it; whatever happens, the file outside must not appear.
fn try_layer(engine: &Engine, layer: Layer, what: &str) {
    let marker = std::path::Path::new("/tmp/dhow-test-escaped");
    let image = fixture::busybox().layer(layer);
    let archive = image.archive("hostile:1");
    let answer = engine.send("POST", "/images/load?quiet=1", &archive);
    if answer.status == 200 {
        let _ = engine.docker(&["run", "--rm", "hostile:1", "true"]);
        let _ = engine.docker(&["rmi", "-f", "hostile:1"]);
    }
    let escaped = marker.exists();
    let _ = std::fs::remove_file(marker);
    assert!(!escaped, "{what} wrote outside");
    let said = engine
        .docker(&["run", "--rm", "busybox", "echo", "alive"])
        .ok();
    assert_eq!(said, "alive", "after {what}");
}

#[test]
fn no_entry_leads_out_of_its_layer() {
    let engine = Engine::with_busybox();
    let up = "../".repeat(30);
    let target = "tmp/dhow-test-escaped";
    try_layer(
        &engine,
        Layer::new().file(&format!("{up}{target}"), 0o644, b"x"),
        "a name with dots",
    );
    try_layer(
        &engine,
        Layer::new().file(&format!("/{target}"), 0o644, b"x"),
        "an absolute name",
    );
    let through = Layer::new()
        .symlink("out", "/tmp")
        .file("out/dhow-test-escaped", 0o644, b"x");
    try_layer(&engine, through, "a link in the same layer");
    let relative =
        Layer::new()
            .symlink("out", &format!("{up}tmp"))
            .file("out/dhow-test-escaped", 0o644, b"x");
    try_layer(&engine, relative, "a relative link");
    let folder = Layer::new()
        .symlink("out", "/tmp")
        .folder("out", 0o777)
        .file("out/dhow-test-escaped", 0o644, b"x");
    try_layer(&engine, folder, "a folder in place of a link");
    let hard = Layer::new()
        .raw(
            "hard",
            EntryType::Link,
            &format!("{up}etc/passwd"),
            0o644,
            b"",
        )
        .file("hard", 0o644, b"overwritten");
    let before = std::fs::read("/etc/passwd").unwrap();
    try_layer(&engine, hard, "a hard link to the host");
    assert_eq!(std::fs::read("/etc/passwd").unwrap(), before);
    let removed = Layer::new()
        .symlink("out", "/")
        .whiteout("out/etc/hostname");
    try_layer(&engine, removed, "a whiteout behind a link");
    assert!(std::path::Path::new("/etc/hostname").exists());
}

#[test]
fn broken_archives_are_refused_whole() {
    let engine = Engine::with_busybox();
    let good = Image::new()
        .layer(Layer::new().file("a", 0o644, &[7; 5000]))
        .cmd(&["/a"])
        .archive("cut:1");
    let before = engine.docker(&["images", "-aq"]).ok();
    for length in [0, 1, 511, 512, 700, good.len() / 2] {
        let answer = engine.send("POST", "/images/load?quiet=1", &good[..length]);
        let text = answer.text();
        assert!(
            answer.status >= 400 || text.contains("error"),
            "{length} bytes: {} {text}",
            answer.status
        );
        assert_eq!(
            engine.docker(&["images", "-aq"]).ok(),
            before,
            "{length} bytes"
        );
    }
    let mut wrong = good.clone();
    let at = wrong
        .windows(8)
        .position(|window| window == [7; 8])
        .unwrap();
    wrong[at] = 8;
    let answer = engine.send("POST", "/images/load?quiet=1", &wrong);
    assert!(
        answer.status >= 400 || answer.text().contains("error"),
        "a layer that is not its digest: {}",
        answer.text()
    );
    assert_eq!(engine.docker(&["images", "-aq"]).ok(), before);
}

#[test]
fn nonsense_in_place_of_json_is_refused() {
    let engine = Engine::with_busybox();
    let layer = Layer::new().file(
        "manifest.json",
        0o644,
        b"[{\"Config\": \"../../etc/passwd\", \"Layers\": [\"/etc/shadow\"]}]",
    );
    let answer = engine.send("POST", "/images/load?quiet=1", &layer.bytes());
    assert!(
        answer.status >= 400 || answer.text().contains("error"),
        "{}",
        answer.text()
    );
    let deep = "[".repeat(100_000);
    let answer = engine.send("POST", "/containers/create", deep.as_bytes());
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(engine.get("/_ping").status, 200);
}

#[test]
fn copying_a_hostile_archive_in_stays_in() {
    let engine = Engine::with_busybox();
    crate::idle(&engine, "box");
    let marker = std::path::Path::new("/tmp/dhow-test-copied-out");
    let layer = Layer::new()
        .symlink("out", "/../../../../../../tmp")
        .file("out/dhow-test-copied-out", 0o644, b"x")
        .file(
            &format!("{}tmp/dhow-test-copied-out", "../".repeat(30)),
            0o644,
            b"x",
        );
    let _ = engine.send("PUT", "/containers/box/archive?path=/root", &layer.bytes());
    let escaped = marker.exists();
    let _ = std::fs::remove_file(marker);
    assert!(!escaped, "an archive got out of its container");
    assert_eq!(
        engine.docker(&["exec", "box", "echo", "alive"]).ok(),
        "alive"
    );
}
