use std::collections::BTreeMap;

use dhow_runtime::protocol::{FailureKind, LogConfig, LogDriver, Rootfs, Stdio, Stop};

use super::*;

fn config(restart: restart::Policy) -> ShimConfig {
    ShimConfig {
        id: "0".repeat(64).replace('0', "a").parse().unwrap(),
        rootfs: Rootfs::Directory("/".into()),
        cgroup: "/x".to_owned(),
        log: LogConfig {
            driver: LogDriver::None,
            path: "/".into(),
            max_size: None,
            max_file: 1,
            compress: false,
            attrs: BTreeMap::new(),
        },
        stdio: Stdio::default(),
        restart,
        restart_count: 0,
        health: None,
        state_file: "/".into(),
        ports: Vec::new(),
        control_fd: None,
        netns_fd: None,
        shared_sources: Vec::new(),
        borrowed_mounts: Vec::new(),
        made_mounts: Vec::new(),
        stop: Stop {
            signal: 15,
            timeout: None,
        },
    }
}

const NOW: Timestamp = Timestamp::from_secs(1000);

#[test]
fn a_crash_is_restarted_and_counted() {
    let mut life = Life::new(&config(restart::Policy::OnFailure(1)), None, 1);
    life.started(NOW, 7);
    let next = life.exited(NOW, Ended::Code(3));
    assert!(matches!(next, Next::Restart(_)));
    assert_eq!(life.phase(), Phase::Restarting);
    life.started(NOW, 8);
    assert_eq!(life.snapshot().restart_count, 1);
    assert_eq!(life.exited(NOW, Ended::Signal(9)), Next::Leave);
    assert_eq!(life.phase(), Phase::Exited);
    assert_eq!(life.snapshot().exit.unwrap().code, 137);
    let seqs: Vec<u64> = life.take_fresh().iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
}

#[test]
fn a_stop_by_hand_is_final_even_while_waiting() {
    let mut life = Life::new(&config(restart::Policy::Always), None, 1);
    life.started(NOW, 7);
    assert!(matches!(life.exited(NOW, Ended::Code(0)), Next::Restart(_)));
    life.stop_by_hand();
    life.cancel_restart(NOW);
    assert_eq!(life.phase(), Phase::Exited);
    let last = life.take_fresh().pop().unwrap();
    assert!(matches!(
        last.kind,
        EventKind::Exited {
            restart_in: None,
            ..
        }
    ));
}

#[test]
fn only_a_restart_that_fails_is_tried_again() {
    let failure = Failure::new(FailureKind::NotFound, "x");
    let mut life = Life::new(&config(restart::Policy::Always), None, 1);
    assert_eq!(life.start_failed(NOW, failure.clone()), Next::Leave);
    let mut life = Life::new(&config(restart::Policy::Always), None, 1);
    life.started(NOW, 7);
    life.exited(NOW, Ended::Code(0));
    assert!(matches!(life.start_failed(NOW, failure), Next::Restart(_)));
    assert_eq!(life.snapshot().restart_count, 2);
}

#[test]
fn numbers_go_on_over_shims_and_the_journal_is_bounded() {
    let mut life = Life::new(&config(restart::Policy::No), None, 1);
    for _ in 0..JOURNAL_LEN {
        life.oom_killed(NOW);
    }
    life.paused(NOW);
    let left = life.state_file();
    assert_eq!(left.journal.len(), JOURNAL_LEN);
    let mut life = Life::new(&config(restart::Policy::No), Some(left), 2);
    life.started(NOW, 9);
    let seq = life.snapshot().seq;
    assert_eq!(seq, JOURNAL_LEN as u64 + 2);
    assert_eq!(life.events_after(seq - 2).count(), 2);
}
