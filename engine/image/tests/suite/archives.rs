//! Save, load, import, commit; with other people's tools on the other end.

use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;

use dhow_image::archive::{ArchiveError, CommitSpec, ImportSpec, Loaded};
use dhow_image::image::media_type;
use dhow_image::{ImageError, ImageStore};
use dhow_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::fixture::*;

fn layers() -> [Layer; 3] {
    let base = archive(|tar| {
        dir(tar, "bin/");
        file(tar, "bin/sh", b"shell");
        file(tar, "etc/name", b"base");
    });
    let top = archive(|tar| {
        file(tar, "etc/name", b"top");
        file(tar, "etc/.wh.old", b"");
    });
    let last = archive(|tar| file(tar, "last", &vec![9; 300_000]));
    [
        layer(&base, Pack::Gzip),
        layer(&top, Pack::Plain),
        layer(&last, Pack::GzipMembers),
    ]
}

fn saved(store: &ImageStore, words: &[&str]) -> Vec<u8> {
    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    let plan = store.save(&words).expect("plan");
    let mut out = Vec::new();
    plan.write(&mut out).expect("written");
    out
}

fn load(store: &ImageStore, archive: &[u8]) -> Result<Vec<Loaded>, ArchiveError> {
    store.load(&mut Cursor::new(archive), &mut |_| {})
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("command runs");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

fn skopeo(args: &[&str]) -> String {
    run(Command::new("skopeo").arg("--insecure-policy").args(args))
}

#[test]
fn what_is_saved_loads_as_the_same_image() {
    let (_dir, from) = store();
    let layers = layers();
    let one = image(&from, &layers, &["app:1", "app:2", "other/name"]);
    let two = image(&from, &layers[..1], &["small"]);
    let digest = from.image(&one).expect("image").manifest;
    let archive = saved(&from, &["app", "small", one.short()]);

    let (_dir, to) = store();
    let loaded = load(&to, &archive).expect("loads");
    assert_eq!(loaded.len(), 2);
    assert_eq!(loaded[0].id, one);
    assert_eq!(loaded[0].names, [reference("app:1"), reference("app:2")]);
    assert_eq!(loaded[1].id, two);
    let image = to.get("app:2").expect("image");
    assert_eq!(image.config, from.image(&one).expect("image").config);
    assert_eq!(image.manifest, digest, "a push sends the same manifest");
    for layer in &layers {
        assert!(to.has_blob(&layer.descriptor.digest), "blobs as they were");
    }
    assert!(to.resolve("other/name").is_err(), "not asked for");
    let name = to.rootfs(&one).expect("rootfs")[1].path.join("etc/name");
    assert_eq!(std::fs::read(name).expect("read"), b"top");
    // Once more changes nothing, and a gzipped archive will do.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&archive).expect("gzip");
    let again = load(&to, &gzip.finish().expect("gzip")).expect("loads again");
    assert_eq!(again[0].id, one);
    assert_eq!(to.images().expect("images").len(), 2);
}

#[test]
fn names_move_when_an_archive_says_so() {
    let (_dir, store) = store();
    let old = image(&store, &[small_layer("a", b"old")], &["app:1"]);
    let archive = saved(&store, &["app:1"]);
    let new = image(&store, &[small_layer("a", b"new")], &["app:1"]);
    let loaded = load(&store, &archive).expect("loads");
    assert_eq!(loaded[0].renamed, [(reference("app:1"), new)]);
    assert_eq!(store.resolve("app:1").expect("moved back"), old);
}

#[test]
fn nothing_to_save() {
    let (_dir, store) = store();
    let error = store
        .save(&["nothing".to_owned()])
        .expect_err("no such image");
    assert!(matches!(
        error,
        ArchiveError::Image(ImageError::NotFound(_))
    ));
    assert_eq!(error.to_string(), "No such image: nothing:latest");
}

#[test]
fn skopeo_reads_what_is_saved() {
    let (dir, store) = store();
    let layers = layers();
    let id = image(&store, &layers[..2], &["example.com/app:1"]);
    let path = dir.path().join("saved.tar");
    std::fs::write(&path, saved(&store, &["example.com/app:1"])).expect("write");
    let path = path.display();
    // Both faces of the one archive.
    for source in [
        format!("docker-archive:{path}:example.com/app:1"),
        format!("oci-archive:{path}:1"),
    ] {
        let config = skopeo(&["inspect", "--config", "--raw", &source]);
        assert_eq!(digest(config.as_bytes()), id, "{source}");
        let copy = dir.path().join(format!("copy-{}", &source[..3]));
        let target = format!("dir:{}", copy.display());
        skopeo(&["copy", &source, &target]);
        assert!(copy.join("manifest.json").exists());
    }
}

#[test]
fn skopeo_reads_an_image_that_came_with_dockers_manifest() {
    let (dir, store) = store();
    let layers = &layers()[..1];
    let lease = store.lease();
    ingest(&store, &lease, &layers[0]).expect("layer");
    let (config, mut manifest) = documents(layers, serde_json::json!({}));
    let text = String::from_utf8(manifest.data).expect("text");
    manifest.data = text
        .replace(media_type::OCI_MANIFEST, media_type::DOCKER_MANIFEST)
        .replace(media_type::OCI_CONFIG, media_type::DOCKER_CONFIG)
        .replace(
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        )
        .into_bytes();
    manifest.media_type = media_type::DOCKER_MANIFEST.into();
    let image = dhow_image::NewImage {
        config: &config,
        manifest: Some(&manifest),
        names: &[reference("example.com/app:1")],
        ..Default::default()
    };
    store.commit_image(&lease, &image).expect("image");
    let path = dir.path().join("saved.tar");
    std::fs::write(&path, saved(&store, &["example.com/app:1"])).expect("write");
    for source in ["docker-archive", "oci-archive"] {
        let source = format!("{source}:{}", path.display());
        let target = format!("dir:{}", dir.path().join("copy").display());
        skopeo(&["copy", &source, &target]);
    }
}

#[test]
fn umoci_unpacks_what_is_saved() {
    let (dir, store) = store();
    image(&store, &layers()[..2], &["app:tag"]);
    let layout = dir.path().join("layout");
    let mut archive = tar::Archive::new(Cursor::new(saved(&store, &["app:tag"])));
    archive.unpack(&layout).expect("untar");
    let bundle = dir.path().join("bundle");
    run(Command::new("umoci")
        .args(["unpack", "--image"])
        .arg(format!("{}:tag", layout.display()))
        .arg(&bundle));
    let name = std::fs::read(bundle.join("rootfs/etc/name")).expect("file");
    assert_eq!(name, b"top");
}

/// An OCI layout made by umoci with one file in it.
fn umoci_layout(dir: &Path) -> String {
    let layout = dir.join("umoci");
    let image = format!("{}:1.0", layout.display());
    let root = dir.join("content");
    std::fs::create_dir(&root).expect("mkdir");
    std::fs::write(root.join("hello"), "from umoci").expect("write");
    run(Command::new("umoci")
        .args(["init", "--layout"])
        .arg(&layout));
    run(Command::new("umoci").args(["new", "--image", &image]));
    run(Command::new("umoci")
        .args(["insert", "--image", &image])
        .arg(&root)
        .arg("/content"));
    run(Command::new("umoci").args(["config", "--image", &image, "--config.cmd", "/bin/hello"]));
    image
}

#[test]
fn images_of_skopeo_and_umoci_load() {
    let (dir, store) = store();
    let layout = umoci_layout(dir.path());
    let path = |name: &str| dir.path().join(name).display().to_string();
    skopeo(&[
        "copy",
        &format!("oci:{layout}"),
        &format!("docker-archive:{}:app:docker", path("d.tar")),
    ]);
    skopeo(&[
        "copy",
        &format!("oci:{layout}"),
        &format!("oci-archive:{}:app:oci", path("o.tar")),
    ]);
    run(Command::new("tar").args(["-cf", &path("u.tar"), "-C", &path("umoci"), "."]));
    for (file, name) in [
        ("d.tar", Some("app:docker")),
        ("o.tar", Some("app:oci")),
        ("u.tar", None),
    ] {
        let mut input = std::fs::File::open(path(file)).expect("archive");
        let loaded = store.load(&mut input, &mut |_| {}).expect(file);
        assert_eq!(loaded.len(), 1, "{file}");
        assert_eq!(
            loaded[0].names.first().cloned(),
            name.map(reference),
            "{file}"
        );
        let dirs = store.rootfs(&loaded[0].id).expect("rootfs");
        let hello = dirs[0].path.join("content/hello");
        assert_eq!(std::fs::read(hello).expect("read"), b"from umoci");
    }
}

/// The layout of Docker before 25, layers in directories of their own.
fn legacy(layers: &[&[u8]], config: &[u8], tag: &str) -> Vec<u8> {
    archive(|tar| {
        let config_name = format!("{}.json", digest(config).hex());
        let mut paths = Vec::new();
        for (number, data) in layers.iter().enumerate() {
            let id = format!("{number:064}");
            dir(tar, &format!("{id}/"));
            file(tar, &format!("{id}/VERSION"), b"1.0");
            file(tar, &format!("{id}/json"), b"{\"id\":\"x\"}");
            paths.push(format!("{id}/layer.tar"));
            // The same layer twice is a link.
            match layers[..number].iter().position(|other| other == data) {
                Some(first) => {
                    let mut link = header(tar::EntryType::Symlink, 0, 0o777);
                    let target = format!("../{first:064}/layer.tar");
                    tar.append_link(&mut link, &paths[number], target)
                        .expect("link");
                }
                None => file(tar, &paths[number], data),
            }
        }
        file(tar, &config_name, config);
        let manifest = serde_json::json!([
            {"Config": config_name, "RepoTags": [tag], "Layers": paths}
        ]);
        file(tar, "manifest.json", manifest.to_string().as_bytes());
        file(tar, "repositories", b"{\"app\":{\"1\":\"x\"}}");
    })
}

fn config_of(layers: &[&[u8]]) -> Vec<u8> {
    let layers: Vec<Layer> = layers.iter().map(|l| layer(l, Pack::Plain)).collect();
    documents(&layers, serde_json::json!({})).0
}

#[test]
fn old_docker_archives_load() {
    let empty = [0; 1024];
    let content = archive(|tar| file(tar, "f", b"content"));
    let plain: Vec<&[u8]> = vec![&content, &empty, &content];
    let config = config_of(&plain);
    let (_dir, store) = store();
    let loaded = load(&store, &legacy(&plain, &config, "app:1")).expect("loads");
    assert_eq!(loaded[0].id, digest(&config));
    assert_eq!(store.get("app:1").expect("image").layers.len(), 3);
    // Two layers, one of them twice, and the mount points.
    let dirs = store.rootfs(&loaded[0].id).expect("rootfs");
    assert_eq!(dirs.len(), 3);
    assert!(dirs[0].path.join("f").exists());
}

#[test]
fn archives_that_lie() {
    let content = archive(|tar| file(tar, "f", b"content"));
    let other = archive(|tar| file(tar, "f", b"other"));
    let config = config_of(&[&content]);
    let refused = |archive: &[u8], expected: &str| {
        let (_dir, store) = store();
        let error = load(&store, archive).expect_err(expected);
        let text = dhow_model::error::chain(&error);
        assert!(text.contains(expected), "{text:?} lacks {expected:?}");
        assert_eq!(store.images().expect("images"), []);
        assert!(!store.has_layer(&digest(&other)).expect("query"));
        let left = std::fs::read_dir(store.root().join("tmp"))
            .expect("tmp")
            .count();
        assert_eq!(left, 0, "{expected}");
    };
    refused(
        &legacy(&[&other], &config, "app:1"),
        "invalid diffID for layer 0",
    );
    refused(&legacy(&[], &config, "app:1"), "one of 1 layers");
    refused(&legacy(&[&content], &config, "App:1"), "must be lowercase");
    refused(
        &archive(|tar| file(tar, "README", b"hi")),
        "neither manifest.json nor index.json",
    );
    refused(b"nonsense, and nothing but nonsense", "invalid archive");
    let escape = archive(|tar| raw(tar, tar::EntryType::Regular, "../../x", ""));
    refused(&escape, "is outside of the archive");
    let named = format!("blobs/sha256/{}", digest(b"x").hex());
    refused(&archive(|tar| file(tar, &named, &content)), "has digest");
    refused(&archive(|tar| file(tar, &named, b"{}")), "has digest");
    let missing = serde_json::json!([{"Config": "gone.json", "Layers": []}]).to_string();
    refused(
        &archive(|tar| file(tar, "manifest.json", missing.as_bytes())),
        "gone.json is missing",
    );
    let around = archive(|tar| {
        for (path, target) in [("manifest.json", "b"), ("b", "manifest.json")] {
            let mut link = header(tar::EntryType::Symlink, 0, 0o777);
            tar.append_link(&mut link, path, target).expect("link");
        }
    });
    refused(&around, "neither manifest.json nor index.json");
    let mut cut = legacy(&[&content], &config, "app:1");
    cut.truncate(3000);
    refused(&cut, "unexpected end of archive");
}

#[test]
fn trees_become_images() {
    let (_dir, store) = store();
    let tree = archive(|tar| {
        dir(tar, "./");
        file(tar, "./bin/hello", b"hi");
    });
    let spec = ImportSpec {
        config: serde_json::from_str(r#"{"Cmd":["/bin/hello"]}"#).expect("json"),
        message: "imported".into(),
        created: "2026-01-02T03:04:05Z".into(),
        os: "linux".into(),
        architecture: "amd64".into(),
        names: vec![reference("tree:1")],
        ..ImportSpec::default()
    };
    let compressed = layer(&tree, Pack::Gzip);
    let id = store
        .import(&spec, &mut compressed.blob.as_slice())
        .expect("import");
    let image = store.get("tree:1").expect("image");
    assert_eq!(image.id, id);
    assert_eq!(image.config.rootfs.diff_ids, [digest(&tree)]);
    assert_eq!(image.config.history[0].comment, "imported");
    assert_eq!(image.size(), 2);
    let hello = store.rootfs(&id).expect("rootfs")[0].path.join("bin/hello");
    assert_eq!(std::fs::read(hello).expect("read"), b"hi");
    // Sent as it came.
    let plan = store.push_plan(&id).expect("plan");
    assert_eq!(plan.layers, [compressed.descriptor]);
}

#[test]
fn trees_come_in_every_compression() {
    let (_dir, store) = store();
    let tree = archive(|tar| file(tar, "f", b"content"));
    for program in ["bzip2", "xz", "zstd", "gzip"] {
        let mut child = Command::new(program)
            .arg("-c")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect(program);
        let mut stdin = child.stdin.take().expect("stdin");
        stdin.write_all(&tree).expect("write");
        drop(stdin);
        let packed = child.wait_with_output().expect("output").stdout;
        let spec = ImportSpec {
            os: "linux".into(),
            architecture: "amd64".into(),
            message: program.into(),
            ..ImportSpec::default()
        };
        let id = store.import(&spec, &mut packed.as_slice()).expect(program);
        let image = store.image(&id).expect("image");
        assert_eq!(image.config.rootfs.diff_ids, [digest(&tree)], "{program}");
        store.push_plan(&id).expect("can be pushed");
        // Whole archives too.
        let mut broken = packed;
        let middle = broken.len() / 2;
        broken.truncate(middle);
        store
            .import(&spec, &mut broken.as_slice())
            .expect_err("truncated");
    }
}

#[test]
fn a_commit_adds_a_layer() {
    let (_dir, store) = store();
    let parent = image(&store, &layers()[..1], &["base"]);
    let top = archive(|tar| file(tar, "new", b"new"));
    let spec = CommitSpec {
        parent: Some(parent.clone()),
        config: serde_json::from_str(r#"{"Cmd":["new"]}"#).expect("json"),
        author: "me".into(),
        comment: "why".into(),
        created_by: "sh -c x".into(),
        created: "2026-01-02T03:04:05Z".into(),
        names: vec![reference("made")],
        ..CommitSpec::default()
    };
    let commit = || {
        let pack = |out: &mut dyn Write| out.write_all(&top).map_err(ArchiveError::Write);
        store.commit(&spec, pack).expect("commit")
    };
    let id = commit();
    let made = store.get("made").expect("image");
    assert_eq!(made.parent, Some(parent.clone()));
    assert_eq!(made.config.rootfs.diff_ids.len(), 2);
    assert_eq!(made.config.history.len(), 2);
    assert_eq!(made.config.history[1].created_by, "sh -c x");
    assert_eq!(
        (made.config.author.as_str(), made.config.text("comment")),
        ("me", "why")
    );
    assert_eq!(made.config.architecture, "amd64");
    assert_eq!(store.rootfs(&id).expect("rootfs").len(), 3);
    assert_eq!(commit(), id, "the same again is the same image");

    // Plain until it is pushed, compressed then, the same each time.
    let diff_id = digest(&top);
    assert!(store.has_blob(&diff_id));
    let plan = store.push_plan(&id).expect("plan");
    assert!(!store.has_blob(&diff_id));
    let blob = std::fs::read(
        store
            .root()
            .join("blobs/sha256")
            .join(plan.layers[1].digest.hex()),
    );
    let blob = blob.expect("blob");
    assert_eq!(digest(&blob), plan.layers[1].digest);
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&blob[..]), &mut plain)
        .expect("gunzip");
    assert_eq!(plain, top);
    assert_eq!(plan.manifest.media_type, media_type::OCI_MANIFEST);
    assert_eq!(
        Digest::from_sha256(Sha256::digest(&plan.manifest.data).into()),
        plan.digest
    );
    assert_eq!(store.push_plan(&id).expect("again"), plan);
    // A failed pack leaves nothing.
    let failed = store.commit(&spec, |out: &mut dyn Write| {
        out.write_all(&top[..700]).map_err(ArchiveError::Write)?;
        Err(ArchiveError::Unknown)
    });
    failed.expect_err("pack failed");
    let left = std::fs::read_dir(store.root().join("tmp"))
        .expect("tmp")
        .count();
    assert_eq!(left, 0);
}
