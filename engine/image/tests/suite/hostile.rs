//! Layers that mean harm.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use dhow_image::LayerError;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tar::EntryType;

use crate::fixture::*;

/// Takes in `plain` beside a guarded directory and returns the outcome; the
/// guarded directory and the store's own files must be untouched.
fn attack(plain: &[u8]) -> Result<(), LayerError> {
    Target::new().attack(plain)
}

/// A store beside a directory that is none of its business.
struct Target {
    dir: tempfile::TempDir,
    store: dhow_image::ImageStore,
}

impl Target {
    fn new() -> Self {
        let (dir, store) = store();
        let guarded = dir.path().join("guarded");
        std::fs::create_dir(&guarded).expect("guarded");
        std::fs::write(guarded.join("secret"), "untouched").expect("secret");
        Self { dir, store }
    }

    fn attack(&self, plain: &[u8]) -> Result<(), LayerError> {
        let (dir, store) = (&self.dir, &self.store);
        let before = picture(dir.path());
        let layer = layer(plain, Pack::Gzip);
        let result = ingest(store, &store.lease(), &layer);
        let after = picture(dir.path());
        assert_eq!(before, after, "something outside the layer changed");
        assert_eq!(
            result.is_ok(),
            store.has_layer(&layer.diff_id).expect("query"),
            "visible exactly if accepted"
        );
        result
    }
}

/// Every path outside of layers, blobs and work, with its inode and content.
fn picture(root: &Path) -> Vec<(String, u64, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).expect("read") {
            let path = entry.expect("entry").path();
            let name = path.strip_prefix(root).expect("below").to_string_lossy();
            let stat = path.symlink_metadata().expect("stat");
            if name.starts_with("images.db") {
                continue;
            }
            if stat.is_dir() && !matches!(&*name, "layers" | "blobs" | "tmp") {
                todo.push(path.clone());
            }
            let data = match stat.is_file() {
                true => std::fs::read(&path).expect("read"),
                false => Vec::new(),
            };
            found.push((name.into_owned(), stat.ino(), stat.mode(), data));
        }
    }
    found.sort();
    found
}

fn refused(plain: &[u8], expected: &str) {
    let error = attack(plain).expect_err(expected);
    let text = dhow_model::error::chain(&error);
    assert!(text.contains(expected), "{text:?} lacks {expected:?}");
}

#[test]
fn dots_out_of_the_root() {
    for path in ["../guarded/secret", "a/../../guarded/secret", "/../x", ".."] {
        let plain = archive(|tar| raw(tar, EntryType::Regular, path, ""));
        refused(&plain, "is outside of the layer");
    }
}

#[test]
fn absolute_paths_are_inside() {
    attack(&archive(|tar| {
        raw(tar, EntryType::Regular, "/etc/guarded-by-dhow", "");
    }))
    .expect("taken as a path in the layer");
    assert!(!Path::new("/etc/guarded-by-dhow").exists());
}

#[test]
fn links_out_of_the_root_are_not_followed() {
    // 5 levels up from tmp/layer-…/diff is more than enough.
    for target in [
        "../../../guarded",
        "/",
        "../../../../../../../..",
        "/proc/self/cwd",
    ] {
        let result = attack(&archive(|tar| {
            raw(tar, EntryType::Symlink, "link", target);
            file(tar, "link/secret", b"overwritten");
            raw(tar, EntryType::Symlink, "deep/link", target);
            file(tar, "deep/link/new", b"new");
        }));
        // Inside the root such a link leads nowhere, or to the root itself.
        if target.contains("guarded") || target.contains("proc") {
            result.expect_err("dangling parent");
        } else {
            result.expect("inside the root");
        }
    }
}

#[test]
fn a_link_replaced_while_its_directory_is_held_open() {
    let result = attack(&archive(|tar| {
        dir(tar, "a/");
        file(tar, "a/one", b"1");
        raw(tar, EntryType::Symlink, "a", "../../../guarded");
        file(tar, "a/secret", b"overwritten");
    }));
    result.expect_err("the parent is a dangling link now");
}

#[test]
fn hard_links_out_of_the_root() {
    refused(
        &archive(|tar| raw(tar, EntryType::Link, "stolen", "../../../guarded/secret")),
        "is outside of the layer",
    );
    refused(
        &archive(|tar| raw(tar, EntryType::Link, "stolen", "/etc/passwd")),
        "link",
    );
    refused(
        &archive(|tar| {
            raw(tar, EntryType::Symlink, "way", "/etc");
            raw(tar, EntryType::Link, "stolen", "way/passwd");
        }),
        "link",
    );
    // A hard link to a link is a link, not what it leads to.
    attack(&archive(|tar| {
        raw(tar, EntryType::Symlink, "way", "../../../guarded/secret");
        raw(tar, EntryType::Link, "stolen", "way");
        file(tar, "stolen", b"overwritten");
    }))
    .expect("replaces the link");
}

#[test]
fn whiteouts_name_nothing_outside() {
    for path in [".wh...", ".wh..", "a/.wh...", ".wh."] {
        let plain = archive(|tar| raw(tar, EntryType::Regular, path, ""));
        refused(&plain, "is outside of the layer");
    }
    attack(&archive(|tar| {
        raw(tar, EntryType::Symlink, "way", "../../../guarded");
        raw(tar, EntryType::Regular, "way/.wh.secret", "");
    }))
    .expect_err("a dangling parent");
}

#[test]
fn attributes_of_the_engine() {
    for key in [
        "trusted.overlay.opaque",
        "trusted.overlay.redirect",
        "trusted.x",
    ] {
        let plain = archive(|tar| {
            let key = format!("SCHILY.xattr.{key}");
            tar.append_pax_extensions([(key.as_str(), b"y".as_slice())])
                .expect("pax");
            dir(tar, "d/");
        });
        refused(&plain, "sets forbidden attribute");
    }
}

#[test]
fn sizes_that_lie() {
    let sized = |size: [u8; 12]| {
        archive(|tar| {
            let mut header = header(EntryType::Regular, 0, 0o644);
            header.as_gnu_mut().expect("gnu").name[0] = b'f';
            header.as_gnu_mut().expect("gnu").size = size;
            header.set_cksum();
            tar.append(&header, std::io::empty()).expect("entry");
        })
    };
    let mut huge = [0xff; 12];
    huge[0] = 0x80;
    refused(&sized([0xff; 12]), "field size");
    refused(&sized(huge), "field size");
    refused(&sized(*b"77777777777\0"), "unexpected end of archive");
    refused(&sized(*b"not a number"), "field size");
    let long_name = archive(|tar| {
        let mut header = header(EntryType::GNULongName, 64 << 20, 0o644);
        header.as_gnu_mut().expect("gnu").name[0] = b'f';
        header.set_cksum();
        tar.append(&header, std::io::repeat(b'x').take_bytes(64 << 20))
            .expect("entry");
    });
    refused(&long_name, "is too large");
}

trait TakeBytes: std::io::Read + Sized {
    fn take_bytes(self, count: u64) -> std::io::Take<Self> {
        std::io::Read::take(self, count)
    }
}

impl TakeBytes for std::io::Repeat {}

#[test]
fn nothing_like_an_archive() {
    refused(&[b'x'; 4096], "invalid tar header");
    refused(b"short", "unexpected end of archive");
}

#[test]
fn a_tree_deeper_than_descriptors() {
    // Each level in an entry of its own, as far as names reach.
    let path = vec!["d"; 1500].join("/");
    attack(&archive(|tar| file(tar, &path, b"deep"))).expect("deep but harmless");
}

/// A store on a file system of its own with little room.
struct Small(tempfile::TempDir);

impl Small {
    fn new(options: &str) -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let status = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(dir.path())
            .status();
        assert!(status.expect("mount runs").success());
        Self(dir)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let done = std::process::Command::new("umount")
            .arg(self.0.path())
            .status();
        assert!(done.is_ok_and(|s| s.success()) || std::thread::panicking());
    }
}

#[test]
fn bombs_stop_before_the_disk_is_full() {
    // Half a gigabyte of zeros, and more files than there are inodes.
    let zeros = {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(gzip);
        let mut header = header(EntryType::Regular, 512 << 20, 0o644);
        builder
            .append_data(
                &mut header,
                "zeros",
                std::io::repeat(0).take_bytes(512 << 20),
            )
            .expect("file");
        builder.into_inner().expect("tar").finish().expect("gzip")
    };
    let empties = {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(gzip);
        for number in 0..60_000u32 {
            let mut header = header(EntryType::Regular, 0, 0o644);
            builder
                .append_data(&mut header, number.to_string(), std::io::empty())
                .expect("file");
        }
        builder.into_inner().expect("tar").finish().expect("gzip")
    };
    for (blob, options) in [(zeros, "size=128m"), (empties, "size=1g,nr_inodes=40000")] {
        let small = Small::new(options);
        let store = open(small.0.path());
        let bomb = Layer {
            descriptor: dhow_image::Descriptor::new("", digest(&blob), blob.len() as u64),
            diff_id: digest(b"never reached"),
            blob,
        };
        let error = ingest(&store, &store.lease(), &bomb).expect_err("no room");
        let text = dhow_model::error::chain(&error);
        assert!(text.contains("no space left for"), "{text}");
        // Others still have room, and pruning frees what came of the bomb.
        ingest(&store, &store.lease(), &small_layer("f", b"fits")).expect("fits");
        store.collect().expect("collect");
        let left = std::fs::read_dir(store.root().join("tmp")).expect("tmp");
        assert_eq!(left.count(), 0);
        drop(store);
    }
}

#[test]
fn endless_padding_stops_before_the_disk_is_full() {
    let small = Small::new("size=128m");
    let store = open(small.0.path());
    // One file, and then zeros for ever, which unpack to nothing.
    let tree = archive(|tar| file(tar, "f", b"content"));
    let mut endless = std::io::Read::chain(tree.as_slice(), std::io::repeat(0));
    let spec = dhow_image::archive::ImportSpec::default();
    let error = store.import(&spec, &mut endless).expect_err("no room");
    let text = dhow_model::error::chain(&error);
    assert!(text.contains("no space left for"), "{text}");
    let left = std::fs::read_dir(store.root().join("tmp")).expect("tmp");
    assert_eq!(left.count(), 0);
}

fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("".to_owned()),
        Just(".wh.a".to_owned()),
        Just(".wh..wh..opq".to_owned()),
        Just("guarded".to_owned()),
        Just("secret".to_owned()),
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.join("/"))
}

fn kind() -> impl Strategy<Value = EntryType> {
    prop_oneof![
        Just(EntryType::Regular),
        Just(EntryType::Directory),
        Just(EntryType::Symlink),
        Just(EntryType::Link),
        Just(EntryType::Fifo),
    ]
}

fn check<S: Strategy>(cases: u32, strategy: S, build: impl Fn(S::Value) -> Vec<u8>) {
    let target = Target::new();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases));
    let outcome = runner.run(&strategy, |value| {
        // Accepted or refused, `attack` checks that nothing else changed.
        let _ = target.attack(&build(value));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn no_sequence_of_entries_gets_out() {
    let entries = prop::collection::vec((kind(), name(), name()), 1..12);
    check(400, entries, |entries| {
        archive(|tar| {
            for (kind, path, link) in &entries {
                raw(tar, *kind, path, link);
            }
        })
    });
}

#[test]
fn no_damage_gets_out() {
    let flips = prop::collection::vec((0usize..8192, any::<u8>()), 1..8);
    check(400, flips, |flips| {
        let mut plain = archive(|tar| {
            dir(tar, "d/");
            file(tar, "d/f", &[1; 700]);
            raw(tar, EntryType::Symlink, "l", "d");
            file(tar, &"n/".repeat(90), b"");
        });
        for (at, value) in flips {
            let at = at % plain.len();
            plain[at] = value;
        }
        plain
    });
}
