//! Health checks.

use std::time::Duration;

use dhow_model::health::{NOT_RUN, Probe, Status};
use dhow_runtime::protocol::EventKind;

use crate::fixture::Plan;

fn probe(command: &str) -> Probe {
    Probe {
        command: ["sh", "-c", command].map(str::to_owned).to_vec(),
        interval: Duration::from_millis(50),
        timeout: Duration::from_millis(500),
        start_period: Duration::ZERO,
        start_interval: Duration::from_millis(50),
        retries: 2,
    }
}

#[test]
fn health_changes_are_told_with_what_the_probe_said() {
    let check = "test -e /tmp/ok && echo fine || { echo broken; exit 1; }";
    let script = "touch /tmp/ok; sleep 0.5; rm /tmp/ok; exec sleep 1000";
    let mut container = Plan::script(script)
        .with(|plan| plan.config.health = Some(probe(check)))
        .start();
    let mut changes = Vec::new();
    while changes.len() < 2 {
        changes.push(container.event(|event| match event {
            EventKind::Health {
                status, outcome, ..
            } => Some((*status, outcome.exit_code, outcome.output.clone())),
            _ => None,
        }));
    }
    assert_eq!(
        changes,
        [
            (Status::Healthy, 0, "fine\n".to_owned()),
            (Status::Unhealthy, 1, "broken\n".to_owned())
        ]
    );
    let health = container.state().health.unwrap();
    assert!(health.failing_streak() >= 2);
    assert!(health.log().len() > 1);
    // Written down for a daemon that is away, without events of its own.
    let written = container.state_file();
    assert!(written.snapshot.health.is_some());
    assert_eq!(written.journal.len(), 3);
}

#[test]
fn a_probe_that_takes_too_long_is_killed() {
    let mut container = Plan::command(&["sleep", "1000"])
        .with(|plan| {
            let mut probe = probe("echo begun; exec sleep 1000");
            probe.timeout = Duration::from_millis(100);
            plan.config.health = Some(probe);
        })
        .start();
    let (exit_code, output) = container.event(|event| match event {
        EventKind::Health { outcome, .. } => Some((outcome.exit_code, outcome.output.clone())),
        _ => None,
    });
    assert_eq!(exit_code, NOT_RUN);
    assert_eq!(output, "Health check exceeded timeout (100ms): begun\n");
}
