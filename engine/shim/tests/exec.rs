//! Further processes in a running container.

use std::io::Write;
use std::net::Shutdown;

use dhow_runtime::protocol::{Answer, EventKind, FailureKind, Request};

use crate::fixture::{Container, Plan, demultiplex, script};

fn sleeper() -> Container {
    Plan::command(&["sleep", "1000"]).start()
}

#[test]
fn an_exec_is_in_the_container_and_its_end_is_known() {
    let mut container = sleeper();
    let (id, client) = container
        .exec(
            script("hostname; cat /proc/1/comm; echo err >&2; exit 5"),
            false,
        )
        .unwrap();
    let (out, err) = demultiplex(client);
    assert_eq!((out.as_str(), err.as_str()), ("box\nsleep\n", "err\n"));
    assert_eq!(container.exec_exit(&id), 5);
    let execs = container.state().execs;
    assert_eq!((&execs[0].id, execs[0].exit_code), (&id, Some(5)));
    // An exec's output is not the container's.
    assert_eq!(container.log().len(), 0);
}

#[test]
fn an_exec_takes_input_to_its_end() {
    let mut container = sleeper();
    let (id, mut client) = container.exec(script("cat; echo end"), true).unwrap();
    client.write_all(b"hello\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(demultiplex(client).0, "hello\nend\n");
    assert_eq!(container.exec_exit(&id), 0);
}

#[test]
fn an_exec_is_confined_like_the_container() {
    let mut container = sleeper();
    let status = "grep -E '^(CapEff|CapBnd|Seccomp|NoNewPrivs):' /proc/self/status; \
                  grep -c dhow-test /proc/self/cgroup; cat /proc/self/oom_score_adj";
    let same = "sed -n 's/^\\(CapEff\\|CapBnd\\|Seccomp\\|NoNewPrivs\\):/&/p' /proc/1/status";
    let (_, client) = container.exec(script(same), false).unwrap();
    let (of_init, _) = demultiplex(client);
    let (_, client) = container.exec(script(status), false).unwrap();
    let (of_exec, _) = demultiplex(client);
    assert!(of_init.contains("Seccomp:\t2"), "{of_init}");
    assert!(of_exec.starts_with(&of_init), "{of_init}\n{of_exec}");

    // What the filter forbids fails, for all that root can do here.
    let (id, client) = container.exec(script("unshare -U true"), false).unwrap();
    demultiplex(client);
    assert_ne!(container.exec_exit(&id), 0);
}

#[test]
fn an_exec_is_who_and_where_it_was_told() {
    let mut container = sleeper();
    let mut plan = script("id -u; id -g; id -G; pwd; echo $HOME");
    plan.user.uid = 1000;
    plan.user.gid = 1000;
    plan.user.groups = vec![20];
    plan.cwd = "/tmp".to_owned();
    let (_, client) = container.exec(plan, false).unwrap();
    let (out, _) = demultiplex(client);
    assert_eq!(out, "1000\n1000\n1000 20\n/tmp\n/home/user\n");
}

#[test]
fn execs_that_cannot_be_run_are_told_apart() {
    let mut container = sleeper();
    let mut check = |argument: &str, cwd: &str, kind, message: &str| {
        let mut plan = script("");
        plan.args = vec![argument.to_owned()];
        plan.cwd = cwd.to_owned();
        let failure = container.exec(plan, false).unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
    };
    check(
        "nonesuch",
        "/",
        FailureKind::NotFound,
        "exec: \"nonesuch\": executable file not found in $PATH",
    );
    check(
        "/etc/noexec",
        "/",
        FailureKind::NotExecutable,
        "exec: \"/etc/noexec\": permission denied",
    );
    check(
        "true",
        "/none",
        FailureKind::Other,
        "chdir to cwd (\"/none\") set in config.json failed: no such file or directory",
    );
    let (_, client) = container.exec(script("echo still fine"), false).unwrap();
    assert_eq!(demultiplex(client).0, "still fine\n");
}

#[test]
fn an_exec_without_client_runs_and_is_killed() {
    let mut container = sleeper();
    let (id, exec) = container.exec_request(script("yes; sleep 1000"), false, None);
    let answer = container.client.call(exec, None).unwrap();
    assert!(matches!(answer, Answer::Started { .. }));
    container.ask(Request::KillExec {
        exec: id.clone(),
        signal: libc::SIGTERM,
    });
    assert_eq!(container.exec_exit(&id), 143);
}

#[test]
fn execs_end_with_the_container() {
    let mut container = sleeper();
    let (id, client) = container.exec(script("sleep 1000"), false).unwrap();
    container.kill(libc::SIGKILL);
    assert_eq!(container.exec_exit(&id), 137);
    demultiplex(client);
    container.exit();
    container.gone();
}

#[test]
fn what_an_exec_leaves_running_does_not_keep_its_client() {
    let mut container = sleeper();
    let (id, client) = container
        .exec(script("sleep 1000 & echo x"), false)
        .unwrap();
    assert_eq!(container.exec_exit(&id), 0);
    assert_eq!(demultiplex(client).0, "x\n");
}

#[test]
fn there_is_no_exec_in_a_container_that_does_not_run() {
    let mut container = sleeper();
    container.ask(Request::Pause);
    let failure = container.exec(script("true"), false).unwrap_err();
    assert_eq!(failure.message, "the container is paused");
    container.ask(Request::Resume);
    container.event(|event| matches!(event, EventKind::Resumed).then_some(()));
    assert!(container.exec(script("true"), false).is_ok());
}

#[test]
fn an_exec_cannot_leave_by_a_descriptor() {
    let mut container = sleeper();
    for number in 3..30 {
        let mut plan = script("true");
        plan.cwd = format!("/proc/self/fd/{number}");
        assert!(container.exec(plan, false).is_err(), "descriptor {number}");
    }
}
