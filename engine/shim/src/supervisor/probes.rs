//! Health checks: running the probe when it is due, and no longer than it may.

use dhow_model::health;
use dhow_runtime::protocol::{Failure, Phase, ProbeStep};
use dhow_sys::pidfd::Ended;

use super::{Supervisor, Timer, now};
use crate::child::exec;
use crate::streams::{Kind, Stage, Task};

impl Supervisor {
    /// Has the next probe run when its time comes.
    pub(super) fn schedule_probe(&mut self) {
        if let (Phase::Running, Some(delay)) = (self.life.phase(), self.life.probe_delay(now())) {
            self.arm(delay, Timer::Probe);
        }
    }

    pub(super) fn probe(&mut self) {
        let running = self.life.phase() == Phase::Running;
        let (true, Some(probe)) = (running, self.life.probe()) else {
            return;
        };
        let (command, timeout) = (probe.command.clone(), probe.timeout);
        let id = self.fresh_id();
        let kind = Kind::Probe {
            output: health::Output::default(),
            since: now(),
            timed_out: false,
        };
        self.tasks.insert(id, Task::new(kind, false, false));
        self.arm(timeout, Timer::ProbeTimeout(id));
        self.tell_probe(ProbeStep::Begun { probe: id });
        let program = exec::Program::Command(&command);
        if let Err(e) = self.begin_exec(id, program, true, false, None) {
            let failure = Failure::new(
                dhow_runtime::protocol::FailureKind::Other,
                format!("the probe cannot be run: {e}"),
            );
            self.start_failed(id, failure, None);
        }
    }

    /// The probe took too long.
    pub(super) fn end_probe(&mut self, id: u32) {
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        if let Kind::Probe { timed_out, .. } = &mut task.kind {
            *timed_out = true;
        }
        if let Some(pid) = task.pid {
            // SAFETY: a child not yet waited for; nothing of this process is
            // touched.
            unsafe { libc::kill(pid.cast_signed(), libc::SIGKILL) };
        }
    }

    pub(super) fn probe_over(&mut self, task: Task) {
        let Stage::Ended(ended) = task.stage else {
            return;
        };
        let Kind::Probe {
            output,
            since,
            timed_out,
        } = task.kind
        else {
            return;
        };
        let timeout = self.life.probe().map(|probe| probe.timeout);
        let (exit_code, output) = match (timed_out, timeout) {
            (true, Some(timeout)) => (health::NOT_RUN, output.timed_out(timeout)),
            _ => (exit_code(ended), output.text()),
        };
        self.conclude_probe(health::Outcome {
            start: since,
            end: now(),
            exit_code,
            output,
        });
    }

    pub(super) fn probe_failed(&mut self, task: Task, failure: &Failure) {
        if let Kind::Probe { since, .. } = task.kind {
            self.conclude_probe(health::Outcome {
                start: since,
                end: now(),
                exit_code: health::NOT_RUN,
                output: failure.message.clone(),
            });
        }
    }

    fn conclude_probe(&mut self, outcome: health::Outcome) {
        // A probe that died with its container says nothing.
        if self.life.phase() != Phase::Running {
            return;
        }
        self.timers
            .retain(|(_, timer)| !matches!(timer, Timer::ProbeTimeout(_)));
        self.life.probed(now(), outcome);
        self.save();
        self.schedule_probe();
    }
}

fn exit_code(ended: Ended) -> i64 {
    ended.code().into()
}
