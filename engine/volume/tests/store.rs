//! The store on a real file system, as root: devices, owners and mounts are
//! made for real.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use dhow_model::{ErrorKind, HasKind, Timestamp};
use dhow_sys::tree::Root;
use dhow_volume::{Creation, VolumeError, VolumeStore};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, makedev, mknodat};
use rustix::mount::{MountFlags, UnmountFlags};

fn store() -> (tempfile::TempDir, VolumeStore) {
    assert!(
        rustix::process::geteuid().is_root(),
        "these tests make devices and change owners: run them as root"
    );
    let dir = tempfile::tempdir().unwrap();
    let store = VolumeStore::open(&dir.path().join("volumes")).unwrap();
    (dir, store)
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()));
    pairs.collect()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_volume_s_life() {
    let (dir, store) = store();
    let creation = Creation {
        labels: map(&[("team", "blue")]),
        options: map(&[("type", "tmpfs"), ("device", "tmpfs"), ("o", "size=1m,ro")]),
        created_at: Some(Timestamp::from_secs(1_700_000_000)),
    };
    let made = store.create("data", &creation).unwrap();
    assert_eq!(made.mountpoint, dir.path().join("volumes/data/_data"));
    assert_eq!(
        fs::metadata(&made.mountpoint).unwrap().mode() & 0o7777,
        0o755
    );
    assert_eq!(made.mount_plan().unwrap().data, ["size=1m"]);

    // Asked for again it is the same, whatever else is said.
    assert_eq!(store.create("data", &Creation::default()).unwrap(), made);
    store.create("other", &Creation::default()).unwrap();

    // Another engine on the same root sees the same.
    let again = VolumeStore::open(&dir.path().join("volumes")).unwrap();
    assert_eq!(again.get("data").unwrap(), made);
    let all = again.list().unwrap();
    assert_eq!(
        all.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(),
        ["data", "other"]
    );

    again.remove("data").unwrap();
    let error = store.get("data").unwrap_err();
    assert_eq!(error.to_string(), "get data: no such volume");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        store.remove("data").unwrap_err().to_string(),
        "get data: no such volume"
    );
    assert_eq!(names(&dir.path().join("volumes")), ["other"]);
}

#[test]
fn bad_requests_leave_nothing() {
    let (dir, store) = store();
    for name in ["a", "../x", "a/b", ".new-1"] {
        let error = store.create(name, &Creation::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        assert!(store.get(name).is_err());
    }
    let options = Creation {
        options: map(&[("color", "red")]),
        ..Creation::default()
    };
    let error = store.create("data", &options).unwrap_err();
    assert_eq!(error.to_string(), "create data: invalid option: \"color\"");
    assert_eq!(names(&dir.path().join("volumes")), [""; 0]);
    let in_use = VolumeError::InUse {
        name: "data".to_owned(),
        containers: vec!["c1".to_owned(), "c2".to_owned()],
    };
    assert_eq!(
        in_use.to_string(),
        "remove data: volume is in use - [c1, c2]"
    );
    assert_eq!(in_use.kind(), ErrorKind::Conflict);
}

#[test]
fn what_an_interrupted_engine_left_is_cleared_away() {
    let (dir, _) = store();
    let root = dir.path().join("volumes");
    for left in [".new-1-0/_data", ".gone-1-1/_data/deep/deeper"] {
        fs::create_dir_all(root.join(left)).unwrap();
    }
    fs::create_dir_all(root.join("foreign/_data")).unwrap();
    fs::create_dir_all(root.join("no-volume")).unwrap();
    let store = VolumeStore::open(&root).unwrap();
    assert_eq!(names(&root), ["foreign", "no-volume"]);
    let found = store.list().unwrap();
    assert_eq!((found.len(), found[0].name.as_str()), (1, "foreign"));
    fs::write(root.join("foreign/volume.json"), "{").unwrap();
    let error = store.get("foreign").unwrap_err();
    assert!(matches!(error, VolumeError::Metadata { .. }), "{error}");
}

#[test]
fn many_make_the_same_volume_at_once() {
    let (dir, store) = store();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| store.create("data", &Creation::default()).unwrap());
        }
    });
    assert_eq!(names(&dir.path().join("volumes")), ["data"]);
    let removed = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| store.remove("data").is_ok()))
            .collect();
        let results = tries.into_iter().map(|attempt| attempt.join().unwrap());
        results.filter(|removed| *removed).count()
    });
    assert_eq!(removed, 1);
    assert_eq!(names(&dir.path().join("volumes")), [""; 0]);
}

/// A tree with one of everything.
fn image_content(path: &Path) {
    fs::create_dir_all(path.join("sub/empty")).unwrap();
    fs::write(path.join("sub/file"), b"content").unwrap();
    fs::set_permissions(path.join("sub/file"), fs::Permissions::from_mode(0o4751)).unwrap();
    std::os::unix::fs::chown(path.join("sub/file"), Some(33), Some(44)).unwrap();
    // Changing the owner clears the set-uid bit.
    fs::set_permissions(path.join("sub/file"), fs::Permissions::from_mode(0o4751)).unwrap();
    fs::hard_link(path.join("sub/file"), path.join("again")).unwrap();
    symlink("/etc/passwd", path.join("link")).unwrap();
    let mode = Mode::from_raw_mode(0o640);
    mknodat(
        CWD,
        path.join("null"),
        FileType::CharacterDevice,
        mode,
        makedev(1, 3),
    )
    .unwrap();
    mknodat(CWD, path.join("pipe"), FileType::Fifo, mode, 0).unwrap();
    let key = "user.note";
    rustix::fs::setxattr(path.join("sub/file"), key, b"hello", XattrFlags::empty()).unwrap();
    let sparse = fs::File::create(path.join("sparse")).unwrap();
    sparse.set_len(8 << 20).unwrap();
    std::os::unix::fs::chown(path, Some(70), Some(71)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o1770)).unwrap();
    let old = rustix::fs::Timespec {
        tv_sec: 1_000_000_000,
        tv_nsec: 5,
    };
    let times = rustix::fs::Timestamps {
        last_access: old,
        last_modification: old,
    };
    for name in ["sub/file", "sub", ""] {
        rustix::fs::utimensat(CWD, path.join(name), &times, rustix::fs::AtFlags::empty()).unwrap();
    }
}

#[test]
fn an_empty_volume_takes_on_the_image_s_content() {
    let (dir, store) = store();
    let image = dir.path().join("image");
    fs::create_dir(&image).unwrap();
    image_content(&image);
    let volume = store.create("data", &Creation::default()).unwrap();
    let source = Root::open(&image).unwrap();
    assert!(store.fill("data", &source).unwrap());

    let data = &volume.mountpoint;
    assert_eq!(names(data), names(&image));
    let stat = |name: &str| fs::symlink_metadata(data.join(name)).unwrap();
    let file = stat("sub/file");
    assert_eq!(
        (file.mode() & 0o7777, file.uid(), file.gid()),
        (0o4751, 33, 44)
    );
    assert_eq!((file.mtime(), file.mtime_nsec()), (1_000_000_000, 5));
    assert_eq!(fs::read(data.join("sub/file")).unwrap(), b"content");
    assert_eq!(file.ino(), stat("again").ino());
    let mut value = [0; 16];
    let length = rustix::fs::getxattr(data.join("sub/file"), "user.note", &mut value).unwrap();
    assert_eq!(&value[..length], b"hello");
    assert_eq!(
        fs::read_link(data.join("link")).unwrap(),
        Path::new("/etc/passwd")
    );
    assert!(stat("null").file_type().is_char_device() && stat("null").rdev() == makedev(1, 3));
    assert!(stat("pipe").file_type().is_fifo());
    assert!(stat("sparse").len() == 8 << 20 && stat("sparse").blocks() < 1024);
    let top = stat("");
    assert_eq!(
        (top.mode() & 0o7777, top.uid(), top.gid()),
        (0o1770, 70, 71)
    );
    assert_eq!(
        (top.mtime(), stat("sub").mtime()),
        (1_000_000_000, 1_000_000_000)
    );

    // 7 bytes once, the sparse file's length, the link's own length.
    assert_eq!(store.usage("data").unwrap(), 7 + (8 << 20) + 11);

    // What is in it stays.
    fs::write(data.join("mine"), "x").unwrap();
    assert!(!store.fill("data", &source).unwrap());
    assert!(data.join("mine").exists());
}

#[test]
fn a_copy_that_was_interrupted_is_done_over() {
    let (dir, store) = store();
    let image = dir.path().join("image");
    fs::create_dir(&image).unwrap();
    fs::write(image.join("whole"), "all of it").unwrap();
    let data = store
        .create("data", &Creation::default())
        .unwrap()
        .mountpoint;
    fs::write(data.join("whole"), "half").unwrap();
    fs::write(data.join("partial"), "half").unwrap();
    fs::write(data.parent().unwrap().join("filling"), "").unwrap();
    assert!(store.fill("data", &Root::open(&image).unwrap()).unwrap());
    assert_eq!(names(&data), ["whole"]);
    assert_eq!(fs::read_to_string(data.join("whole")).unwrap(), "all of it");
    assert_eq!(names(data.parent().unwrap()), ["_data", "volume.json"]);
}

/// Unmounts however the test ends.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        rustix::mount::unmount(self.0, UnmountFlags::DETACH).unwrap();
    }
}

#[test]
fn what_is_mounted_on_a_volume_is_not_emptied_with_it() {
    let (_dir, store) = store();
    let data = store
        .create("data", &Creation::default())
        .unwrap()
        .mountpoint;
    rustix::mount::mount("tmpfs", &data, "tmpfs", MountFlags::empty(), None).unwrap();
    {
        let _mounted = Mounted(&data);
        fs::write(data.join("precious"), "x").unwrap();
        let error = store.remove("data").unwrap_err();
        assert_eq!(error.to_string(), "remove data: volume has active mounts");
        assert!(data.join("precious").exists());
    }
    store.remove("data").unwrap();
}
