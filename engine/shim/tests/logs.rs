//! What is written to the log, and how its files turn over.

use std::path::{Path, PathBuf};

use dhow_runtime::protocol::LogDriver;

use crate::fixture::{Plan, wait_until};

#[test]
fn lines_are_objects_in_docker_s_form() {
    let (_, container) = Plan::script("printf 'a\\tb\\n\\nno newline'")
        .with(|plan| {
            let attrs = [("tag".to_owned(), "t".to_owned())];
            plan.config.log.attrs = attrs.into();
        })
        .run();
    let text = std::fs::read_to_string(&container.config.log.path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let start = r#"{"log":"a\u0009b\n","stream":"stdout","attrs":{"tag":"t"},"time":"20"#;
    assert!(lines[0].starts_with(start), "{}", lines[0]);
    assert!(lines[0].ends_with("Z\"}"), "{}", lines[0]);
    let texts: Vec<_> = container.log().iter().map(|e| e["log"].clone()).collect();
    assert_eq!(texts, ["a\tb\n", "\n", "no newline"]);
}

#[test]
fn long_lines_are_cut_into_pieces() {
    let script = "head -c 40000 /dev/zero | tr '\\0' x; echo; echo short";
    let (_, container) = Plan::script(script).run();
    let lengths: Vec<_> = container
        .log()
        .iter()
        .map(|entry| entry["log"].as_str().unwrap().len())
        .collect();
    assert_eq!(lengths, [16384, 16384, 40000 - 2 * 16384 + 1, 6]);
}

fn rotated(path: &Path, extension: &str) -> PathBuf {
    format!("{}{extension}", path.display()).into()
}

#[test]
fn files_turn_over_and_old_ones_go() {
    let (_, mut container) = Plan::script("seq -w 1 1000")
        .with(|plan| {
            plan.config.log.max_size = Some(10_000);
            plan.config.log.max_file = 3;
        })
        .run();
    container.gone();
    let path = &container.config.log.path;
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let newest = read(path.clone());
    assert!(newest.ends_with("\n") && newest.contains("\"1000\\n\""));
    let before = read(rotated(path, ".1"));
    assert!((10_000..10_100).contains(&before.len()), "{}", before.len());
    let number = |line: &str| line[8..12].parse::<u32>().unwrap();
    let all = read(rotated(path, ".2")) + &before + &newest;
    let numbers: Vec<u32> = all.lines().map(number).collect();
    let expected: Vec<u32> = (numbers[0]..=1000).collect();
    assert_eq!(numbers, expected);
    assert!(!rotated(path, ".3").exists());
}

#[test]
fn old_files_are_compressed_where_that_is_asked() {
    let (_, container) = Plan::script("seq -w 1 1000")
        .with(|plan| {
            plan.config.log.max_size = Some(30_000);
            plan.config.log.max_file = 5;
            plan.config.log.compress = true;
        })
        .run();
    let path = &container.config.log.path;
    let first = rotated(path, ".1.gz");
    wait_until("the file is compressed", || {
        (first.exists() && !rotated(path, ".1").exists()).then_some(())
    });
    assert!(rotated(path, ".2.gz").exists());
    let text = std::process::Command::new("zcat")
        .arg(first)
        .output()
        .unwrap();
    assert!(text.stdout.starts_with(b"{\"log\":"));
}

#[test]
fn with_one_file_it_is_emptied() {
    let (_, container) = Plan::script("seq -w 1 1000")
        .with(|plan| plan.config.log.max_size = Some(10_000))
        .run();
    let log = container.log();
    assert!(log.len() < 200);
    assert_eq!(log.last().unwrap()["log"], "1000\n");
}

#[test]
fn without_a_log_nothing_is_written() {
    let (exit, container) = Plan::script("echo x")
        .with(|plan| plan.config.log.driver = LogDriver::None)
        .run();
    assert_eq!(exit.code, 0);
    assert!(!container.config.log.path.exists());
}

#[test]
fn a_full_disk_costs_lines_but_not_the_container() {
    let (exit, container) = Plan::script("seq 1 100000; exit 6")
        .with(|plan| plan.config.log.path = "/dev/full".into())
        .run();
    assert_eq!(exit.code, 6);
    let state = container.state_file().snapshot;
    assert!(state.log_error.unwrap().contains("No space left"));
    assert!(state.log_bytes_lost > 100_000);
}
