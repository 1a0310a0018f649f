//! From start to end: exit codes, signals, failures, restarts.

use std::time::Duration;

use dhow_model::restart::Policy;
use dhow_runtime::protocol::{EventKind, FailureKind, Phase, Request};

use crate::fixture::{Plan, demultiplex, output_only, wait_until};

#[test]
fn a_container_runs_and_its_exit_code_is_known() {
    let (exit, mut container) = Plan::script("echo out; echo err >&2; exit 7").run();
    assert_eq!((exit.code, exit.signal, exit.oom_killed), (7, None, false));
    assert_eq!(container.logged("stdout"), "out\n");
    assert_eq!(container.logged("stderr"), "err\n");
    container.gone();
    let state = container.state_file();
    assert_eq!(state.snapshot.phase, Phase::Exited);
    assert_eq!(state.snapshot.exit, Some(exit));
    assert_eq!((state.snapshot.pid, state.snapshot.shim_pid), (None, None));
    assert!(state.snapshot.started_at < state.snapshot.finished_at);
    assert_eq!(state.journal.len(), 2);
}

#[test]
fn signals_reach_the_first_process() {
    let script = "trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.05; done";
    let mut container = Plan::script(script).launch();
    let client = container.attach(output_only());
    let pid = container.start().unwrap();
    wait_until("the trap is set", || {
        (container.logged("stdout") == "ready\n").then_some(())
    });
    assert!(std::fs::exists(format!("/proc/{pid}")).unwrap());
    container.ask(Request::Kill {
        signal: libc::SIGUSR1,
        by_hand: false,
    });
    assert_eq!(container.exit().code, 3);
    assert_eq!(demultiplex(client).0, "ready\ngot\n");
    container.gone();
}

#[test]
fn a_stop_that_is_ignored_ends_in_sigkill() {
    let script = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    let mut container = Plan::script(script)
        .with(|plan| plan.config.restart = Policy::Always)
        .start();
    wait_until("the trap is set", || {
        (container.logged("stdout") == "ready\n").then_some(())
    });
    container.ask(Request::Stop {
        signal: libc::SIGTERM,
        timeout: Some(Duration::from_millis(200)),
    });
    let exit = container.exit();
    assert_eq!((exit.code, exit.signal), (137, Some(9)));
    container.gone();
    assert!(container.state_file().snapshot.stopped_by_hand);
}

fn check_failure(arguments: &[&str], kind: FailureKind, message: &str) {
    let mut container = Plan::command(arguments).launch();
    let failure = container.start().unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
    container.gone();
    let state = container.state_file().snapshot;
    assert_eq!((state.phase, state.failure), (Phase::Exited, Some(failure)));
}

#[test]
fn programs_that_cannot_be_run_are_told_apart() {
    check_failure(
        &["nonesuch"],
        FailureKind::NotFound,
        "exec: \"nonesuch\": executable file not found in $PATH",
    );
    check_failure(
        &["/none/such"],
        FailureKind::NotFound,
        "exec: \"/none/such\": stat /none/such: no such file or directory",
    );
    check_failure(
        &["/etc/noexec"],
        FailureKind::NotExecutable,
        "exec: \"/etc/noexec\": permission denied",
    );
    check_failure(
        &["/etc"],
        FailureKind::NotExecutable,
        "exec: \"/etc\": is a directory",
    );
}

#[test]
fn the_process_is_what_was_asked_for() {
    let script = "id -u; id -g; id -G; pwd; hostname; echo $HOME $A; echo $$; \
                  tr '\\0' '\\n' </proc/1/environ | head -3";
    let (exit, container) = Plan::script(script)
        .with(|plan| {
            let process = &mut plan.spec.process;
            process.user.uid = 1000;
            process.user.gid = 1000;
            process.user.groups = vec![1000, 20];
            process.cwd = "/new/place".to_owned();
            process.env.push("A=b".to_owned());
        })
        .run();
    assert_eq!(exit.code, 0);
    assert_eq!(
        container.logged("stdout"),
        "1000\n1000\n1000 20\n/new/place\nbox\n/home/user b\n1\n\
         PATH=/bin\nTERM=xterm\nA=b\n"
    );
}

#[test]
fn restarts_follow_the_policy_and_are_counted() {
    let mut container = Plan::script("echo run; exit 3")
        .with(|plan| plan.config.restart = Policy::OnFailure(2))
        .start();
    let mut delays = Vec::new();
    let last = loop {
        let restart = container.event(|event| match event {
            EventKind::Exited { exit, restart_in } => Some((*exit, *restart_in)),
            _ => None,
        });
        match restart {
            (_, Some(delay)) => delays.push(delay.as_millis()),
            (exit, None) => break exit,
        }
    };
    assert_eq!((last.code, delays.as_slice()), (3, &[100, 200][..]));
    container.gone();
    assert_eq!(container.logged("stdout"), "run\nrun\nrun\n");
    assert_eq!(container.state_file().snapshot.restart_count, 2);
}

#[test]
fn a_stop_calls_a_restart_off() {
    let mut container = Plan::script("exit 3")
        .with(|plan| plan.config.restart = Policy::Always)
        .start();
    for _ in 0..3 {
        container.event(|event| matches!(event, EventKind::Exited { .. }).then_some(()));
    }
    // The next wait is long enough to fall into.
    assert_eq!(container.state().phase, Phase::Restarting);
    container.kill(libc::SIGTERM);
    assert_eq!(container.exit().code, 3);
    container.gone();
}

#[test]
fn nothing_is_left_of_a_container_whose_children_go_on() {
    let (exit, mut container) = Plan::script("sleep 1000 & sleep 1000 & exit 0").run();
    assert_eq!(exit.code, 0);
    container.gone();
}

#[test]
fn a_daemon_that_dies_before_the_start_takes_the_shim_along() {
    let mut container = Plan::script("exit 0").launch();
    let (ours, _) = std::os::unix::net::UnixStream::pair().unwrap();
    // Both of the daemon's ends of the connection.
    container.client = dhow_runtime::protocol::client::Client::new(ours.try_clone().unwrap());
    container.shim.control = ours;
    container.gone();
}
