//! Limits, being killed for want of memory, freezing.

use dhow_runtime::protocol::{Answer, EventKind, FailureKind, Phase, Request};
use dhow_runtime::spec::resources::Resources;

use crate::fixture::Plan;

#[test]
fn a_container_that_eats_its_memory_is_killed_and_that_is_told() {
    let (exit, mut container) = Plan::script("exec tail -c 100000000 /dev/zero")
        .with(|plan| plan.spec.resources.memory = 16 << 20)
        .run();
    assert_eq!((exit.code, exit.oom_killed), (137, true));
    let peak = exit
        .memory_peak
        .expect("every kernel that we test on keeps it");
    assert!((8 << 20..=16 << 20).contains(&peak), "{peak}");
    container.gone();
    let journal = container.state_file().journal;
    assert!(journal.iter().any(|event| event.kind == EventKind::Oom));
}

#[test]
fn a_kill_among_others_is_told_while_the_container_goes_on() {
    let script = "(tail -c 100000000 /dev/zero); echo child $?; read x";
    let mut container = Plan::script(script)
        .stdin(false)
        .with(|plan| plan.spec.resources.memory = 16 << 20)
        .start();
    container.event(|event| matches!(event, EventKind::Oom).then_some(()));
    assert_eq!(container.state().phase, Phase::Running);
    container.kill(libc::SIGKILL);
    assert!(container.exit().oom_killed);
}

#[test]
fn a_paused_container_stands_still() {
    let mut container = Plan::script("while :; do echo x; sleep 0.01; done").start();
    container.ask(Request::Pause);
    assert_eq!(container.state().phase, Phase::Paused);
    let size = std::fs::metadata(&container.config.log.path).unwrap().len();
    std::thread::sleep(std::time::Duration::from_millis(100));
    let after = std::fs::metadata(&container.config.log.path).unwrap().len();
    assert!(after - size < 200, "{} bytes while paused", after - size);
    let failure = container.refused(Request::Pause);
    assert_eq!(failure.kind, FailureKind::Conflict);
    container.ask(Request::Resume);
    container.ask(Request::Pause);
    // A kill gets through.
    container.kill(libc::SIGTERM);
    container.kill(libc::SIGKILL);
    assert_eq!(container.exit().signal, Some(9));
    container.gone();
}

#[test]
fn limits_change_while_it_runs_and_for_the_next_restart() {
    let mut container = Plan::command(&["sleep", "1000"]).start();
    let resources = Resources {
        memory: 32 << 20,
        memory_swap: 32 << 20,
        pids_limit: Some(50),
        ..Resources::default()
    };
    let mut oci = resources.to_oci(Vec::new(), false);
    oci.set_devices(None);
    let update = |resources| Request::Update {
        restart: None,
        resources: Some(Box::new(resources)),
    };
    container.ask(update(oci.clone()));
    let stats = container.cgroup.stats();
    assert_eq!(stats.memory.limit, Some(32 << 20));
    assert_eq!(stats.pids.limit, Some(50));
    let spec = std::fs::read_to_string(container.run_dir.join("config.json")).unwrap();
    assert!(spec.contains("33554432"));

    let mut cpu = oci_spec::runtime::LinuxCpu::default();
    cpu.set_cpus(Some("4711".to_owned()));
    oci.set_cpu(Some(cpu));
    let failure = container.refused(update(oci));
    assert_eq!(failure.kind, FailureKind::Unsupported);
    assert!(
        failure.message.contains("cpuset.cpus"),
        "{}",
        failure.message
    );
}

#[test]
fn a_ulimit_this_host_cannot_give_is_refused_by_name() {
    let mut container = Plan::command(&["true"])
        .with(|plan| {
            plan.spec.process.ulimits = vec![dhow_runtime::spec::limits::Ulimit {
                name: "nofile".to_owned(),
                soft: 1 << 30,
                hard: 1 << 30,
            }];
        })
        .launch();
    match container.client.call(Request::Start, None).unwrap() {
        Answer::Failed(failure) => {
            assert_eq!(failure.kind, FailureKind::Unsupported);
            assert!(failure.message.starts_with("ulimit nofile=1073741824"));
        }
        // A host that lets us.
        answer => assert!(matches!(answer, Answer::Started { .. })),
    }
}
