//! Files in and out of containers, and what became of them.

use std::io::Read as _;

use dhow_testkit::{Engine, fixture};

use crate::{field, idle};

#[test]
fn copies_go_both_ways_running_or_not() {
    let engine = Engine::with_busybox();
    let folder = engine.scratch();
    std::fs::write(folder.join("letter"), "dear container\n").unwrap();
    let letter = folder.join("letter").display().to_string();
    let back = folder.join("back").display().to_string();
    idle(&engine, "box");
    for state in ["running", "stopped"] {
        engine.docker(&["cp", &letter, "box:/root/letter"]).ok();
        engine.docker(&["cp", "box:/root/letter", &back]).ok();
        assert_eq!(
            std::fs::read_to_string(&back).unwrap(),
            "dear container\n",
            "{state}"
        );
        engine.docker(&["stop", "-t", "5", "box"]).ok();
    }
    let said = engine.docker(&["cp", "box:/no/such", &back]).fails(1);
    assert!(
        said.contains("Could not find the file /no/such in container box"),
        "{said}"
    );
}

#[test]
fn folders_streams_and_owners_are_copied() {
    let engine = Engine::with_busybox();
    idle(&engine, "box");
    engine
        .docker(&[
            "exec",
            "box",
            "sh",
            "-c",
            "mkdir -p /d/e; echo x > /d/e/f; ln -s f /d/e/l; chown 12:34 /d/e/f",
        ])
        .ok();
    let outcome = engine.docker(&["cp", "box:/d", "-"]);
    let mut archive = tar::Archive::new(outcome.stdout.as_slice());
    let mut seen = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        seen.push(format!(
            "{} {}",
            entry.path().unwrap().display(),
            header.uid().unwrap()
        ));
    }
    seen.sort();
    assert_eq!(seen, ["d/ 0", "d/e/ 0", "d/e/f 12", "d/e/l 0"]);
    engine
        .docker_fed(&["cp", "-", "box:/tmp"], &outcome.stdout)
        .ok();
    assert_eq!(
        engine
            .docker(&["exec", "box", "readlink", "/tmp/d/e/l"])
            .ok(),
        "f"
    );
}

#[test]
fn links_do_not_lead_out_of_the_container() {
    let engine = Engine::with_busybox();
    idle(&engine, "box");
    let marker = engine.scratch().join("host-only");
    std::fs::write(&marker, "of the host").unwrap();
    let outside = engine.scratch().display().to_string();
    let script =
        format!("ln -s / /up; ln -s ../../../../../../..{outside} /out; mkdir -p {outside}");
    engine.docker(&["exec", "box", "sh", "-c", &script]).ok();
    let letter = engine.scratch().join("letter");
    std::fs::write(&letter, "x").unwrap();
    engine
        .docker(&["cp", &letter.display().to_string(), "box:/out/planted"])
        .ok();
    assert!(
        !engine.scratch().join("planted").exists(),
        "a link led out of the container"
    );
    engine
        .docker(&["exec", "box", "cat", &format!("{outside}/planted")])
        .ok();
    let stolen = engine.docker(&["cp", "box:/out/host-only", "-"]);
    assert_ne!(stolen.code, 0, "{stolen}");
}

#[test]
fn diff_tells_what_changed() {
    let engine = Engine::start();
    engine.load(&fixture::layered(), "layered:1");
    engine
        .docker(&[
            "run",
            "--name",
            "edit",
            "layered:1",
            "sh",
            "-c",
            "echo >> /data/changed; rm /data/kept; mkdir /new; touch /new/f",
        ])
        .ok();
    let mut lines: Vec<String> = engine
        .docker(&["diff", "edit"])
        .ok()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "A /new",
            "A /new/f",
            "C /data",
            "C /data/changed",
            "D /data/kept"
        ]
    );
}

#[test]
fn layers_change_hide_and_remove() {
    let engine = Engine::start();
    engine.load(&fixture::layered(), "layered:1");
    let script = "cd /data; ls -A; ls hidden; cat changed link; stat -c '%u:%g %a' owned; stat -c %a set-user-id; stat -c %h hard; stat -c %a hidden";
    let said = engine
        .docker(&["run", "--rm", "layered:1", "sh", "-c", script])
        .ok();
    let long = "long-name-".repeat(20);
    let names = [
        "absolute",
        "changed",
        "hard",
        "hidden",
        "kept",
        "link",
        &long,
        "marked",
        "owned",
        "set-user-id",
    ];
    let mut expected: Vec<String> = names.map(str::to_owned).to_vec();
    for line in [
        "above",
        "after",
        "kept",
        "1000:1001 640",
        "4755",
        "2",
        "700",
    ] {
        expected.push(line.to_owned());
    }
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn export_and_import_carry_the_files() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "--name",
            "made",
            "busybox",
            "sh",
            "-c",
            "echo cargo > /hold",
        ])
        .ok();
    let tarball = engine.docker(&["export", "made"]).stdout;
    let mut archive = tar::Archive::new(tarball.as_slice());
    let mut text = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().ends_with("hold") {
            entry.read_to_string(&mut text).unwrap();
        }
    }
    assert_eq!(text, "cargo\n");
    engine
        .docker_fed(
            &["import", "-c", "CMD [\"cat\", \"/hold\"]", "-", "again:1"],
            &tarball,
        )
        .ok();
    assert_eq!(engine.docker(&["run", "--rm", "again:1"]).ok(), "cargo");
}

#[test]
fn commit_makes_an_image() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "--name",
            "made",
            "busybox",
            "sh",
            "-c",
            "echo cargo > /hold",
        ])
        .ok();
    let id = engine
        .docker(&[
            "commit",
            "-m",
            "loaded",
            "-a",
            "sailor",
            "-c",
            "ENV WIND=monsoon",
            "made",
            "laden:1",
        ])
        .ok();
    assert!(id.starts_with("sha256:"), "{id}");
    let said = engine
        .docker(&[
            "run",
            "--rm",
            "laden:1",
            "sh",
            "-c",
            "cat /hold; echo $WIND",
        ])
        .ok();
    assert_eq!(said, "cargo\nmonsoon");
    assert_eq!(
        field(
            &engine,
            "laden:1",
            "{{.Author}} {{.Comment}} {{len .RootFS.Layers}}"
        ),
        "sailor loaded 2"
    );
}
