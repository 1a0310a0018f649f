//! Names, lookups, removal.

use dhow_image::image::{Removed, shared_sizes};
use dhow_image::{ImageError, ImageStore, ImageUser, NewImage, RemoveOptions};
use dhow_model::Digest;

use crate::fixture::*;

const FORCE: RemoveOptions = RemoveOptions {
    force: true,
    no_prune: false,
};

fn user(image: &Digest, running: bool) -> ImageUser {
    ImageUser {
        image: image.clone(),
        container: "0123456789abcdef0123".into(),
        running,
    }
}

fn remove(store: &ImageStore, word: &str) -> Result<Vec<Removed>, ImageError> {
    store.remove(word, RemoveOptions::default(), &[])
}

#[track_caller]
fn fails(result: Result<impl std::fmt::Debug, ImageError>, text: &str) {
    assert_eq!(result.expect_err(text).to_string(), text);
}

fn untagged(removed: &[Removed]) -> Vec<&str> {
    let names = removed.iter().filter_map(|r| match r {
        Removed::Untagged { name, .. } => Some(name.as_str()),
        _ => None,
    });
    names.collect()
}

#[test]
fn finding_by_every_name() {
    let (_dir, store) = store();
    let id = image(
        &store,
        &[small_layer("a", b"a")],
        &["app:1", "host:5000/x/app"],
    );
    for word in [
        "app:1",
        "docker.io/library/app:1",
        "host:5000/x/app",
        id.as_str(),
        id.hex(),
    ] {
        assert_eq!(store.resolve(word).expect(word), id);
    }
    assert_eq!(store.resolve(id.short()).expect("short id"), id);
    assert_eq!(store.resolve(&id.as_str()[..12]).expect("short digest"), id);
    fails(store.resolve("app"), "No such image: app:latest");
    fails(store.resolve("other/app:2"), "No such image: other/app:2");
    fails(
        store.resolve("App"),
        "invalid reference format: repository name (library/App) must be lowercase",
    );
    fails(store.resolve("a:b:c"), "invalid reference format");
    let unknown = format!("sha256:{}", "0".repeat(64));
    fails(
        store.resolve(&unknown),
        &format!("No such image: {unknown}"),
    );
}

#[test]
fn ambiguous_ids_name_nothing() {
    let (_dir, store) = store();
    // Twenty images: two of them share their first digit.
    let ids: Vec<Digest> = (0..20u8)
        .map(|n| image(&store, &[small_layer("n", &[n])], &[]))
        .collect();
    let mut seen = std::collections::HashSet::new();
    let twice = ids.iter().find(|id| !seen.insert(&id.hex()[..1]));
    let word = &twice.expect("more images than digits").hex()[..1];
    fails(
        store.resolve(word),
        &format!("No such image: {word}:latest"),
    );
}

#[test]
fn tags_move_and_are_refused() {
    let (_dir, store) = store();
    let one = image(&store, &[small_layer("a", b"1")], &["app"]);
    let two = image(&store, &[small_layer("a", b"2")], &[]);
    store.tag(&two, &reference("app")).expect("tag");
    assert_eq!(store.resolve("app:latest").expect("moved"), two);
    assert!(store.names(&one).expect("names").is_empty());
    let by_digest = reference("app").with_digest(one.clone());
    fails(
        store.tag(&one, &by_digest),
        "refusing to create a tag with a digest reference",
    );
    fails(
        store.tag(&one, &reference("sha256:abc")),
        "refusing to create an ambiguous tag using digest algorithm as name",
    );
    fails(
        store.tag(&digest(b"nothing"), &reference("x")),
        &format!("No such image: {}", digest(b"nothing")),
    );
}

#[test]
fn removing_the_last_name_removes_all() {
    let (_dir, store) = store();
    let shared = small_layer("base", b"base");
    let own = small_layer("own", b"own");
    let one = image(&store, &[shared.clone(), own.clone()], &["one"]);
    let two = image(&store, std::slice::from_ref(&shared), &["two"]);
    let chain = store.image(&one).expect("image").layers[1].chain_id.clone();
    let removed = remove(&store, "one").expect("removed");
    assert_eq!(
        removed,
        [
            Removed::Untagged {
                name: "one:latest".into(),
                image: one.clone()
            },
            Removed::Image(one.clone()),
            Removed::Layer(chain),
        ]
    );
    fails(store.resolve("one"), "No such image: one:latest");
    assert!(!store.has_layer(&own.diff_id).expect("query"));
    assert!(!store.has_blob(&own.descriptor.digest));
    assert!(!store.has_blob(&one));
    assert!(store.has_layer(&shared.diff_id).expect("query"));
    assert!(store.has_blob(&shared.descriptor.digest));
    assert_eq!(store.rootfs(&two).expect("rootfs").len(), 2);
    remove(&store, two.short()).expect("by id");
    assert_eq!(store.images().expect("images"), []);
    // The link to the mount points stays.
    for (dir, expected) in [("blobs/sha256", 0), ("tmp", 0), ("layers/l", 1)] {
        let left = std::fs::read_dir(store.root().join(dir))
            .expect("dir")
            .count();
        assert_eq!(left, expected, "{dir}");
    }
}

#[test]
fn several_names_are_taken_one_by_one() {
    let (_dir, store) = store();
    let layer = [small_layer("a", b"a")];
    let id = image(&store, &layer, &["one", "two:x"]);
    let short = id.short();
    fails(
        remove(&store, short),
        &format!(
            "conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories"
        ),
    );
    assert_eq!(
        untagged(&remove(&store, "one").expect("untag")),
        ["one:latest"]
    );
    store.image(&id).expect("still there");
    store.tag(&id, &reference("three")).expect("tag");
    let removed = store.remove(short, FORCE, &[]).expect("forced");
    assert_eq!(untagged(&removed), ["three:latest", "two:x"]);
    fails(store.image(&id), &format!("No such image: {id}"));
}

#[test]
fn digests_go_with_the_last_tag_of_their_repository() {
    let (_dir, store) = store();
    let id = image(&store, &[small_layer("a", b"a")], &[]);
    let lease = store.lease();
    let config = store.read_blob(&id).expect("config");
    let pulled = reference("host:5000/app").with_digest(digest(b"manifest"));
    let names = [
        pulled.clone(),
        reference("host:5000/app:1"),
        reference("host:5000/app:2"),
    ];
    let image = NewImage {
        config: &config,
        names: &names,
        ..NewImage::default()
    };
    assert_eq!(store.commit_image(&lease, &image).expect("named"), id);
    let whole = format!("host:5000/app@{}", digest(b"manifest"));
    assert_eq!(store.resolve(&whole).expect("by digest"), id);
    let first = remove(&store, "host:5000/app:1").expect("first");
    assert_eq!(untagged(&first), ["host:5000/app:1"]);
    let second = remove(&store, "host:5000/app:2").expect("second");
    assert_eq!(untagged(&second), ["host:5000/app:2", whole.as_str()]);
    assert_eq!(second.len(), 4, "image and layer as well: {second:?}");
}

#[test]
fn images_in_use() {
    let (_dir, store) = store();
    let id = image(&store, &[small_layer("a", b"a")], &["app"]);
    let short = id.short();
    let try_remove =
        |word: &str, options, running| store.remove(word, options, &[user(&id, running)]);
    let plain = RemoveOptions::default();
    fails(
        try_remove("app", plain, false),
        &format!(
            "conflict: unable to remove repository reference \"app\" (must force) - container 0123456789ab is using its referenced image {short}"
        ),
    );
    fails(
        try_remove(short, plain, false),
        &format!(
            "conflict: unable to delete {short} (must be forced) - image is being used by stopped container 0123456789ab"
        ),
    );
    for options in [plain, FORCE] {
        fails(
            try_remove(short, options, true),
            &format!(
                "conflict: unable to delete {short} (cannot be forced) - image is being used by running container 0123456789ab"
            ),
        );
    }
    assert_eq!(
        store.names(&id).expect("names").len(),
        1,
        "nothing happened"
    );
    // By name and by force, an image that runs loses its name and stays.
    let removed = try_remove("app", FORCE, true).expect("untagged");
    assert_eq!(untagged(&removed), ["app:latest"]);
    assert_eq!(removed.len(), 1);
    let removed = try_remove(short, FORCE, false).expect("stopped containers give way");
    assert!(removed.contains(&Removed::Image(id.clone())));
}

#[test]
fn pinned_layers_outlive_their_image() {
    let (_dir, store) = store();
    let layers = [small_layer("a", b"a"), small_layer("b", b"b")];
    let id = image(&store, &layers, &["app"]);
    store.pin("container", &id).expect("pin");
    let removed = store
        .remove("app", FORCE, &[user(&id, false)])
        .expect("removed");
    assert!(
        !removed.iter().any(|r| matches!(r, Removed::Layer(_))),
        "{removed:?}"
    );
    let dirs = store.pinned_rootfs("container").expect("rootfs");
    assert_eq!(dirs.len(), 3, "two layers and the mount points");
    assert!(dirs[0].path.join("b").exists() && dirs[1].path.join("a").exists());
    store
        .retain_pins(|owner| owner != "container")
        .expect("unpin");
    // Removed by a thread of its own.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while dirs[0].path.exists() || dirs[1].path.exists() {
        assert!(std::time::Instant::now() < deadline, "layers stay");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let collected = store.collect().expect("collect");
    assert_eq!(collected.bytes, 0, "nothing was left");
}

#[test]
fn removal_leaves_what_an_interrupted_pull_fetched() {
    let (_dir, store) = store();
    let fetched = small_layer("a", b"a");
    ingest(&store, &store.lease(), &fetched).expect("layer");
    image(&store, &[small_layer("b", b"b")], &["app"]);
    remove(&store, "app").expect("removed");
    assert!(store.has_layer(&fetched.diff_id).expect("query"));
    let collected = store.collect().expect("collect");
    assert_eq!(collected.layers, [fetched.diff_id]);
}

#[test]
fn parents_and_children() {
    let (_dir, store) = store();
    let base = small_layer("a", b"a");
    let parent = image(&store, std::slice::from_ref(&base), &["parent"]);
    let lease = store.lease();
    let top = small_layer("b", b"b");
    ingest(&store, &lease, &top).expect("layer");
    let (config, _) = documents(&[base, top], serde_json::json!({}));
    let child = NewImage {
        config: &config,
        parent: Some(&parent),
        names: &[reference("child")],
        ..NewImage::default()
    };
    let child = store.commit_image(&lease, &child).expect("child");
    assert_eq!(
        store.children(&parent).expect("children"),
        std::slice::from_ref(&child)
    );
    let short = parent.short();
    for options in [RemoveOptions::default(), FORCE] {
        fails(
            store.remove(short, options, &[]),
            &format!(
                "conflict: unable to delete {short} (cannot be forced) - image has dependent child images"
            ),
        );
    }
    assert_eq!(
        untagged(&remove(&store, "parent").expect("untag")),
        ["parent:latest"]
    );
    // The nameless parent goes with its last child, unless that is unwanted.
    let shared = shared_sizes(&store.images().expect("images"));
    assert_eq!(shared[&child], 1);
    let removed = remove(&store, "child").expect("removed");
    let gone: Vec<_> = removed
        .iter()
        .filter_map(|r| match r {
            Removed::Image(id) => Some(id),
            _ => None,
        })
        .collect();
    assert_eq!(gone, [&child, &parent]);
}

#[test]
fn leases_hold_what_is_not_named_yet() {
    let (_dir, store) = store();
    let layer = small_layer("a", b"a");
    let lease = store.lease();
    ingest(&store, &lease, &layer).expect("layer");
    assert_eq!(store.collect().expect("collect").layers, []);
    drop(lease);
    assert_eq!(store.collect().expect("collect").layers, [layer.diff_id]);
}

#[test]
fn documents_that_contradict_each_other() {
    let (_dir, store) = store();
    let lease = store.lease();
    let one = small_layer("a", b"a");
    ingest(&store, &lease, &one).expect("layer");
    let (config, manifest) = documents(std::slice::from_ref(&one), serde_json::json!({}));
    let (other, _) = documents(&[], serde_json::json!({}));
    let wrong = NewImage {
        config: &other,
        manifest: Some(&manifest),
        ..NewImage::default()
    };
    let error = store
        .commit_image(&lease, &wrong)
        .expect_err("wrong config");
    assert!(matches!(error, ImageError::WrongConfig { .. }), "{error}");
    let absent = small_layer("b", b"b");
    let (config_b, manifest_b) = documents(&[one, absent], serde_json::json!({}));
    let early = NewImage {
        config: &config_b,
        manifest: Some(&manifest_b),
        ..NewImage::default()
    };
    let error = store
        .commit_image(&lease, &early)
        .expect_err("layer missing");
    assert!(matches!(error, ImageError::Layer(_)), "{error}");
    let garbage = NewImage {
        config: b"{",
        ..NewImage::default()
    };
    store.commit_image(&lease, &garbage).expect_err("no json");
    let good = NewImage {
        config: &config,
        ..NewImage::default()
    };
    store.commit_image(&lease, &good).expect("good");
}

#[test]
fn collections_beside_pulls_take_nothing_that_is_wanted() {
    let (_dir, store) = store();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                store.collect().expect("collect");
            }
        });
        let pulls: Vec<_> = (0..2u8)
            .map(|puller| {
                let store = &store;
                scope.spawn(move || {
                    for round in 0..30u8 {
                        let name = format!("app-{puller}:{round}");
                        let id = image(store, &[small_layer("f", &[puller, round])], &[&name]);
                        let dirs = store.rootfs(&id).expect("rootfs");
                        assert!(dirs[0].path.join("f").exists());
                        if round % 2 == 0 {
                            remove(store, &name).expect("removed");
                        }
                    }
                })
            })
            .collect();
        let done: Vec<_> = pulls.into_iter().map(|pull| pull.join()).collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        done.into_iter().for_each(|pull| pull.expect("pull"));
    });
    assert_eq!(store.images().expect("images").len(), 30);
    for image in store.images().expect("images") {
        store.rootfs(&image.id).expect("rootfs");
        store.push_plan(&image.id).expect("its blobs are there");
    }
}
