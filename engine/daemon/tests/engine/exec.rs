//! `docker exec`: more programs in a container that runs.

use dhow_testkit::{Engine, until};

use crate::idle;

#[test]
fn streams_and_code_are_the_programs_own() {
    let engine = Engine::with_busybox();
    idle(&engine, "box");
    let outcome = engine.docker(&["exec", "box", "sh", "-c", "echo out; echo err >&2; exit 4"]);
    assert_eq!(
        (outcome.out().as_str(), outcome.err().as_str(), outcome.code),
        ("out", "err", 4),
        "{outcome}"
    );
    let fed = engine.docker_fed(&["exec", "-i", "box", "wc", "-c"], &[b'x'; 100_000]);
    assert_eq!(fed.ok().trim(), "100000");
}

#[test]
fn options_take_effect() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run", "-d", "--name", "box", "--init", "-e", "A=own", "busybox", "sleep", "100000",
        ])
        .ok();
    let script = "echo $A $B; pwd; id -u";
    let said = engine
        .docker(&[
            "exec", "-e", "B=given", "-w", "/tmp", "-u", "33", "box", "sh", "-c", script,
        ])
        .ok();
    assert_eq!(said, "own given\n/tmp\n33");
    let terminal = engine.docker(&["exec", "-t", "box", "tty"]).ok();
    assert!(terminal.starts_with("/dev/pts/"), "{terminal}");
    let capabilities = |flags: &[&str]| {
        let words = [
            &["exec"],
            flags,
            &["box", "grep", "CapEff", "/proc/self/status"],
        ]
        .concat();
        engine.docker(&words).ok()
    };
    assert_ne!(capabilities(&[]), capabilities(&["--privileged"]));
}

#[test]
fn it_is_in_the_same_place() {
    let engine = Engine::with_busybox();
    idle(&engine, "box");
    for namespace in ["pid", "net", "mnt", "ipc", "uts"] {
        let script = format!(
            "test $(readlink /proc/1/ns/{namespace}) = $(readlink /proc/self/ns/{namespace})"
        );
        engine.docker(&["exec", "box", "sh", "-c", &script]).ok();
    }
    let groups = "grep -v '^0::' /proc/self/cgroup | sort > /tmp/a; grep -v '^0::' /proc/1/cgroup | sort > /tmp/b; cmp /tmp/a /tmp/b";
    engine.docker(&["exec", "box", "sh", "-c", groups]).ok();
}

#[test]
fn detached_programs_go_on() {
    let engine = Engine::with_busybox();
    idle(&engine, "box");
    assert_eq!(
        engine
            .docker(&["exec", "-d", "box", "sh", "-c", "echo done > /tmp/mark"])
            .ok(),
        ""
    );
    until("the detached program has written", || {
        let outcome = engine.docker(&["exec", "box", "cat", "/tmp/mark"]);
        (outcome.out() == "done").then_some(())
    });
}

#[test]
fn it_can_be_inspected() {
    let engine = Engine::with_busybox();
    idle(&engine, "box");
    let created = engine.post(
        "/containers/box/exec",
        &serde_json::json!({ "Cmd": ["sh", "-c", "exit 6"], "AttachStdout": true }),
    );
    assert_eq!(created.status, 201, "{}", created.text());
    let id = created.json()["Id"].as_str().unwrap().to_owned();
    let before = engine.get(&format!("/exec/{id}/json")).json();
    assert_eq!(
        (before["Running"].as_bool(), before["ExitCode"].as_i64()),
        (Some(false), None)
    );
    let started = engine.post(
        &format!("/exec/{id}/start"),
        &serde_json::json!({ "Detach": true }),
    );
    assert_eq!(started.status, 200, "{}", started.text());
    let after = until("the program has ended", || {
        let state = engine.get(&format!("/exec/{id}/json")).json();
        (state["ExitCode"].is_i64()).then_some(state)
    });
    assert_eq!(after["ExitCode"], 6);
    assert_eq!(after["ProcessConfig"]["entrypoint"], "sh");
    let again = engine.post(
        &format!("/exec/{id}/start"),
        &serde_json::json!({ "Detach": true }),
    );
    assert_eq!(again.status, 409, "{}", again.text());
}

#[test]
fn what_cannot_be_is_said() {
    let engine = Engine::with_busybox();
    idle(&engine, "box");
    let missing = engine.docker(&["exec", "box", "no-such-program"]);
    assert_eq!(missing.code, 127, "{missing}");
    let forbidden = engine.docker(&["exec", "box", "/etc/passwd"]);
    assert_eq!(forbidden.code, 126, "{forbidden}");
    engine.docker(&["stop", "-t", "5", "box"]).ok();
    let stopped = engine.docker(&["exec", "box", "true"]).fails(1);
    assert!(stopped.contains("is not running"), "{stopped}");
    let unknown = engine.docker(&["exec", "nobody", "true"]).fails(1);
    assert!(unknown.contains("No such container: nobody"), "{unknown}");
}
