//! Daemons that go, shims that are killed.

use dhow_model::restart::Policy;
use dhow_runtime::protocol::client::Client;
use dhow_runtime::protocol::{EventKind, Phase, Request, SPEC_FILE};

use crate::fixture::{PATIENCE, Plan, wait_until};

#[test]
fn a_container_outlives_its_daemon_which_learns_what_it_missed() {
    let mut container = Plan::script("test -e /tmp/x && exec sleep 1000; touch /tmp/x; exit 3")
        .with(|plan| plan.config.restart = Policy::Always)
        .start();
    let started = container.event(|event| match event {
        EventKind::Started { pid, .. } => Some(*pid),
        _ => None,
    });
    assert!(started > 0);
    // The daemon dies: both ends of what it had are closed.
    let (stream, _) = std::os::unix::net::UnixStream::pair().unwrap();
    container.client = Client::new(stream.try_clone().unwrap());
    container.shim.control = stream;
    wait_until("the restart", || {
        let snapshot = container.state_file().snapshot;
        (snapshot.restart_count == 1 && snapshot.phase == Phase::Running).then_some(())
    });

    let mut daemon = container.connect();
    daemon
        .call(
            Request::Subscribe {
                after: 1,
                probes: false,
            },
            None,
        )
        .unwrap();
    let missed = daemon.event().unwrap();
    assert_eq!(missed.seq, 2);
    assert!(matches!(missed.kind, EventKind::Exited { exit, .. } if exit.code == 3));
    let missed = daemon.event().unwrap();
    assert!(matches!(
        missed.kind,
        EventKind::Started { restarts: 1, .. }
    ));
    container.client = daemon;
    container.kill(libc::SIGKILL);
    container.exit();
    container.gone();
}

#[test]
fn what_a_killed_shim_leaves_is_found_by_its_cgroup() {
    let mut container = Plan::command(&["sleep", "1000"]).start();
    let pid = container.state().pid.unwrap();
    container.shim.process.pidfd.signal(libc::SIGKILL).unwrap();
    container.shim.process.pidfd.wait().unwrap();
    // The container goes on without its parent; whoever finds the state file
    // without a shim behind it ends it so.
    let state = container.state_file().snapshot;
    assert_eq!((state.phase, state.pid), (Phase::Running, Some(pid)));
    assert!(container.cgroup.pids().unwrap().contains(&pid));
    assert!(Client::connect(&container.run_dir).is_err());
    container.cgroup.kill(PATIENCE).unwrap();
    container.cgroup.remove().unwrap();
    assert!(!container.cgroup.exists());
}

#[test]
fn a_container_stopped_by_its_own_signal_is_still_killed() {
    let mut container = Plan::script("kill -STOP $$; sleep 1000").start();
    container.kill(libc::SIGTERM);
    container.kill(libc::SIGKILL);
    assert_eq!(container.exit().signal, Some(9));
    container.gone();
}

#[test]
fn a_shim_told_to_go_ends_its_container_first() {
    let mut container =
        Plan::script("trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done")
            .with(|plan| plan.config.restart = Policy::Always)
            .start();
    wait_until("the trap is set", || {
        (container.logged("stdout") == "ready\n").then_some(())
    });
    container.shim.process.pidfd.signal(libc::SIGTERM).unwrap();
    assert_eq!(container.exit().code, 4);
    container.gone();
    assert!(!container.state_file().snapshot.stopped_by_hand);
}

#[test]
fn a_container_that_closes_its_streams_goes_on() {
    let mut container = Plan::script("echo x; exec sleep 1000 >&- 2>&- <&-").start();
    wait_until("the line", || {
        (container.logged("stdout") == "x\n").then_some(())
    });
    assert_eq!(container.state().phase, Phase::Running);
    container.kill(libc::SIGKILL);
    container.exit();
    container.gone();
}

#[test]
fn a_start_that_fails_after_the_process_is_there_is_told() {
    let mut container = Plan::command(&["sleep", "1000"]).launch();
    // The inner mount is covered by the outer one: what is to be set for it,
    // once the container is made, finds nothing.
    let path = container.run_dir.join(SPEC_FILE);
    let text = std::fs::read(&path).unwrap();
    let mut spec: serde_json::Value = serde_json::from_slice(&text).unwrap();
    spec["linux"]["rootfsPropagation"] = "rslave".into();
    let mount = |place: &str| {
        serde_json::json!({
            "destination": place, "type": "tmpfs", "source": "tmpfs", "options": ["rslave"],
        })
    };
    let mounts = spec["mounts"].as_array_mut().unwrap();
    mounts.extend(["/covered/inside", "/covered"].map(mount));
    std::fs::write(&path, spec.to_string()).unwrap();
    let failure = container.start().unwrap_err();
    assert!(failure.message.contains("propagation"), "{failure:?}");
    container.gone();
}
