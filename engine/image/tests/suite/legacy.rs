//! Archives of Docker's first format, without `manifest.json`.

use std::process::Command;

use dhow_image::ImageStore;
use dhow_image::archive::{ArchiveError, Loaded};
use serde_json::json;

use crate::fixture::*;

/// A folder of the archive: an image upon its parent.
fn folder(tar: &mut tar::Builder<Vec<u8>>, id: &str, parent: Option<&str>, layer: Option<&[u8]>) {
    dir(tar, &format!("{id}/"));
    file(tar, &format!("{id}/VERSION"), b"1.0");
    let mut image = json!({
        "id": id,
        "created": "2014-01-02T03:04:05Z",
        "author": "somebody",
        "container_config": {"Cmd": ["/bin/sh", "-c", format!("make {id}")]},
        "config": {"Cmd": ["/bin/true"]},
        "docker_version": "1.9.0",
        "architecture": "amd64",
        "os": "linux",
        "Size": 12345,
    });
    if let Some(parent) = parent {
        image["parent"] = parent.into();
    }
    file(tar, &format!("{id}/json"), image.to_string().as_bytes());
    if let Some(layer) = layer {
        file(tar, &format!("{id}/layer.tar"), layer);
    }
}

fn tree(name: &str) -> Vec<u8> {
    archive(|tar| file(tar, name, name.as_bytes()))
}

fn load(store: &ImageStore, archive: &[u8]) -> Result<Vec<Loaded>, ArchiveError> {
    store.load(&mut std::io::Cursor::new(archive), &mut |_| {})
}

#[test]
fn images_of_old_load_with_their_parents() {
    let (_dir, store) = store();
    let (lower, upper) = (tree("lower"), tree("upper"));
    // The child stands first, and two images share the parent.
    let old = archive(|tar| {
        folder(tar, "cccc", Some("aaaa"), Some(&upper));
        folder(tar, "aaaa", None, Some(&lower));
        folder(tar, "bbbb", Some("aaaa"), Some(&tree("other")));
        let names = json!({"fleet/app": {"1": "cccc", "latest": "cccc"}});
        file(tar, "repositories", names.to_string().as_bytes());
    });
    let loaded = load(&store, &old).expect("loads");
    assert_eq!(loaded.len(), 2, "the parent is nobody's wish");
    let app = loaded.iter().find(|l| !l.names.is_empty()).expect("named");
    assert_eq!(
        app.names,
        [reference("fleet/app:1"), reference("fleet/app:latest")]
    );
    let image = store.get("fleet/app:1").expect("image");
    assert_eq!(image.id, app.id);
    let config = &image.config;
    assert_eq!(config.rootfs.diff_ids, [digest(&lower), digest(&upper)]);
    let steps: Vec<_> = config.history.iter().map(|h| &h.created_by).collect();
    assert_eq!(steps, ["/bin/sh -c make aaaa", "/bin/sh -c make cccc"]);
    assert_eq!(config.history[0].author, "somebody");
    for gone in ["id", "parent", "Size"] {
        assert!(!config.rest.contains_key(gone), "{gone}");
    }
    let parent = image.parent.expect("its parent is an image as well");
    let parent = store.image(&parent).expect("parent");
    assert_eq!(parent.config.rootfs.diff_ids, [digest(&lower)]);
    let rootfs = store.rootfs(&app.id).expect("rootfs");
    assert!(rootfs.iter().any(|dir| dir.path.join("upper").exists()));
    // What is loaded so is saved as any other image is.
    let plan = store.save(&["fleet/app".to_owned()]).expect("plan");
    let mut saved = Vec::new();
    plan.write(&mut saved).expect("written");
    let (_dir, other) = crate::fixture::store();
    assert_eq!(load(&other, &saved).expect("loads")[0].id, app.id);
    // Once more changes nothing.
    assert_eq!(load(&store, &old).expect("loads again").len(), 2);
    assert_eq!(store.images().expect("images").len(), 3);
}

#[test]
fn what_skopeo_writes_for_old_readers_loads() {
    let (dir, store) = store();
    let id = image(&store, &[small_layer("hello", b"there")], &["app:1"]);
    let path = |name: &str| dir.path().join(name).display().to_string();
    let plan = store.save(&["app:1".to_owned()]).expect("plan");
    let mut out = std::fs::File::create(path("new.tar")).expect("file");
    plan.write(&mut out).expect("written");
    let run = |command: &mut Command| {
        let output = command.output().expect("command runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command:?}: {said}");
    };
    run(Command::new("skopeo")
        .args(["--insecure-policy", "copy"])
        .arg(format!("docker-archive:{}", path("new.tar")))
        .arg(format!("docker-archive:{}:app:old", path("old.tar"))));
    run(Command::new("tar")
        .args(["--delete", "-f", &path("old.tar")])
        .arg("manifest.json"));
    let mut input = std::fs::File::open(path("old.tar")).expect("archive");
    let loaded = store.load(&mut input, &mut |_| {}).expect("loads");
    assert_eq!(loaded[0].names, [reference("app:old")]);
    let old = store.image(&loaded[0].id).expect("image");
    let new = store.image(&id).expect("image");
    assert_eq!(old.config.rootfs, new.config.rootfs);
}

#[test]
fn liars_of_old_are_refused() {
    let refused = |fill: &dyn Fn(&mut tar::Builder<Vec<u8>>), expected: &str| {
        let (_dir, store) = store();
        let error = load(&store, &archive(fill)).expect_err(expected);
        let said = dhow_model::error::chain(&error);
        assert!(said.contains(expected), "{said}");
        assert!(store.images().expect("images").is_empty(), "{expected}");
    };
    let layer = tree("a");
    let layer = Some(layer.as_slice());
    refused(
        &|tar| {
            folder(tar, "aaaa", Some("bbbb"), layer);
            folder(tar, "bbbb", Some("aaaa"), layer);
        },
        "the parents of aaaa have no end",
    );
    refused(
        &|tar| {
            for number in 0..600 {
                let parent = format!("{:04}", number + 1);
                folder(tar, &format!("{number:04}"), Some(&parent), None);
            }
        },
        "have no end",
    );
    refused(
        &|tar| folder(tar, "aaaa", Some("gone"), layer),
        "gone/json is missing",
    );
    refused(
        &|tar| folder(tar, "aaaa", Some("../../etc"), layer),
        "is missing",
    );
    refused(
        &|tar| folder(tar, "aaaa", None, None),
        "aaaa/layer.tar is missing",
    );
    refused(
        &|tar| {
            folder(tar, "aaaa", None, None);
            raw(tar, tar::EntryType::Symlink, "aaaa/layer.tar", "layer.tar");
        },
        "aaaa/layer.tar is missing",
    );
    refused(
        &|tar| {
            folder(tar, "aaaa", None, layer);
            file(tar, "repositories", br#"{"app": {"1": "bbbb"}}"#);
        },
        "invalid target ID: bbbb",
    );
    refused(
        &|tar| {
            folder(tar, "aaaa", None, layer);
            file(tar, "repositories", br#"{"A B": {"1": "aaaa"}}"#);
        },
        "invalid reference format",
    );
}
