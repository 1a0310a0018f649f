//! `docker logs`: what was written, in order, as much of it as is wanted.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use dhow_testkit::{Engine, until};

use crate::idle;

fn written(engine: &Engine, name: &str, script: &str) {
    engine.docker(&["run", "--name", name, "busybox", "sh", "-c", script]);
}

#[test]
fn both_streams_are_kept_and_told_apart() {
    let engine = Engine::with_busybox();
    written(&engine, "talk", "echo one; echo two >&2; echo three");
    let outcome = engine.docker(&["logs", "talk"]);
    assert_eq!(
        (outcome.out().as_str(), outcome.err().as_str()),
        ("one\nthree", "two"),
        "{outcome}"
    );
}

#[test]
fn the_tail_and_times_are_as_asked() {
    let engine = Engine::with_busybox();
    written(&engine, "count", "seq 1 100");
    let logs = |flags: &[&str]| engine.docker(&[&["logs"], flags, &["count"]].concat()).ok();
    assert_eq!(logs(&[]).lines().count(), 100);
    assert_eq!(logs(&["--tail", "3"]), "98\n99\n100");
    assert_eq!(logs(&["--tail", "0"]), "");
    let stamped = logs(&["-t", "--tail", "1"]);
    let (time, text) = stamped.split_once(' ').unwrap();
    assert_eq!(text, "100");
    assert!(
        time.len() >= 24 && time.ends_with('Z') && time.contains('T'),
        "{time}"
    );
    assert_eq!(logs(&["--since", "2100-01-01T00:00:00Z"]), "");
    assert_eq!(logs(&["--until", "2001-01-01T00:00:00Z"]), "");
    assert_eq!(
        logs(&["--since", "2001-01-01T00:00:00Z"]).lines().count(),
        100
    );
}

#[test]
fn following_ends_with_the_container() {
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
            "echo first; cat",
        ])
        .ok();
    engine.docker(&["start", "slow"]).ok();
    let mut follow = engine
        .docker_command(&["logs", "-f", "slow"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("first"));
    engine
        .docker_fed(&["attach", "slow"], b"second\nwithout newline")
        .ok();
    assert_eq!(lines.next().as_deref(), Some("second"));
    assert_eq!(lines.next().as_deref(), Some("without newline"));
    assert_eq!(lines.next(), None);
    assert!(follow.wait().unwrap().success());
}

#[test]
fn long_lines_and_odd_bytes_survive() {
    let engine = Engine::with_busybox();
    written(
        &engine,
        "odd",
        "head -c 100000 /dev/zero | tr '\\0' x; echo; printf 'a\\377b\\000c\\n\\342\\233\\265\\n'",
    );
    let outcome = engine.docker(&["logs", "odd"]);
    let lines: Vec<&[u8]> = outcome.stdout.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines[0].len(), 100_000);
    // Docker's own file is JSON, where a stray byte becomes U+FFFD.
    assert!(
        lines[1] == b"a\xffb\0c" || lines[1] == "a\u{fffd}b\0c".as_bytes(),
        "{:?}",
        lines[1]
    );
    assert_eq!(lines[2], "⛵".as_bytes());
}

#[test]
fn a_hundred_thousand_lines_keep_their_order() {
    let engine = Engine::with_busybox();
    written(&engine, "many", "seq 1 100000");
    let text = engine.docker(&["logs", "many"]).ok();
    assert!(
        text.lines()
            .enumerate()
            .all(|(index, line)| line == (index + 1).to_string())
    );
    assert_eq!(text.lines().count(), 100_000);
}

#[test]
fn files_are_rotated_and_read_as_one() {
    let engine = Engine::with_busybox();
    let script = "seq 1 20000";
    engine.docker(&[
        "run",
        "--name",
        "rotated",
        "--log-opt",
        "max-size=200k",
        "--log-opt",
        "max-file=3",
        "busybox",
        "sh",
        "-c",
        script,
    ]);
    let text = engine.docker(&["logs", "rotated"]).ok();
    let numbers: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(numbers.last(), Some(&20_000));
    assert!(
        numbers.len() > 4000 && numbers.len() < 20_000,
        "{} lines are left",
        numbers.len()
    );
    assert!(
        numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "no line is missing in between"
    );
}

#[test]
fn other_drivers_do_as_they_say() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "--name",
            "local",
            "--log-driver",
            "local",
            "busybox",
            "echo",
            "kept",
        ])
        .ok();
    assert_eq!(engine.docker(&["logs", "local"]).ok(), "kept");
    engine
        .docker(&[
            "run",
            "--name",
            "none",
            "--log-driver",
            "none",
            "busybox",
            "echo",
            "lost",
        ])
        .ok();
    let refused = engine.docker(&["logs", "none"]).fails(1);
    assert!(
        refused.contains("configured logging driver does not support reading"),
        "{refused}"
    );
    let unknown = engine
        .docker(&["run", "--log-driver", "carrier-pigeon", "busybox", "true"])
        .fails(125);
    assert!(unknown.contains("carrier-pigeon"), "{unknown}");
}

#[test]
fn programs_of_exec_do_not_log() {
    let engine = Engine::with_busybox();
    idle(&engine, "quiet");
    engine.docker(&["exec", "quiet", "echo", "aside"]).ok();
    assert_eq!(engine.docker(&["logs", "quiet"]).ok(), "");
}

#[test]
fn following_misses_and_repeats_nothing_when_files_turn_over() {
    let engine = Engine::with_busybox();
    for (driver, compress) in [
        ("json-file", "false"),
        ("json-file", "true"),
        ("local", "true"),
    ] {
        let name = format!("{driver}-{compress}");
        let script = "read go; seq 1 30000; sleep 0.2; seq 30001 40000";
        let options = ["--log-opt", "max-size=500k", "--log-opt", "max-file=20"];
        let compress = format!("compress={compress}");
        let create = ["create", "-i", "--name", &name, "--log-driver", driver];
        let rest = ["--log-opt", &compress, "busybox", "sh", "-c", script];
        engine.docker(&[&create[..], &options, &rest].concat()).ok();
        engine.docker(&["start", &name]).ok();
        let follow = engine
            .docker_command(&["logs", "-f", &name])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        engine.docker_fed(&["attach", &name], b"go\n").ok();
        let output = follow.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let wrong = (1..=40_000)
            .map(|number| number.to_string())
            .zip(text.lines())
            .find(|(expected, line)| expected != line);
        assert_eq!(wrong, None, "{name}");
        assert_eq!(text.lines().count(), 40_000, "{name}");
    }
}

#[test]
fn a_single_file_that_turns_over_can_be_followed() {
    let engine = Engine::with_busybox();
    let script = "while read number; do seq $number 1000 $((number + 999000)); done";
    engine
        .docker(&[
            "create",
            "-i",
            "--name",
            "single",
            "--log-opt",
            "max-size=100k",
            "busybox",
            "sh",
            "-c",
            script,
        ])
        .ok();
    engine.docker(&["start", "single"]).ok();
    let spawn = |arguments: &[&str]| {
        let mut command = engine.docker_command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut follow = spawn(&["logs", "-f", "single"]);
    let mut lines = BufReader::new(follow.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut attached = spawn(&["attach", "single"]);
    let mut input = attached.stdin.take().unwrap();
    let mut output = attached.stdout.take().unwrap();
    let drained = std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    // Each batch turns the file over about once, and waits for its reader.
    for batch in 1..=10 {
        writeln!(input, "{batch}").unwrap();
        for index in 0..1000 {
            let expected = (batch + index * 1000).to_string();
            assert_eq!(lines.next(), Some(expected), "batch {batch}");
        }
    }
    drop(input);
    assert_eq!(lines.next(), None);
    assert!(follow.wait().unwrap().success());
    assert!(attached.wait().unwrap().success());
    drained.join().unwrap().unwrap();
}

#[test]
fn every_run_is_kept_and_a_followed_one_ends_with_itself() {
    let engine = Engine::with_busybox();
    engine.docker(&[
        "run",
        "--name",
        "again",
        "--restart=on-failure:2",
        "busybox",
        "sh",
        "-c",
        "echo run; exit 1",
    ]);
    // Waiting for it would end with the first of its runs.
    until("its policy gives up", || {
        (crate::field(&engine, "again", "{{.State.Status}}") == "exited").then_some(())
    });
    assert_eq!(
        engine.docker(&["logs", "-f", "again"]).ok(),
        "run\nrun\nrun"
    );
    engine.docker(&["start", "-a", "again"]).fails(1);
    // Waiting for it would end with the first of its runs.
    until("its policy gives up", || {
        (crate::field(&engine, "again", "{{.State.Status}}") == "exited").then_some(())
    });
    let text = engine.docker(&["logs", "--tail", "5", "again"]).ok();
    assert_eq!(text, "run\nrun\nrun\nrun\nrun");

    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "idle",
            "busybox",
            "sh",
            "-c",
            "echo up; sleep 1000",
        ])
        .ok();
    for ending in [&["restart", "-t0", "idle"][..], &["rm", "-f", "idle"]] {
        let mut follow = engine
            .docker_command(&["logs", "-f", "--tail", "1", "idle"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(follow.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        assert_eq!(lines.next().as_deref(), Some("up"));
        engine.docker(ending).ok();
        let rest: Vec<String> = lines.collect();
        assert_eq!(rest, [""; 0], "{ending:?}");
        assert!(follow.wait().unwrap().success(), "{ending:?}");
    }
}

#[test]
fn following_may_have_an_end_of_its_own() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "ticks",
            "busybox",
            "sh",
            "-c",
            "while echo tick; do sleep 0.2; done",
        ])
        .ok();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let until = now.as_secs() + 2;
    let target = format!("/containers/ticks/logs?follow=1&stdout=1&until={until}");
    let ticks = engine.get(&target).text().matches("tick").count();
    assert!((4..=20).contains(&ticks), "{ticks} ticks");
    engine.docker(&["kill", "ticks"]).ok();
}

#[test]
fn a_terminal_s_log_is_raw() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "-t",
            "--name",
            "tty",
            "busybox",
            "sh",
            "-c",
            "echo out; echo err >&2",
        ])
        .ok();
    engine.docker(&["wait", "tty"]).ok();
    let response = engine.get("/containers/tty/logs?stdout=1&stderr=1");
    assert_eq!(response.text(), "out\r\nerr\r\n");
}

#[test]
fn labels_and_tags_are_shown_where_asked() {
    let engine = Engine::with_busybox();
    engine.docker(&[
        "run",
        "--name",
        "labelled",
        "--label",
        "team=a b",
        "--log-opt",
        "labels=team",
        "--log-opt",
        "tag={{.Name}}",
        "busybox",
        "echo",
        "x",
    ]);
    let shown = engine.docker(&["logs", "--details", "labelled"]).ok();
    assert_eq!(shown, "tag=labelled,team=a+b x");
}

#[test]
fn wrong_questions_are_refused() {
    let engine = Engine::with_busybox();
    written(&engine, "some", "echo some");
    let unknown = engine.get("/containers/nobody/logs?stdout=1");
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("No such container: nobody"));
    let none = engine.get("/containers/some/logs");
    assert_eq!(none.status, 400);
    assert!(none.text().contains("you must choose at least one stream"));
    let late = engine.get("/containers/some/logs?stdout=1&since=yesterday");
    assert_eq!(late.status, 400);
}
