//! Stores opened again: after a restart, after a power cut, after damage.

use dhow_image::{ImageStore, OpenOptions, StoreError};

use crate::fixture::*;

#[test]
fn everything_is_there_again() {
    let (dir, first) = store();
    let layers = [small_layer("a", b"a"), small_layer("b", b"b")];
    let id = image(&first, &layers, &["app:1", "other"]);
    let before = first.get("app:1").expect("image");
    drop(first);
    let store = open(dir.path());
    assert_eq!(store.get("other").expect("image"), before);
    assert_eq!(store.rootfs(&id).expect("rootfs").len(), 3);
}

#[test]
fn one_engine_at_a_time() {
    let (dir, _first) = store();
    let boot_id = "boot-1".into();
    let error = ImageStore::open(dir.path(), OpenOptions { boot_id }).expect_err("in use");
    assert!(matches!(error, StoreError::InUse(_)), "{error}");
}

#[test]
fn layers_of_another_boot_are_unpacked_again() {
    let (dir, first) = store();
    let id = image(&first, &[small_layer("a", b"content")], &["app"]);
    let torn = first.rootfs(&id).expect("rootfs").remove(0).path.join("a");
    drop(first);
    // What a power cut leaves of a file that was never synced.
    std::fs::write(&torn, "").expect("torn");

    let store = open_in_boot(dir.path(), "boot-2");
    let path = store.rootfs(&id).expect("rootfs").remove(0).path.join("a");
    assert_eq!(std::fs::read(path).expect("read"), b"content");
}

#[test]
fn settled_layers_stay() {
    let (dir, first) = store();
    let id = image(&first, &[small_layer("a", b"content")], &["app"]);
    first.settle().expect("settled");
    let mark = first
        .rootfs(&id)
        .expect("rootfs")
        .remove(0)
        .path
        .join("mark");
    std::fs::write(&mark, "").expect("mark");
    drop(first);
    let store = open_in_boot(dir.path(), "boot-2");
    store.rootfs(&id).expect("rootfs");
    assert!(mark.exists(), "not unpacked again");
}

#[test]
fn a_deleted_layer_directory_comes_back() {
    let (dir, first) = store();
    let id = image(&first, &[small_layer("a", b"content")], &["app"]);
    let path = first.rootfs(&id).expect("rootfs").remove(0).path;
    drop(first);
    std::fs::remove_dir_all(path.parent().expect("parent")).expect("deleted");
    let store = open(dir.path());
    store.rootfs(&id).expect("rootfs");
    assert_eq!(std::fs::read(path.join("a")).expect("read"), b"content");
}

#[test]
fn a_lost_blob_is_named() {
    let (dir, first) = store();
    let layer = small_layer("a", b"content");
    let id = image(&first, std::slice::from_ref(&layer), &["app"]);
    drop(first);
    std::fs::remove_dir_all(dir.path().join("layers").join(layer.diff_id.hex())).expect("deleted");
    let blob = dir
        .path()
        .join("blobs/sha256")
        .join(layer.descriptor.digest.hex());
    std::fs::remove_file(blob).expect("deleted");
    let store = open(dir.path());
    let error = store.rootfs(&id).expect_err("lost");
    assert!(
        error.to_string().contains(layer.diff_id.as_str()),
        "{error}"
    );
    // A new pull brings it back.
    ingest(&store, &store.lease(), &layer).expect("fetched");
    store.rootfs(&id).expect("whole again");
}

#[test]
fn a_blob_damaged_on_disk_is_not_unpacked() {
    let (dir, first) = store();
    let layer = small_layer("a", b"content");
    let id = image(&first, std::slice::from_ref(&layer), &["app"]);
    drop(first);
    let blob = dir
        .path()
        .join("blobs/sha256")
        .join(layer.descriptor.digest.hex());
    let mut bytes = std::fs::read(&blob).expect("blob");
    bytes[30] ^= 1;
    std::fs::write(&blob, bytes).expect("damaged");
    let store = open_in_boot(dir.path(), "boot-2");
    store.rootfs(&id).expect_err("damaged");
    assert!(!store.has_layer(&layer.diff_id).expect("query"));
}

#[test]
fn rubbish_is_swept() {
    let (dir, first) = store();
    let tmp = dir.path().join("tmp/layer-1-2/diff/deep");
    std::fs::create_dir_all(&tmp).expect("rubbish");
    let orphan = dir.path().join("layers").join(digest(b"x").hex());
    std::fs::create_dir_all(orphan.join("diff")).expect("orphan");
    drop(first);
    let _store = open(dir.path());
    assert!(!orphan.exists());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::fs::read_dir(dir.path().join("tmp"))
        .expect("tmp")
        .count()
        > 0
    {
        assert!(std::time::Instant::now() < deadline, "rubbish stays");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn a_newer_database_is_left_alone() {
    let (dir, first) = store();
    drop(first);
    let db = rusqlite::Connection::open(dir.path().join("images.db")).expect("database");
    db.pragma_update(None, "user_version", 99).expect("version");
    drop(db);
    let boot_id = "boot-1".into();
    let error = ImageStore::open(dir.path(), OpenOptions { boot_id }).expect_err("newer");
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error}"
    );
}
