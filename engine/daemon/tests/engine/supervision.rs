//! Containers outlive the daemon: killed, stopped or upgraded, it finds
//! them again, and nothing that happened meanwhile is lost.

use std::io::{Read, Write};
use std::net::TcpStream;

use dhow_testkit::{Engine, until};

use crate::{field, idle};

#[test]
fn a_crash_of_the_daemon_costs_no_container_anything() {
    let mut engine = Engine::with_busybox();
    let script = "mkdir /www; echo up > /www/index.html; httpd -p 80 -h /www; i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done";
    engine
        .docker(&[
            "run",
            "-d",
            "--init",
            "--name",
            "ship",
            "-p",
            "127.0.0.1::80",
            "busybox",
            "sh",
            "-c",
            script,
        ])
        .ok();
    let address = engine.docker(&["port", "ship", "80/tcp"]).ok();
    until("the server is up", || get(&address));
    let before = field(&engine, "ship", "{{.State.Pid}} {{.State.StartedAt}}");

    engine.crash();
    assert!(get(&address).is_some(), "the port works without the daemon");
    std::thread::sleep(std::time::Duration::from_millis(200));
    engine.start_again();

    assert_eq!(
        field(&engine, "ship", "{{.State.Pid}} {{.State.StartedAt}}"),
        before
    );
    assert!(get(&address).is_some());
    assert_eq!(engine.docker(&["exec", "ship", "echo", "hi"]).ok(), "hi");
    let logs = engine.docker(&["logs", "ship"]).ok();
    let numbers: Vec<u32> = logs.lines().map(|line| line.parse().unwrap()).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "a line of the log is lost"
    );
    engine.docker(&["stop", "-t", "5", "ship"]).ok();
    assert!(get(&address).is_none());
}

#[test]
fn what_ended_meanwhile_is_known() {
    let mut engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "ends",
            "busybox",
            "sh",
            "-c",
            "sleep 0.5; echo last words; exit 17",
        ])
        .ok();
    engine
        .docker(&[
            "run", "-d", "--rm", "--name", "vanishes", "busybox", "sleep", "0.5",
        ])
        .ok();
    engine.crash();
    let pids = engine.processes();
    until("the containers have ended", || {
        engine.processes().is_empty().then_some(())
    });
    assert!(!pids.is_empty(), "the shims outlived the daemon");
    engine.start_again();
    assert_eq!(
        field(&engine, "ends", "{{.State.Status}} {{.State.ExitCode}}"),
        "exited 17"
    );
    assert_eq!(engine.docker(&["logs", "ends"]).ok(), "last words");
    until("--rm is kept to", || {
        (engine.docker(&["inspect", "vanishes"]).code != 0).then_some(())
    });
}

#[test]
fn restart_policies_work_without_a_daemon() {
    let mut engine = Engine::with_busybox();
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
            "echo again; sleep 0.1",
        ])
        .ok();
    engine.crash();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    engine.start_again();
    let count = || -> u32 { field(&engine, "ever", "{{.RestartCount}}").parse().unwrap() };
    let before = count();
    assert!(before >= 2, "it was restarted {before} times");
    until("it is counted on", || (count() > before).then_some(()));
    engine.docker(&["rm", "-f", "ever"]).ok();
}

#[test]
fn a_killed_shim_takes_its_container_along() {
    let mut engine = Engine::with_busybox();
    let run = |name: &str, policy: &str| {
        let words = ["run", "-d", "--name", name, "--restart", policy];
        let words = [&words[..], &["busybox", "sleep", "100000"]].concat();
        engine.docker(&words).ok();
    };
    run("mortal", "no");
    run("failing", "on-failure");
    let before = pid(&engine, "failing");
    for name in ["mortal", "failing"] {
        kill_shim(&engine, name);
    }
    let status = "{{.State.Status}} {{.State.ExitCode}}";
    until("its end is known", || {
        (field(&engine, "mortal", status) == "exited 137").then_some(())
    });
    until("a policy starts it again", || {
        // In one answer: it may be found dead between two.
        let seen = field(&engine, "failing", "{{.State.Status}} {{.State.Pid}}");
        let again = seen.strip_prefix("running ")? != before.to_string();
        again.then_some(())
    });
    assert!(!runs(before), "nobody watches the old one");
    let count = || field(&engine, "failing", "{{.RestartCount}}");
    assert_eq!(count(), "1", "that was a restart");
    kill_shim(&engine, "failing");
    until("it is counted on", || (count() == "2").then_some(()));

    let before = pid(&engine, "failing");
    let shim = parent(before);
    engine.crash();
    kill(shim);
    engine.start_again();
    until("the daemon that comes next does the same", || {
        // In one answer: it may be found dead between two.
        let seen = field(&engine, "failing", "{{.State.Status}} {{.State.Pid}}");
        let again = seen.strip_prefix("running ")? != before.to_string();
        again.then_some(())
    });
    assert!(!runs(before), "nobody watches the old one");
}

#[test]
fn who_was_stopped_by_hand_is_remembered() {
    let mut engine = Engine::with_busybox();
    for (name, policy) in [
        ("stopped", "unless-stopped"),
        ("killed", "unless-stopped"),
        ("always", "always"),
        ("failing", "on-failure"),
    ] {
        let words = ["run", "-d", "--name", name, "--restart", policy];
        let words = [&words[..], &["busybox", "sleep", "100000"]].concat();
        engine.docker(&words).ok();
    }
    for name in ["stopped", "always", "failing"] {
        engine.docker(&["stop", "-t", "0", name]).ok();
    }
    engine.docker(&["kill", "killed"]).ok();
    engine.crash();
    engine.start_again();
    until("always means always", || {
        (field(&engine, "always", "{{.State.Status}}") == "running").then_some(())
    });
    for name in ["stopped", "killed", "failing"] {
        assert_eq!(
            field(&engine, name, "{{.State.Status}}"),
            "exited",
            "{name}"
        );
    }
}

#[test]
fn a_signal_by_hand_means_to_policies_what_it_means_to_dockers() {
    let engine = Engine::with_busybox();
    let run = |name: &str, policy: &str, options: &[&str]| {
        let script = "trap 'exit 7' HUP; echo ready; while :; do sleep 0.05; done";
        let words = ["run", "-d", "--name", name, "--restart", policy];
        let program = ["busybox", "sh", "-c", script];
        engine
            .docker(&[&words[..], options, &program].concat())
            .ok();
        until("the trap is set", || {
            let logs = engine.docker(&["logs", name]).out();
            logs.contains("ready").then_some(())
        });
    };
    // Without a stop signal of its own, any signal is a wish that it ends.
    run("plain", "always", &[]);
    // With one, only that and SIGKILL are; but any is for `unless-stopped`.
    let own = ["--stop-signal", "TERM"];
    run("ever", "always", &own);
    run("failing", "on-failure", &own);
    run("unless", "unless-stopped", &own);
    let ended = "exited 7 0";
    for name in ["plain", "ever", "failing", "unless"] {
        engine.docker(&["kill", "-s", "HUP", name]).ok();
    }
    let state = "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}";
    for name in ["plain", "unless"] {
        until("it stays ended", || {
            (field(&engine, name, state) == ended).then_some(())
        });
    }
    for name in ["ever", "failing"] {
        until("it is started again", || {
            (field(&engine, name, state) == "running 0 1").then_some(())
        });
    }
    // Started by hand, it counts from the beginning.
    engine.docker(&["restart", "-t", "0", "ever"]).ok();
    assert_eq!(field(&engine, "ever", state), "running 0 0");
}

#[test]
fn an_orderly_stop_leaves_containers_running_too() {
    let mut engine = Engine::with_busybox();
    idle(&engine, "stays");
    let before = field(&engine, "stays", "{{.State.Pid}}");
    assert!(engine.stop().success());
    assert!(!engine.socket().exists(), "the socket goes with the daemon");
    engine.start_again();
    assert_eq!(field(&engine, "stays", "{{.State.Pid}}"), before);
}

#[test]
fn killed_in_the_middle_of_starts_it_comes_back_clean() {
    let mut engine = Engine::with_busybox();
    for round in 0..3 {
        let mut starts: Vec<_> = (0..4)
            .map(|index| {
                let name = format!("c{round}-{index}");
                engine
                    .docker_command(&["run", "-d", "--name", &name, "busybox", "sleep", "100000"])
                    .spawn()
                    .unwrap()
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(30 + 40 * round));
        engine.crash();
        for start in &mut starts {
            let _ = start.wait();
        }
        engine.start_again();
        let names = engine.docker(&["ps", "-aq"]).ok();
        let mut remove = vec!["rm", "-f"];
        remove.extend(names.lines());
        if !names.is_empty() {
            engine.docker(&remove).ok();
        }
        assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "");
        until("every shim is gone", || {
            (engine.processes().len() <= 1).then_some(())
        });
    }
}

#[test]
fn what_cannot_be_read_is_kept_and_what_is_nobodys_goes() {
    let mut engine = Engine::with_busybox();
    let words = [
        "run",
        "--name",
        "odd",
        "--mount",
        "type=image,src=busybox,dst=/i",
    ];
    let program = ["busybox", "sh", "-c", "echo cargo > /file"];
    let database = |engine: &Engine, name: &str| {
        rusqlite::Connection::open(engine.data_root().join(name)).unwrap()
    };
    engine.docker(&[&words[..], &program].concat()).ok();
    assert!(engine.stop().success());
    let records = |sql: &str, engine: &Engine| {
        database(engine, "engine.db").execute(sql, []).unwrap();
    };
    // As a newer daemon may have written it; and what one that was killed
    // while it made a container had done by then.
    records("UPDATE container SET record = '{' || record", &engine);
    let pins = |engine: &Engine| -> u32 {
        let count = "SELECT count(DISTINCT owner) FROM pins";
        let images = database(engine, "image/images.db");
        images.query_row(count, [], |row| row.get(0)).unwrap()
    };
    let nobody = "INSERT INTO pins SELECT replace(owner, substr(owner, 1, 8), 'cafecafe'), \
                  position, diff_id, chain_id FROM pins";
    database(&engine, "image/images.db")
        .execute(nobody, [])
        .unwrap();
    assert_eq!(pins(&engine), 4);
    engine.start_again();
    assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "");
    assert_eq!(pins(&engine), 2, "only what is nobody's goes");
    assert!(engine.stop().success());
    records("UPDATE container SET record = substr(record, 2)", &engine);
    engine.start_again();
    let copied = engine.scratch().join("copied");
    let to = copied.display().to_string();
    engine.docker(&["cp", "odd:/file", &to]).ok();
    assert_eq!(std::fs::read_to_string(copied).unwrap(), "cargo\n");
    engine.docker(&["start", "-a", "odd"]).ok();
}

#[test]
fn engines_live_side_by_side() {
    let (one, two) = (Engine::with_busybox(), Engine::with_busybox());
    idle(&one, "same-name");
    idle(&two, "same-name");
    assert_ne!(
        field(&one, "same-name", "{{.Id}}"),
        field(&two, "same-name", "{{.Id}}")
    );
    one.docker(&["rm", "-f", "same-name"]).ok();
    assert_eq!(
        two.docker(&["exec", "same-name", "echo", "untouched"]).ok(),
        "untouched"
    );
}

#[test]
fn nothing_is_mounted_on_the_host_and_nothing_is_left() {
    let engine = Engine::with_busybox();
    idle(&engine, "box");
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let data = engine.data_root().display().to_string();
    assert!(
        !mounts().contains(&data),
        "a mount of the engine shows on the host"
    );
    engine.docker(&["rm", "-f", "box"]).ok();
    until("the shim is gone", || {
        (engine.processes().len() == 1).then_some(())
    });
    let containers = std::fs::read_dir(engine.data_root().join("containers"))
        .unwrap()
        .count();
    assert_eq!(containers, 0);
}

fn pid(engine: &Engine, name: &str) -> i32 {
    field(engine, name, "{{.State.Pid}}").parse().unwrap()
}

fn kill_shim(engine: &Engine, name: &str) {
    kill(parent(pid(engine, name)));
}

fn parent(pid: i32) -> i32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    parent.unwrap().trim().parse().unwrap()
}

fn kill(pid: i32) {
    let pid = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL).unwrap();
}

/// Whether the process is alive; one that only waits to be buried by the
/// computer's init is not.
fn runs(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    state.is_some_and(|state| !state.trim().starts_with(['Z', 'X']))
}

fn get(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(5)))
        .ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.ends_with("up\n").then_some(answer)
}
