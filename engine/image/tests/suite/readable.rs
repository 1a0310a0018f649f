//! Saved images that came in forms which other readers don't know.

use std::collections::HashMap;
use std::io::{Cursor, Read as _};
use std::process::Command;

use serde_json::Value;

use crate::fixture::*;

fn entries(archive: &[u8]) -> HashMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(Cursor::new(archive));
    let entries = archive.entries().expect("entries");
    entries
        .map(|entry| {
            let mut entry = entry.expect("entry");
            let path = entry.path().expect("path").display().to_string();
            let mut data = Vec::new();
            entry.read_to_end(&mut data).expect("data");
            (path, data)
        })
        .collect()
}

#[test]
fn layers_in_zstd_are_saved_plain_and_all_else_as_it_came() {
    let (dir, store) = store();
    let plain = archive(|tar| file(tar, "big", &vec![9; 300_000]));
    let layers = [small_layer("a", b"first"), layer(&plain, Pack::Zstd)];
    let id = image(&store, &layers, &["example.com/app:1"]);
    let plan = store.save(&["example.com/app:1".to_owned()]).expect("plan");
    let mut saved = Vec::new();
    plan.write(&mut saved).expect("written");

    // Both indexes say the same, and it is true.
    let found = entries(&saved);
    let json = |name: &str| serde_json::from_slice::<Value>(&found[name]).expect(name);
    let blob = |digest: &str| format!("blobs/{}", digest.replace(':', "/"));
    let index = json("index.json");
    let digest_of = index["manifests"][0]["digest"].as_str().expect("digest");
    let manifest = json(&blob(digest_of));
    assert_eq!(digest(&found[&blob(digest_of)]).as_str(), digest_of);
    let expected = [&layers[0].descriptor.digest, &layers[1].diff_id];
    for (position, expected) in expected.into_iter().enumerate() {
        let descriptor = &manifest["layers"][position];
        let name = blob(expected.as_str());
        assert_eq!(descriptor["digest"], expected.as_str());
        assert_eq!(descriptor["size"], found[&name].len());
        assert_eq!(digest(&found[&name]), *expected);
        assert_eq!(json("manifest.json")[0]["Layers"][position], name.as_str());
    }
    let kind = &manifest["layers"][1]["mediaType"];
    assert_eq!(kind, "application/vnd.oci.image.layer.v1.tar");
    assert_eq!(found[&blob(layers[1].diff_id.as_str())], plain);

    // Other people's tools agree, and so does another store.
    let path = dir.path().join("saved.tar");
    std::fs::write(&path, &saved).expect("write");
    for source in ["docker-archive", "oci-archive"] {
        let copy = dir.path().join(source);
        let output = Command::new("skopeo")
            .args(["--insecure-policy", "copy"])
            .arg(format!("{source}:{}", path.display()))
            .arg(format!("dir:{}", copy.display()))
            .output()
            .expect("skopeo runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{source}: {said}");
    }
    let (_dir, other) = crate::fixture::store();
    let loaded = other.load(&mut Cursor::new(&saved), &mut |_| {});
    assert_eq!(loaded.expect("loads")[0].id, id);

    // A layer whose plain archive is here already is taken from there.
    let plan = other.save(&["example.com/app:1".to_owned()]).expect("plan");
    let mut again = Vec::new();
    plan.write(&mut again).expect("written");
    assert_eq!(entries(&again), found);
}

#[test]
fn what_a_save_needs_is_not_collected_meanwhile() {
    let (_dir, store) = store();
    let plain = archive(|tar| file(tar, "big", &vec![9; 300_000]));
    let id = image(&store, &[layer(&plain, Pack::Zstd)], &["app:1"]);
    let plan = store.save(&["app:1".to_owned()]).expect("plan");
    let options = dhow_image::RemoveOptions::default();
    store.remove("app:1", options, &[]).expect("removed");
    assert!(store.image(&id).is_err());
    let mut saved = Vec::new();
    plan.write(&mut saved).expect("all of it is still there");
    assert!(entries(&saved).values().any(|data| *data == plain));
}
