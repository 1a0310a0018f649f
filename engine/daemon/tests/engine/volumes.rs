//! Binds, volumes and temporary file systems.

use dhow_testkit::{Engine, fixture};

use crate::field;

#[test]
fn a_bind_is_the_hosts_own_folder() {
    let engine = Engine::with_busybox();
    let folder = engine.scratch().join("bind");
    std::fs::create_dir_all(&folder).unwrap();
    let bind = format!("{}:/host", folder.display());
    engine
        .docker(&[
            "run",
            "--rm",
            "-v",
            &bind,
            "busybox",
            "sh",
            "-c",
            "echo inside > /host/file",
        ])
        .ok();
    assert_eq!(
        std::fs::read_to_string(folder.join("file")).unwrap(),
        "inside\n"
    );
    let read_only = engine.docker(&[
        "run",
        "--rm",
        "-v",
        &format!("{bind}:ro"),
        "busybox",
        "touch",
        "/host/x",
    ]);
    assert!(
        read_only.clone().fails(1).contains("Read-only file system"),
        "{read_only}"
    );
    let missing = format!("{}/made", folder.display());
    engine
        .docker(&[
            "run",
            "--rm",
            "-v",
            &format!("{missing}:/x"),
            "busybox",
            "true",
        ])
        .ok();
    assert!(
        std::path::Path::new(&missing).is_dir(),
        "-v makes what is missing"
    );
    let strict = format!("type=bind,source={missing}-not,target=/x");
    let refused = engine
        .docker(&["run", "--rm", "--mount", &strict, "busybox", "true"])
        .fails(125);
    assert!(
        refused.contains("bind source path does not exist"),
        "{refused}"
    );
}

#[test]
fn a_new_volume_gets_what_the_image_has() {
    let engine = Engine::start();
    engine.load(&fixture::layered(), "layered:1");
    let said = engine
        .docker(&[
            "run",
            "--rm",
            "-v",
            "cargo:/data",
            "layered:1",
            "cat",
            "/data/changed",
        ])
        .ok();
    assert_eq!(said, "after");
    engine
        .docker(&[
            "run",
            "--rm",
            "-v",
            "cargo:/data",
            "layered:1",
            "sh",
            "-c",
            "echo mine > /data/changed",
        ])
        .ok();
    let kept = engine
        .docker(&[
            "run",
            "--rm",
            "-v",
            "cargo:/other",
            "layered:1",
            "sh",
            "-c",
            "cat /other/changed; stat -c %u:%g /other/owned",
        ])
        .ok();
    assert_eq!(kept, "mine\n1000:1001");
    let empty = engine
        .docker(&[
            "run",
            "--rm",
            "-v",
            "bare:/data:nocopy",
            "layered:1",
            "ls",
            "/data",
        ])
        .ok();
    assert_eq!(empty, "");
    let names = engine.docker(&["volume", "ls", "-q"]).ok();
    assert_eq!(names, "bare\ncargo");
}

#[test]
fn anonymous_volumes_go_with_their_container() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["run", "--rm", "-v", "/gone", "busybox", "touch", "/gone/x"])
        .ok();
    assert_eq!(engine.docker(&["volume", "ls", "-q"]).ok(), "");
    engine
        .docker(&[
            "run", "--name", "keeps", "-v", "/kept", "busybox", "touch", "/kept/x",
        ])
        .ok();
    let name = field(&engine, "keeps", "{{(index .Mounts 0).Name}}");
    assert_eq!(name.len(), 64);
    engine.docker(&["rm", "keeps"]).ok();
    assert_eq!(engine.docker(&["volume", "ls", "-q"]).ok(), name);
}

#[test]
fn a_volume_in_use_stays() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["create", "--name", "user", "-v", "cargo:/x", "busybox"])
        .ok();
    let refused = engine.docker(&["volume", "rm", "cargo"]).fails(1);
    assert!(refused.contains("volume is in use"), "{refused}");
    engine.docker(&["rm", "user"]).ok();
    assert_eq!(engine.docker(&["volume", "rm", "cargo"]).ok(), "cargo");
}

#[test]
fn volumes_from_another_container() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "--name",
            "source",
            "-v",
            "/shared",
            "busybox",
            "sh",
            "-c",
            "echo hi > /shared/f",
        ])
        .ok();
    let said = engine
        .docker(&[
            "run",
            "--rm",
            "--volumes-from",
            "source",
            "busybox",
            "cat",
            "/shared/f",
        ])
        .ok();
    assert_eq!(said, "hi");
    let refused = engine.docker(&[
        "run",
        "--rm",
        "--volumes-from",
        "source:ro",
        "busybox",
        "touch",
        "/shared/f",
    ]);
    assert_ne!(refused.code, 0, "{refused}");
}

#[test]
fn temporary_file_systems_have_their_options() {
    let engine = Engine::with_busybox();
    let mount = "type=tmpfs,target=/scratch,tmpfs-size=2m,tmpfs-mode=0700";
    let script = "stat -c %a /scratch; df -k /scratch | tail -1 | awk '{print $2}'";
    assert_eq!(
        engine
            .docker(&[
                "run", "--rm", "--mount", mount, "busybox", "sh", "-c", script
            ])
            .ok(),
        "700\n2048"
    );
}

#[test]
fn mounts_are_told() {
    let engine = Engine::with_busybox();
    let folder = engine.scratch().display().to_string();
    engine
        .docker(&[
            "create",
            "--name",
            "told",
            "-v",
            &format!("{folder}:/b:ro"),
            "-v",
            "named:/v",
            "busybox",
        ])
        .ok();
    let mounts = field(
        &engine,
        "told",
        "{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}};{{end}}",
    );
    let mut mounts: Vec<&str> = mounts
        .split(';')
        .filter(|mount| !mount.is_empty())
        .collect();
    mounts.sort_unstable();
    assert_eq!(mounts, ["bind /b false", "volume /v true"]);
}
