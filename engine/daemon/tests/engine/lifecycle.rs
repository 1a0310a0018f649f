//! From create to remove, and every verb in between.

use dhow_testkit::{Engine, until};

use crate::{field, idle};

#[test]
fn create_start_stop_remove() {
    let engine = Engine::with_busybox();
    let id = engine
        .docker(&[
            "create", "--name", "boat", "--init", "busybox", "sleep", "100000",
        ])
        .ok();
    let status = || field(&engine, "boat", "{{.State.Status}}");
    assert_eq!(status(), "created");
    assert_eq!(engine.docker(&["start", "boat"]).ok(), "boat");
    assert_eq!(status(), "running");
    assert_eq!(engine.docker(&["stop", "-t", "10", "boat"]).ok(), "boat");
    assert_eq!(
        field(&engine, "boat", "{{.State.Status}} {{.State.ExitCode}}"),
        "exited 143"
    );
    engine.docker(&["start", &id[..12]]).ok();
    assert_eq!(status(), "running", "by the short id, again");
    let refused = engine.docker(&["rm", "boat"]).fails(1);
    assert!(refused.contains("container is running"), "{refused}");
    engine.docker(&["rm", "-f", "boat"]).ok();
    let gone = engine.docker(&["inspect", "boat"]).fails(1);
    assert!(gone.contains("No such"), "{gone}");
    assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "");
}

#[test]
fn who_does_not_stop_is_killed() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["run", "-d", "--name", "deaf", "busybox", "sleep", "100000"])
        .ok();
    engine.docker(&["stop", "-t", "1", "deaf"]).ok();
    assert_eq!(field(&engine, "deaf", "{{.State.ExitCode}}"), "137");
}

#[test]
fn signals_arrive() {
    let engine = Engine::with_busybox();
    let script =
        "trap 'echo hup' HUP; trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done";
    engine
        .docker(&["run", "-d", "--name", "ears", "busybox", "sh", "-c", script])
        .ok();
    let logs = || engine.docker(&["logs", "ears"]).out();
    until("the traps are set", || {
        logs().contains("ready").then_some(())
    });
    engine.docker(&["kill", "-s", "HUP", "ears"]).ok();
    until("the signal is heard", || {
        logs().contains("hup").then_some(())
    });
    engine.docker(&["kill", "-s", "SIGUSR1", "ears"]).ok();
    assert_eq!(engine.docker(&["wait", "ears"]).ok(), "9");
    let late = engine.docker(&["kill", "ears"]).fails(1);
    assert!(late.contains("is not running"), "{late}");
    let unknown = engine.docker(&["kill", "-s", "SIGNOPE", "ears"]).fails(1);
    assert!(
        unknown.to_lowercase().contains("invalid signal"),
        "{unknown}"
    );
}

#[test]
fn a_stop_signal_is_kept_to() {
    let engine = Engine::with_busybox();
    let script = "trap 'exit 21' USR2; echo ready; while :; do sleep 0.05; done";
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "own",
            "--stop-signal",
            "USR2",
            "busybox",
            "sh",
            "-c",
            script,
        ])
        .ok();
    until("the trap is set", || {
        engine
            .docker(&["logs", "own"])
            .out()
            .contains("ready")
            .then_some(())
    });
    engine.docker(&["stop", "own"]).ok();
    assert_eq!(field(&engine, "own", "{{.State.ExitCode}}"), "21");
}

#[test]
fn paused_is_paused() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "tick",
            "--init",
            "busybox",
            "sh",
            "-c",
            "while :; do date +%s%N; sleep 0.02; done",
        ])
        .ok();
    engine.docker(&["pause", "tick"]).ok();
    assert_eq!(
        field(
            &engine,
            "tick",
            "{{.State.Status}} {{.State.Paused}} {{.State.Running}}"
        ),
        "paused true true"
    );
    let lines = || engine.docker(&["logs", "tick"]).out().lines().count();
    let before = lines();
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(lines(), before, "nothing moves");
    let refused = engine.docker(&["exec", "tick", "true"]).fails(1);
    assert!(refused.contains("is paused"), "{refused}");
    engine.docker(&["unpause", "tick"]).ok();
    // As fast as one can ask: what is heard of the one is not taken for the other.
    for round in 0..50 {
        for verb in ["pause", "unpause"] {
            let answer = engine.send("POST", &format!("/containers/tick/{verb}"), b"");
            assert_eq!(answer.status, 204, "{round}: {verb}");
        }
    }
    until("it goes on", || (lines() > before).then_some(()));
    let twice = engine.docker(&["unpause", "tick"]).fails(1);
    assert!(twice.contains("is not paused"), "{twice}");
}

#[test]
fn names_are_taken_changed_and_free_again() {
    let engine = Engine::with_busybox();
    let id = engine.docker(&["create", "--name", "dhow", "busybox"]).ok();
    let taken = engine
        .docker(&["create", "--name", "dhow", "busybox"])
        .fails(1);
    let text = format!("The container name \"/dhow\" is already in use by container \"{id}\"");
    assert!(
        taken.contains("Conflict.") && taken.contains(&text),
        "{taken}"
    );
    engine.docker(&["rename", "dhow", "sambuk"]).ok();
    assert_eq!(field(&engine, &id, "{{.Name}}"), "/sambuk");
    engine.docker(&["create", "--name", "dhow", "busybox"]).ok();
    let bad = engine
        .docker(&["create", "--name", "a b", "busybox"])
        .fails(1);
    assert!(bad.contains("Invalid container name (a b)"), "{bad}");
    let given = engine.docker(&["create", "busybox"]).ok();
    let name = field(&engine, &given, "{{.Name}}");
    assert!(name.contains('_'), "{name}");
}

#[test]
fn waiting_waits() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "create",
            "-i",
            "--name",
            "slow",
            "busybox",
            "sh",
            "-c",
            "cat; exit 12",
        ])
        .ok();
    engine.docker(&["start", "slow"]).ok();
    let mut wait = engine.docker_command(&["wait", "slow"]);
    let waiting =
        std::thread::spawn(move || String::from_utf8(wait.output().unwrap().stdout).unwrap());
    engine.docker_fed(&["attach", "slow"], b"");
    assert_eq!(waiting.join().unwrap(), "12\n");
    assert_eq!(
        engine.docker(&["wait", "slow"]).ok(),
        "12",
        "and at once when it is over"
    );
}

#[test]
fn restart_policies_restart() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "thrice",
            "--restart",
            "on-failure:3",
            "busybox",
            "false",
        ])
        .ok();
    until("it has been restarted three times", || {
        let state = field(
            &engine,
            "thrice",
            "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}",
        );
        (state == "3 exited 1").then_some(())
    });
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "fine",
            "--restart",
            "on-failure",
            "busybox",
            "true",
        ])
        .ok();
    engine.docker(&["wait", "fine"]).ok();
    assert_eq!(
        field(&engine, "fine", "{{.RestartCount}} {{.State.Status}}"),
        "0 exited"
    );
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "ever",
            "--restart",
            "always",
            "busybox",
            "sh",
            "-c",
            "sleep 0.1",
        ])
        .ok();
    until("it has been restarted", || {
        (field(&engine, "ever", "{{.RestartCount}}") != "0").then_some(())
    });
    engine.docker(&["stop", "ever"]).ok();
    let count = field(&engine, "ever", "{{.RestartCount}}");
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(
        field(&engine, "ever", "{{.State.Status}} {{.RestartCount}}"),
        format!("exited {count}"),
        "stop is final"
    );
}

#[test]
fn health_is_watched() {
    let engine = Engine::with_busybox();
    let check = |name: &str, command: &str| {
        engine
            .docker(&[
                "run",
                "-d",
                "--name",
                name,
                "--init",
                "--health-cmd",
                command,
                "--health-interval",
                "100ms",
                "--health-retries",
                "2",
                "busybox",
                "sleep",
                "100000",
            ])
            .ok();
    };
    check("well", "echo fit");
    check("ill", "echo poorly; exit 1");
    let status = |name: &str| field(&engine, name, "{{.State.Health.Status}}");
    until("the well one is healthy", || {
        (status("well") == "healthy").then_some(())
    });
    until("the ill one is unhealthy", || {
        (status("ill") == "unhealthy").then_some(())
    });
    let said = field(&engine, "ill", "{{(index .State.Health.Log 0).Output}}");
    assert_eq!(said.trim(), "poorly");
    let listed = engine
        .docker(&[
            "ps",
            "--filter",
            "health=healthy",
            "--format",
            "{{.Names}} {{.Status}}",
        ])
        .ok();
    assert!(
        listed.starts_with("well Up") && listed.ends_with("(healthy)"),
        "{listed}"
    );
}

#[test]
fn listings_filter_and_format() {
    let engine = Engine::with_busybox();
    idle(&engine, "up");
    engine
        .docker(&[
            "create",
            "--name",
            "down",
            "--label",
            "cargo=dates",
            "busybox",
        ])
        .ok();
    let ps = |flags: &[&str]| {
        engine
            .docker(&[&["ps", "--format", "{{.Names}}"], flags].concat())
            .ok()
    };
    assert_eq!(ps(&[]), "up");
    assert_eq!(ps(&["-a"]), "down\nup", "newest first");
    assert_eq!(ps(&["-a", "-f", "label=cargo"]), "down");
    assert_eq!(ps(&["-a", "-f", "status=created"]), "down");
    assert_eq!(ps(&["-a", "-f", "name=^u"]), "up");
    assert_eq!(ps(&["-n", "1"]), "down");
    let bad = engine.docker(&["ps", "-f", "no-such=filter"]).fails(1);
    assert!(bad.contains("invalid filter 'no-such'"), "{bad}");
}

#[test]
fn top_and_stats_look_inside() {
    let engine = Engine::with_busybox();
    idle(&engine, "busy");
    let top = engine.docker(&["top", "busy"]).ok();
    assert!(top.contains("PID") && top.contains("sleep 100000"), "{top}");
    let stats = engine
        .docker(&[
            "stats",
            "--no-stream",
            "--format",
            "{{.Name}} {{.PIDs}} {{.MemUsage}}",
            "busy",
        ])
        .ok();
    let mut words = stats.split(' ');
    assert_eq!(
        (words.next(), words.next()),
        (Some("busy"), Some("2")),
        "{stats}"
    );
    assert_ne!(words.next(), Some("0B"), "{stats}");
}

#[test]
fn update_changes_a_running_container() {
    let engine = Engine::with_busybox();
    idle(&engine, "small");
    engine
        .docker(&[
            "update",
            "-m",
            "32m",
            "--memory-swap",
            "32m",
            "--restart",
            "always",
            "small",
        ])
        .ok();
    assert_eq!(
        field(
            &engine,
            "small",
            "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}"
        ),
        "33554432 always"
    );
    let script =
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null";
    assert_eq!(
        engine.docker(&["exec", "small", "sh", "-c", script]).out(),
        "33554432"
    );
}

#[test]
fn prune_takes_what_is_stopped() {
    let engine = Engine::with_busybox();
    idle(&engine, "stays");
    let goes = engine.docker(&["create", "busybox"]).ok();
    let said = engine.docker(&["container", "prune", "-f"]).ok();
    assert!(
        said.contains(&goes) && said.contains("Total reclaimed space"),
        "{said}"
    );
    assert_eq!(
        engine.docker(&["ps", "-a", "--format", "{{.Names}}"]).ok(),
        "stays"
    );
}
