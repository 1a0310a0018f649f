//! Layers on their way in.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::time::Duration;

use dhow_image::{LayerError, LayerStart};

use crate::fixture::*;

fn rich_archive() -> Vec<u8> {
    archive(|tar| {
        dir(tar, "./");
        dir(tar, "bin/");
        let mut su = header(tar::EntryType::Regular, 4, 0o4755);
        su.set_uid(7);
        su.set_gid(8);
        tar.append_data(&mut su, "bin/su", b"suid".as_slice())
            .expect("file");
        let mut link = header(tar::EntryType::Symlink, 0, 0o777);
        tar.append_link(&mut link, "bin/sh", "/bin/su")
            .expect("link");
        let mut hard = header(tar::EntryType::Link, 0, 0o755);
        tar.append_link(&mut hard, "bin/su2", "bin/su")
            .expect("hard link");
        let mut shared = header(tar::EntryType::Directory, 0, 0o2775);
        shared.set_gid(50);
        tar.append_data(&mut shared, "shared/", std::io::empty())
            .expect("directory");
        file(tar, "shared/a", b"a");
        file(tar, "no/parents/named/here", b"deep");
        file(tar, &format!("long/{}", "x".repeat(240)), b"long");
        file(tar, ".wh.gone", b"");
        file(tar, "bin/.wh..wh..opq", b"");
        let mut fifo = header(tar::EntryType::Fifo, 0, 0o600);
        tar.append_data(&mut fifo, "pipe", std::io::empty())
            .expect("fifo");
        let mut device = header(tar::EntryType::Char, 0, 0o666);
        device.set_device_major(1).expect("major");
        device.set_device_minor(3).expect("minor");
        tar.append_data(&mut device, "null", std::io::empty())
            .expect("device");
        file(tar, "twice", b"first, and longer");
        file(tar, "twice", b"second");
        tar.append_pax_extensions([
            ("mtime", b"1234.000000567".as_slice()),
            ("SCHILY.xattr.user.note", b"kept"),
            ("SCHILY.xattr.security.selinux", b"left out"),
        ])
        .expect("pax");
        file(tar, "exact", b"time");
        file(tar, "big", &vec![7; 3 << 20]);
    })
}

#[test]
fn everything_arrives_in_every_compression() {
    let plain = rich_archive();
    for pack in [Pack::Plain, Pack::Gzip, Pack::GzipMembers, Pack::Zstd] {
        let (_dir, store) = store();
        let layer = layer(&plain, pack);
        let id = image(&store, std::slice::from_ref(&layer), &["rich"]);
        let dirs = store.rootfs(&id).expect("rootfs");
        let root = &dirs[0].path;
        let stat = |path: &str| root.join(path).symlink_metadata().expect(path);

        assert_eq!(std::fs::read(root.join("bin/su")).expect("read"), b"suid");
        let su = stat("bin/su");
        assert_eq!((su.uid(), su.gid(), su.nlink()), (7, 8, 2));
        assert_eq!(su.mode() & 0o7777, 0o4755, "{pack:?}");
        assert_eq!(su.mtime(), 1_700_000_000);
        assert_eq!(stat("bin/su2").ino(), su.ino());
        let link = std::fs::read_link(root.join("bin/sh")).expect("link");
        assert_eq!(link.to_str(), Some("/bin/su"));
        assert_eq!(stat("bin").mtime(), 1_700_000_000);
        assert_eq!(stat("shared").mode() & 0o7777, 0o2775);
        assert_eq!(stat("shared").gid(), 50);
        assert_eq!(stat("shared/a").gid(), 0);
        assert_eq!(stat("no/parents").mode() & 0o7777, 0o755);
        assert_eq!(stat(&format!("long/{}", "x".repeat(240))).size(), 4);
        let gone = stat("gone");
        assert!(gone.file_type().is_char_device() && gone.rdev() == 0);
        let mut value = [0; 8];
        let opaque = "trusted.overlay.opaque";
        let length = rustix::fs::getxattr(root.join("bin"), opaque, &mut value).expect("opaque");
        assert_eq!(&value[..length], b"y");
        assert!(stat("pipe").file_type().is_fifo());
        let null = stat("null").rdev();
        assert_eq!((rustix::fs::major(null), rustix::fs::minor(null)), (1, 3));
        assert_eq!(std::fs::read(root.join("twice")).expect("read"), b"second");
        assert_eq!(
            (stat("exact").mtime(), stat("exact").mtime_nsec()),
            (1234, 567)
        );
        let length = rustix::fs::getxattr(root.join("exact"), "user.note", &mut value);
        assert_eq!(&value[..length.expect("note")], b"kept");
        let selinux = rustix::fs::getxattr(root.join("exact"), "security.selinux", &mut value);
        assert!(selinux.is_err());
        assert_eq!(stat("big").size(), 3 << 20);
        assert_eq!(stat("").mode() & 0o7777, 0o755);
        assert!(store.root().join(&dirs[0].link).join("bin/su").exists());
        assert_eq!(
            std::fs::read(
                store
                    .root()
                    .join("blobs/sha256")
                    .join(layer.descriptor.digest.hex())
            )
            .expect("blob"),
            layer.blob
        );
        assert_eq!(leftovers(&store), 0);
    }
}

fn leftovers(store: &dhow_image::ImageStore) -> usize {
    std::fs::read_dir(store.root().join("tmp"))
        .expect("tmp")
        .count()
}

#[test]
fn wrong_bytes_are_refused_and_leave_nothing() {
    let (_dir, store) = store();
    let lease = store.lease();
    let good = layer(&rich_archive(), Pack::Gzip);

    let mut flipped = good.clone();
    let middle = flipped.blob.len() / 2;
    flipped.blob[middle] ^= 1;
    let error = ingest(&store, &lease, &flipped).expect_err("flipped bit");
    assert!(
        matches!(error, LayerError::Digest { .. } | LayerError::Unpack(_)),
        "{error}"
    );

    let mut other = good.clone();
    other.diff_id = digest(b"something else");
    let error = ingest(&store, &lease, &other).expect_err("wrong diff id");
    assert!(matches!(error, LayerError::DiffId { .. }), "{error}");

    let mut short = good.clone();
    short.descriptor.size += 1;
    let error = ingest(&store, &lease, &short).expect_err("short");
    assert!(matches!(error, LayerError::TooShort { .. }), "{error}");

    let mut long = good.clone();
    long.descriptor.size -= 1;
    let error = ingest(&store, &lease, &long).expect_err("long");
    assert!(matches!(error, LayerError::TooLong { .. }), "{error}");

    assert!(!store.has_layer(&good.diff_id).expect("query"));
    assert!(!store.has_blob(&good.descriptor.digest));
    ingest(&store, &lease, &good).expect("the right bytes");
    assert!(store.has_layer(&good.diff_id).expect("query"));
    assert_eq!(leftovers(&store), 0);
}

#[test]
fn a_truncated_archive_with_a_right_digest_is_refused() {
    let (_dir, store) = store();
    let mut plain = rich_archive();
    plain.truncate(plain.len() / 2 + 100);
    for pack in [Pack::Plain, Pack::Gzip, Pack::Zstd] {
        let broken = layer(&plain, pack);
        let error = ingest(&store, &store.lease(), &broken).expect_err("truncated");
        assert!(matches!(error, LayerError::Unpack(_)), "{error}");
        assert!(!store.has_layer(&broken.diff_id).expect("query"));
        assert!(!store.has_blob(&broken.descriptor.digest));
    }
    assert_eq!(leftovers(&store), 0);
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let (dir, first) = store();
    let layer = layer(&rich_archive(), Pack::Gzip);
    let cut = layer.blob.len() * 2 / 3;
    {
        let lease = first.lease();
        let start = first.begin_layer(&lease, &layer.descriptor, &layer.diff_id);
        let LayerStart::Ingest(mut ingest) = start.expect("begin") else {
            panic!("fresh store has the layer");
        };
        ingest.write(&layer.blob[..cut]).expect("first part");
    }
    drop(first);
    let store = open(dir.path());
    assert!(!store.has_layer(&layer.diff_id).expect("query"));
    let lease = store.lease();
    let start = store.begin_layer(&lease, &layer.descriptor, &layer.diff_id);
    let LayerStart::Ingest(mut ingest) = start.expect("begin") else {
        panic!("half a layer is no layer");
    };
    assert_eq!(ingest.resume_offset(), cut as u64);
    ingest.write(&layer.blob[cut..]).expect("second part");
    ingest.finish().expect("whole");
    assert!(store.has_layer(&layer.diff_id).expect("query"));
}

#[test]
fn a_collection_spares_the_download_under_way() {
    let (_dir, store) = store();
    let layers = [layer(&rich_archive(), Pack::Gzip), small_layer("f", b"f")];
    let lease = store.lease();
    let begin = |layer: &Layer| {
        let start = store.begin_layer(&lease, &layer.descriptor, &layer.diff_id);
        let LayerStart::Ingest(ingest) = start.expect("begin") else {
            panic!("not there yet");
        };
        ingest
    };
    let mut going = begin(&layers[0]);
    going.write(&layers[0].blob[..1000]).expect("part");
    begin(&layers[1]).write(&layers[1].blob[..9]).expect("part");
    assert_eq!(store.collect().expect("collect").bytes, 9);
    going.write(&layers[0].blob[1000..]).expect("rest");
    going.finish().expect("whole");
}

#[test]
fn a_damaged_first_part_is_not_resumed_twice() {
    let (_dir, store) = store();
    let layer = layer(&rich_archive(), Pack::Plain);
    let cut = layer.blob.len() / 2;
    let lease = store.lease();
    // The damage is in a file's content, where only the digest can tell.
    let mut damaged = layer.blob.clone();
    damaged[cut - 600] ^= 0xff;
    for (from, data) in [(0, &damaged[..cut]), (cut, &layer.blob[cut..])] {
        let start = store.begin_layer(&lease, &layer.descriptor, &layer.diff_id);
        let LayerStart::Ingest(mut ingest) = start.expect("begin") else {
            panic!("not there yet");
        };
        assert_eq!(ingest.resume_offset(), from as u64);
        ingest.write(data).expect("part");
        if from > 0 {
            let error = ingest.finish().expect_err("damaged");
            assert!(matches!(error, LayerError::Digest { resumed: true, .. }));
        }
    }
    ingest(&store, &lease, &layer).expect("anew");
}

#[test]
fn a_server_without_ranges_makes_it_start_over() {
    let (_dir, store) = store();
    let layer = layer(&rich_archive(), Pack::Zstd);
    let lease = store.lease();
    let begin = || {
        let start = store.begin_layer(&lease, &layer.descriptor, &layer.diff_id);
        match start.expect("begin") {
            LayerStart::Ingest(ingest) => ingest,
            other => panic!("{other:?}"),
        }
    };
    begin().write(&layer.blob[..100]).expect("part");
    let mut again = begin();
    assert_eq!(again.resume_offset(), 100);
    again.restart().expect("restart");
    assert_eq!(again.resume_offset(), 0);
    again.write(&layer.blob).expect("all");
    again.finish().expect("whole");
}

#[test]
fn two_at_once_share_the_work() {
    let (_dir, store) = store();
    let layer = small_layer("f", b"content");
    let lease = store.lease();
    let first = store.begin_layer(&lease, &layer.descriptor, &layer.diff_id);
    let LayerStart::Ingest(mut first) = first.expect("begin") else {
        panic!("fresh store has the layer");
    };
    let (found, in_flight) = std::sync::mpsc::channel();
    let waiter = std::thread::spawn({
        let (store, layer) = (store.clone(), layer.clone());
        move || {
            let lease = store.lease();
            let second = store.begin_layer(&lease, &layer.descriptor, &layer.diff_id);
            let LayerStart::InFlight(other) = second.expect("begin") else {
                panic!("the first is at it");
            };
            assert!(!other.wait(Duration::from_millis(1)));
            found.send(()).expect("main thread");
            assert!(other.wait(Duration::from_secs(30)));
            let third = store.begin_layer(&lease, &layer.descriptor, &layer.diff_id);
            assert!(matches!(third.expect("begin"), LayerStart::Present));
        }
    });
    in_flight.recv().expect("the second finds it in flight");
    first.write(&layer.blob).expect("write");
    first.finish().expect("finish");
    waiter.join().expect("waiter");
}

#[test]
fn files_with_holes() {
    // GNU tar itself, in its old format and in the newest.
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("holes");
    let file = std::fs::File::create(&path).expect("file");
    use std::os::unix::fs::FileExt;
    file.write_all_at(b"begin", 0).expect("write");
    file.write_all_at(b"middle", 1 << 20).expect("write");
    file.set_len(4 << 20).expect("length");
    let expected = std::fs::read(&path).expect("read");
    for format in [
        ["--format=gnu", "--sparse-version=0.0"],
        ["--format=pax", "--sparse-version=0.0"],
        ["--format=pax", "--sparse-version=0.1"],
        ["--format=pax", "--sparse-version=1.0"],
    ] {
        let output = std::process::Command::new("tar")
            .args(["--sparse", "-cf", "-", "-C"])
            .arg(dir.path())
            .args(format)
            .arg("holes")
            .output()
            .expect("tar runs");
        assert!(output.status.success(), "{output:?}");
        assert!(output.stdout.len() < 100_000, "tar saw the holes");
        let (_dir, store) = store();
        let layer = layer(&output.stdout, Pack::Gzip);
        let id = image(&store, &[layer], &["holes"]);
        let root = &store.rootfs(&id).expect("rootfs")[0].path;
        let unpacked = root.join("holes");
        assert!(
            std::fs::read(&unpacked).expect("read") == expected,
            "{format:?}"
        );
        let stat = unpacked.metadata().expect("stat");
        assert!(stat.blocks() * 512 < 1 << 20, "holes stay holes");
        assert_eq!(stat.permissions().mode() & 0o777, 0o644);
    }
}
