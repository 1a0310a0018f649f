//! `docker logs`: what was written, in order, as much of it as is wanted.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use dhow_testkit::Engine;

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
