//! Trees of containers, on real overlay mounts.

use std::io::Cursor;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use dhow_image::ImageStore;
use dhow_image::tree::{
    ChangeKind, ExtractOptions, Mounts, TreeOpError, changes, extract, pack, pack_changes, stat,
};
use dhow_model::Digest;
use dhow_sys::tree::Root;
use tempfile::TempDir;

use crate::fixture::*;

/// An image mounted with a writable layer; unmounted when dropped.
struct Mounted {
    dir: TempDir,
    lowers: Vec<PathBuf>,
}

impl Mounted {
    fn new(store: &ImageStore, id: &Digest) -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let lowers: Vec<PathBuf> = store
            .rootfs(id)
            .expect("rootfs")
            .into_iter()
            .map(|layer| layer.path)
            .collect();
        for name in ["upper", "work", "merged"] {
            std::fs::create_dir(dir.path().join(name)).expect("directory");
        }
        let lower: Vec<_> = lowers.iter().map(|p| p.to_str().expect("path")).collect();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let options = format!(
            "lowerdir={},upperdir={},workdir={},redirect_dir=off,metacopy=off",
            lower.join(":"),
            path("upper"),
            path("work")
        );
        let status = Command::new("mount")
            .args(["-t", "overlay", "overlay", "-o", &options])
            .arg(dir.path().join("merged"))
            .status()
            .expect("mount runs");
        assert!(status.success(), "overlay mounts");
        Self { dir, lowers }
    }

    fn merged(&self, path: &str) -> PathBuf {
        self.dir.path().join("merged").join(path)
    }

    fn root(&self) -> Root {
        Root::open(&self.merged("")).expect("root")
    }

    fn upper(&self) -> Root {
        Root::open(&self.dir.path().join("upper")).expect("upper")
    }

    fn changes(&self) -> Vec<(String, ChangeKind)> {
        let lowers: Vec<Root> = self
            .lowers
            .iter()
            .map(|path| Root::open(path).expect("lower"))
            .collect();
        changes(&self.upper(), &lowers)
            .expect("changes")
            .into_iter()
            .map(|c| (String::from_utf8(c.path).expect("text"), c.kind))
            .collect()
    }

    fn packed_changes(&self) -> Vec<u8> {
        let lowers: Vec<Root> = self
            .lowers
            .iter()
            .map(|path| Root::open(path).expect("lower"))
            .collect();
        let upper = self.upper();
        let changes = changes(&upper, &lowers).expect("changes");
        let mut out = Vec::new();
        pack_changes(&upper, &changes, &mut out).expect("pack");
        out
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let merged = self.merged("");
        let done = Command::new("umount").arg(&merged).status();
        assert!(done.is_ok_and(|s| s.success()) || std::thread::panicking());
    }
}

fn base(store: &ImageStore) -> Digest {
    let lower = archive(|tar| {
        dir(tar, "etc/");
        file(tar, "etc/passwd", b"root");
        file(tar, "etc/group", b"root");
        dir(tar, "data/");
        dir(tar, "data/sub/");
        file(tar, "data/one", b"1");
        file(tar, "data/sub/two", b"2");
        file(tar, "gone-before", b"x");
        dir(tar, "tools/");
        file(tar, "tools/a", b"a");
    });
    let upper = archive(|tar| {
        file(tar, ".wh.gone-before", b"");
        file(tar, "data/three", b"3");
        let mut link = header(tar::EntryType::Symlink, 0, 0o777);
        tar.append_link(&mut link, "link", "data").expect("link");
    });
    image(
        store,
        &[layer(&lower, Pack::Gzip), layer(&upper, Pack::Gzip)],
        &["base"],
    )
}

#[test]
fn an_untouched_container_has_no_changes() {
    let (_dir, store) = store();
    let mounted = Mounted::new(&store, &base(&store));
    assert_eq!(mounted.changes(), []);
    assert!(mounted.merged("proc").is_dir() && mounted.merged("etc/mtab").is_symlink());
    // Opened for writing, copied up, and left as it was.
    let path = mounted.merged("etc/passwd");
    drop(
        std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .expect("open"),
    );
    assert!(mounted.dir.path().join("upper/etc/passwd").exists());
    assert_eq!(mounted.changes(), []);
}

#[test]
fn changes_are_dockers() {
    use ChangeKind::*;
    let (_dir, store) = store();
    let mounted = Mounted::new(&store, &base(&store));
    std::fs::write(mounted.merged("etc/passwd"), "changed").expect("write");
    std::fs::remove_file(mounted.merged("data/sub/two")).expect("remove");
    std::fs::create_dir(mounted.merged("new")).expect("mkdir");
    std::fs::write(mounted.merged("new/file"), "n").expect("write");
    std::fs::write(mounted.merged("gone-before"), "again").expect("write");
    std::fs::remove_dir_all(mounted.merged("tools")).expect("remove");
    std::fs::create_dir(mounted.merged("tools")).expect("mkdir");
    std::fs::write(mounted.merged("tools/b"), "b").expect("write");
    std::fs::remove_file(mounted.merged("link")).expect("remove");
    let expected = [
        ("data", Modified),
        ("data/sub", Modified),
        ("data/sub/two", Deleted),
        ("etc", Modified),
        ("etc/passwd", Modified),
        ("gone-before", Added),
        ("link", Deleted),
        ("new", Added),
        ("new/file", Added),
        ("tools", Modified),
        ("tools/a", Deleted),
        ("tools/b", Added),
    ];
    let expected: Vec<_> = expected.map(|(p, k)| (p.to_owned(), k)).into();
    assert_eq!(mounted.changes(), expected);

    // The same as a layer above the same image gives the same tree.
    let layer = layer(&mounted.packed_changes(), Pack::Plain);
    let names = entry_names(&layer.blob);
    for name in [
        "data/sub/.wh.two",
        ".wh.link",
        "tools/.wh..wh..opq",
        "new/file",
    ] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
    assert!(!names.iter().any(|n| n == "etc/group" || n == "tools/a"));
    let lease = store.lease();
    ingest(&store, &lease, &layer).expect("layer");
    let record = store.get("base").expect("base");
    let mut config = record.config.clone();
    config.rootfs.diff_ids.push(layer.diff_id.clone());
    config.history.push(config.history[0].clone());
    let config = config.to_bytes().expect("json");
    let new = dhow_image::NewImage {
        config: &config,
        ..Default::default()
    };
    let id = store.commit_image(&lease, &new).expect("image");
    let again = Mounted::new(&store, &id);
    assert_eq!(listing(&again.merged("")), listing(&mounted.merged("")));
}

/// Every path with its kind, mode and content.
fn listing(root: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).expect("read") {
            let path = entry.expect("entry").path();
            let stat = path.symlink_metadata().expect("stat");
            let content = match stat.file_type() {
                kind if kind.is_file() => std::fs::read(&path).expect("read"),
                kind if kind.is_symlink() => {
                    let target = std::fs::read_link(&path).expect("link");
                    target.into_os_string().into_encoded_bytes()
                }
                _ => Vec::new(),
            };
            if stat.is_dir() {
                todo.push(path.clone());
            }
            let path = path.strip_prefix(root).expect("below").to_owned();
            found.push((path, stat.mode(), content));
        }
    }
    found.sort();
    found
}

fn entry_names(archive: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().expect("entries");
    let names = entries.map(|entry| {
        let entry = entry.expect("entry");
        let path = entry.path().expect("path").into_owned();
        path.to_str()
            .expect("text")
            .trim_end_matches('/')
            .to_owned()
    });
    names.collect()
}

#[test]
fn an_archive_that_tar_unpacks_to_the_same_tree() {
    let (_dir, store) = store();
    let mounted = Mounted::new(&store, &base(&store));
    let long = "l".repeat(200);
    std::fs::write(mounted.merged(&long), "long").expect("write");
    symlink(&long, mounted.merged("to-long")).expect("link");
    std::fs::hard_link(mounted.merged(&long), mounted.merged("second")).expect("link");
    std::fs::write(mounted.merged("grüße"), "non-ascii").expect("write");
    std::os::unix::fs::chown(mounted.merged("second"), Some(4_000_000), Some(5)).expect("chown");
    let mode = std::fs::Permissions::from_mode(0o4711);
    std::fs::set_permissions(mounted.merged("second"), mode).expect("chmod");
    let mut out = Vec::new();
    pack(&mounted.root(), b"/", b"", Mounts::Skip, &mut out).expect("pack");

    let unpacked = tempfile::tempdir().expect("temporary directory");
    let file = unpacked.path().join("export.tar");
    std::fs::write(&file, &out).expect("write");
    let root = unpacked.path().join("root");
    std::fs::create_dir(&root).expect("mkdir");
    let status = Command::new("tar")
        .args(["--numeric-owner", "-xpf"])
        .arg(&file)
        .arg("-C")
        .arg(&root)
        .status()
        .expect("tar runs");
    assert!(status.success());
    assert_eq!(listing(&root), listing(&mounted.merged("")));
    let second = root.join("second").metadata().expect("stat");
    assert_eq!(
        (second.uid(), second.gid(), second.nlink()),
        (4_000_000, 5, 2)
    );
    let times = |path: PathBuf| {
        let stat = path.metadata().expect("stat");
        (stat.mtime(), stat.mtime_nsec())
    };
    assert_eq!(times(root.join("second")), times(mounted.merged("second")));
}

#[test]
fn mounts_are_left_out_or_entered() {
    let (_dir, store) = store();
    let mounted = Mounted::new(&store, &base(&store));
    let status = Command::new("mount")
        .args(["-t", "tmpfs", "tmpfs"])
        .arg(mounted.merged("data"))
        .status();
    assert!(status.expect("mount runs").success());
    std::fs::write(mounted.merged("data/volume"), "v").expect("write");
    let packed = |mounts| {
        let mut out = Vec::new();
        let result = pack(&mounted.root(), b"/", b"", mounts, &mut out);
        (result, entry_names(&out))
    };
    let (skipped, entered) = (packed(Mounts::Skip), packed(Mounts::Enter));
    let status = Command::new("umount").arg(mounted.merged("data")).status();
    assert!(status.expect("umount runs").success());
    skipped.0.expect("skip");
    entered.0.expect("enter");
    assert!(skipped.1.contains(&"data".to_owned()));
    assert!(!skipped.1.iter().any(|n| n.starts_with("data/")));
    assert!(entered.1.contains(&"data/volume".to_owned()));
}

#[test]
fn one_path_out_of_a_container() {
    let (_dir, store) = store();
    let mounted = Mounted::new(&store, &base(&store));
    let root = mounted.root();
    let packed = |path: &str, name: &str| {
        let mut out = Vec::new();
        pack(
            &root,
            path.as_bytes(),
            name.as_bytes(),
            Mounts::Enter,
            &mut out,
        )
        .map(|()| entry_names(&out))
    };
    assert_eq!(packed("/etc/passwd", "passwd").expect("file"), ["passwd"]);
    let names = packed("/data", "renamed").expect("directory");
    assert_eq!(
        names,
        [
            "renamed",
            "renamed/one",
            "renamed/sub",
            "renamed/sub/two",
            "renamed/three"
        ]
    );
    // A link at the end is a link, in the middle it is followed.
    assert_eq!(packed("/link", "link").expect("link"), ["link"]);
    assert_eq!(packed("/link/one", "one").expect("through link"), ["one"]);
    assert_eq!(packed("/link/", "x").expect("to directory").len(), 5);
    assert!(matches!(
        packed("/nowhere", "x").expect_err("missing"),
        TreeOpError::NotFound(_)
    ));
    // Out of the container there is nothing.
    symlink("../../../../../../../etc/shadow", mounted.merged("shadow")).expect("link");
    symlink("../../../../../../..", mounted.merged("up")).expect("link");
    std::fs::write(mounted.merged("etc/shadow"), "the container's").expect("write");
    let mut out = Vec::new();
    pack(&root, b"/up/etc/shadow", b"shadow", Mounts::Enter, &mut out).expect("inside");
    assert!(String::from_utf8_lossy(&out).contains("the container's"));

    let found = stat(&root, b"/shadow").expect("stat");
    assert_eq!(found.link_target, b"/etc/shadow");
    assert_eq!(stat(&root, b"/").expect("root").name, b"/");
    assert_eq!(stat(&root, b"/data/sub/two").expect("file").stat.size, 1);
}

#[test]
fn archives_into_a_container() {
    let (_dir, store) = store();
    let mounted = Mounted::new(&store, &base(&store));
    let root = mounted.root();
    let options = ExtractOptions::default();
    let put = |dest: &str, plain: &[u8], options| {
        extract(&root, dest.as_bytes(), &mut Cursor::new(plain), options)
    };
    let plain = archive(|tar| {
        let mut own = header(tar::EntryType::Regular, 3, 0o6755);
        own.set_uid(12);
        own.set_gid(34);
        tar.append_data(&mut own, "f", b"new".as_slice())
            .expect("file");
        dir(tar, "sub/");
        file(tar, "sub/.wh.ordinary", b"just a name");
        let mut hard = header(tar::EntryType::Link, 0, 0o644);
        tar.append_link(&mut hard, "g", "f").expect("link");
    });
    // Into a directory through a link, compressed.
    let packed = layer(&plain, Pack::Zstd).blob;
    put("/link", &packed, options).expect("extract");
    let f = mounted.merged("data/f").metadata().expect("file");
    assert_eq!(
        (f.uid(), f.gid(), f.mode() & 0o7777, f.nlink()),
        (12, 34, 0o6755, 2)
    );
    assert!(mounted.merged("data/sub/.wh.ordinary").is_file());
    assert!(mounted.merged("data/sub/two").is_file(), "merged");

    let owner = ExtractOptions {
        owner: Some((1000, 1001)),
        ..options
    };
    put("/", &plain, owner).expect("extract");
    let f = mounted.merged("f").metadata().expect("file");
    assert_eq!((f.uid(), f.gid()), (1000, 1001));

    let keep = ExtractOptions {
        keep_dirs: true,
        ..options
    };
    let over_dir = archive(|tar| file(tar, "sub", b"file"));
    let error = put("/data", &over_dir, keep).expect_err("directory in the way");
    assert!(
        error.to_string().contains("cannot overwrite directory"),
        "{error}"
    );
    let over_file = archive(|tar| dir(tar, "one/"));
    let error = put("/data", &over_file, keep).expect_err("file in the way");
    assert!(
        error.to_string().contains("cannot overwrite non-directory"),
        "{error}"
    );
    put("/data", &over_dir, options).expect("replaced");
    assert!(mounted.merged("data/sub").is_file());

    let error = put("/etc/passwd", &plain, options).expect_err("no directory");
    assert_eq!(error.to_string(), "extraction point is not a directory");
    assert!(matches!(
        put("/nowhere", &plain, options).expect_err("missing"),
        TreeOpError::NotFound(_)
    ));
}

#[test]
fn links_in_a_container_do_not_lead_copies_out() {
    let (_dir, store) = store();
    let mounted = Mounted::new(&store, &base(&store));
    let guarded = mounted.dir.path().join("guarded");
    std::fs::create_dir(&guarded).expect("mkdir");
    symlink(&guarded, mounted.merged("out")).expect("link");
    symlink("../../guarded", mounted.merged("data/up")).expect("link");
    std::fs::create_dir(mounted.merged("guarded")).expect("mkdir");
    let plain = archive(|tar| file(tar, "f", b"f"));
    let put = |dest: &str| {
        let options = ExtractOptions::default();
        extract(
            &mounted.root(),
            dest.as_bytes(),
            &mut Cursor::new(&plain),
            options,
        )
    };
    put("/out").expect_err("not in the container");
    put("/data/up").expect("the container's own /guarded");
    assert!(mounted.merged("guarded/f").is_file());
    let nested = archive(|tar| file(tar, "up/g", b"g"));
    let options = ExtractOptions::default();
    extract(
        &mounted.root(),
        b"/data",
        &mut Cursor::new(&nested),
        options,
    )
    .expect("inside");
    assert!(mounted.merged("guarded/g").is_file());
    assert_eq!(std::fs::read_dir(&guarded).expect("read").count(), 0);
}

#[test]
fn a_file_that_grows_or_goes_while_it_is_packed() {
    let (_dir, store) = store();
    let mounted = Mounted::new(&store, &base(&store));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0u32;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let path = mounted.merged(&format!("data/churn-{}", n % 7));
                std::fs::write(&path, vec![1; (n % 50_000) as usize]).expect("write");
                if n.is_multiple_of(3) {
                    std::fs::remove_file(&path).expect("remove");
                }
                n += 1;
            }
        });
        for _ in 0..50 {
            let mut out = Vec::new();
            let done = pack(&mounted.root(), b"/", b"", Mounts::Skip, &mut out);
            if done.is_err() {
                stop.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            done.expect("pack");
            assert!(entry_names(&out).len() > 5, "a whole archive");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(
        !mounted.merged("pipe").exists()
            || mounted
                .merged("pipe")
                .metadata()
                .expect("stat")
                .file_type()
                .is_fifo()
    );
}

#[test]
fn a_tree_as_deep_as_a_container_can_make_it() {
    let (dir, store) = store();
    let base = dir.path().join("deep");
    std::fs::create_dir(&base).expect("mkdir");
    // Deeper than one path can name: made step by step.
    let mut at = std::fs::File::open(&base).expect("open");
    for _ in 0..5000 {
        use rustix::fs::{Mode, OFlags, mkdirat, openat};
        mkdirat(&at, "d", Mode::from_raw_mode(0o755)).expect("mkdir");
        at = openat(&at, "d", OFlags::RDONLY, Mode::empty())
            .expect("open")
            .into();
    }
    let root = Root::open(&base).expect("root");
    let mut out = Vec::new();
    let error = pack(&root, b"/", b"", Mounts::Skip, &mut out).expect_err("too deep");
    assert!(
        matches!(error, TreeOpError::TooDeep(_) | TreeOpError::Read { .. }),
        "{error}"
    );
    dhow_sys::tree::empty(root.fd()).expect("removed all the same");
    assert_eq!(std::fs::read_dir(&base).expect("read").count(), 0);
    drop(store);
}
