//! The container's life as data: what state it is in, what happened, what comes
//! next. No IO and no clock; the supervisor does what this says.
//!
//! ```text
//!            started              exited, policy says again
//! Created ──────────► Running ◄═══════════════════════════► Restarting
//!    │                 ║   ▲                                    │
//!    │ failed    pause ║   ║ resume             stopped by hand │
//!    ▼                 ▼   ║                                    ▼
//!  Exited ◄────────── Paused, Running: exited ─────────────► Exited
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use dhow_model::restart::{self, Backoff, Decision};
use dhow_model::{Id, Timestamp, health};
use dhow_runtime::protocol::{
    Event, EventKind, ExecState, Exit, Failure, JOURNAL_LEN, Phase, ShimConfig, Snapshot, StateFile,
};
use dhow_sys::pidfd::Ended;

/// Ended execs that are remembered.
const ENDED_EXECS: usize = 32;

/// A container's state and memory.
#[derive(Debug)]
pub struct Life {
    snapshot: Snapshot,
    journal: VecDeque<Event>,
    backoff: Backoff,
    probe: Option<health::Probe>,
    /// Of the run that is over.
    memory_peak: Option<u64>,
    /// Events not yet given out.
    fresh: Vec<Event>,
}

/// What follows an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Start it again after this time.
    Restart(Duration),
    /// It is over.
    Leave,
}

impl Life {
    /// The life of a container that is about to be started; `before` is what
    /// its last shim left.
    pub fn new(config: &ShimConfig, before: Option<StateFile>, shim_pid: u32) -> Self {
        let before = before.unwrap_or_default();
        let health = config.health.as_ref().map(|_| {
            let mut machine = before.snapshot.health.unwrap_or_default();
            machine.restart();
            machine
        });
        Self {
            snapshot: Snapshot {
                shim_pid: Some(shim_pid),
                finished_at: before.snapshot.finished_at,
                restart: config.restart,
                restart_count: config.restart_count,
                health,
                seq: before.snapshot.seq,
                ..Snapshot::default()
            },
            journal: before.journal.into(),
            backoff: Backoff::new(config.restart_count),
            probe: config.health.clone(),
            memory_peak: None,
            fresh: Vec::new(),
        }
    }

    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub fn phase(&self) -> Phase {
        self.snapshot.phase
    }

    /// The check, if the container has one.
    pub fn probe(&self) -> Option<&health::Probe> {
        self.probe.as_ref()
    }

    /// What goes to disk.
    pub fn state_file(&self) -> StateFile {
        StateFile {
            snapshot: self.snapshot.clone(),
            journal: self.journal.iter().cloned().collect(),
        }
    }

    /// Remembered events after number `seq`.
    pub fn events_after(&self, seq: u64) -> impl Iterator<Item = &Event> {
        self.journal.iter().filter(move |event| event.seq > seq)
    }

    /// Events since the last call.
    pub fn take_fresh(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.fresh)
    }

    pub fn started(&mut self, now: Timestamp, pid: u32) {
        let snapshot = &mut self.snapshot;
        snapshot.phase = Phase::Running;
        snapshot.pid = Some(pid);
        snapshot.started_at = Some(now);
        snapshot.oom_killed = false;
        snapshot.failure = None;
        if let Some(health) = &mut snapshot.health {
            health.restart();
        }
        let restarts = snapshot.restart_count;
        self.tell(now, EventKind::Started { pid, restarts });
    }

    /// A start did not work out: the first one is final, a later one counts as
    /// an exit.
    pub fn start_failed(&mut self, now: Timestamp, failure: Failure) -> Next {
        let again = self.snapshot.phase == Phase::Restarting;
        self.snapshot.failure = Some(failure.clone());
        self.snapshot.pid = None;
        if !again {
            self.snapshot.phase = Phase::Exited;
            return Next::Leave;
        }
        let exit = restart::Exit {
            code: failure.kind.exit_code(),
            stopped_by_hand: self.snapshot.stopped_by_hand,
            signalled_by_hand: self.snapshot.signalled_by_hand,
            ran_for: Duration::ZERO,
        };
        let next = self.decide(exit);
        let restart_in = next.delay();
        self.tell(
            now,
            EventKind::RestartFailed {
                failure,
                restart_in,
            },
        );
        next
    }

    pub fn exited(&mut self, now: Timestamp, ended: Ended) -> Next {
        let exit = Exit {
            code: ended.code(),
            signal: match ended {
                Ended::Signal(signal) => Some(signal),
                Ended::Code(_) => None,
            },
            oom_killed: self.snapshot.oom_killed,
            memory_peak: self.memory_peak.take(),
            at: now,
        };
        let started = self.snapshot.started_at.unwrap_or(now);
        let ran_for = now.since(started).max(0).cast_unsigned();
        self.snapshot.pid = None;
        self.snapshot.finished_at = Some(now);
        self.snapshot.exit = Some(exit);
        self.abandon_probing();
        let next = self.decide(restart::Exit {
            code: exit.code,
            stopped_by_hand: self.snapshot.stopped_by_hand,
            signalled_by_hand: self.snapshot.signalled_by_hand,
            ran_for: Duration::from_nanos(ran_for),
        });
        let restart_in = next.delay();
        self.tell(now, EventKind::Exited { exit, restart_in });
        next
    }

    /// A person sends it a signal.
    pub fn signal_by_hand(&mut self) {
        self.snapshot.signalled_by_hand = true;
    }

    /// A person wants it to end, or to have ended.
    pub fn stop_by_hand(&mut self) {
        self.snapshot.stopped_by_hand = true;
    }

    /// The waiting for a restart is called off: the last end was the end.
    pub fn cancel_restart(&mut self, now: Timestamp) {
        debug_assert_eq!(self.snapshot.phase, Phase::Restarting);
        self.snapshot.phase = Phase::Exited;
        // Told again, now without a restart to come.
        let restart_in = None;
        match (self.snapshot.failure.clone(), self.snapshot.exit) {
            (None, Some(exit)) => self.tell(now, EventKind::Exited { exit, restart_in }),
            (Some(failure), _) => self.tell(
                now,
                EventKind::RestartFailed {
                    failure,
                    restart_in,
                },
            ),
            (None, None) => {}
        }
    }

    pub fn set_policy(&mut self, policy: restart::Policy) {
        self.snapshot.restart = policy;
    }

    /// The engine goes down with the computer: no restart, but no person's
    /// wish either.
    pub fn forbid_restart(&mut self) {
        self.snapshot.restart = restart::Policy::No;
    }

    pub fn oom_killed(&mut self, now: Timestamp) {
        self.snapshot.oom_killed = true;
        self.tell(now, EventKind::Oom);
    }

    /// What the run had at most, known before it is said to be over.
    pub fn memory_peaked(&mut self, bytes: Option<u64>) {
        self.memory_peak = bytes;
    }

    pub fn paused(&mut self, now: Timestamp) {
        self.snapshot.phase = Phase::Paused;
        self.abandon_probing();
        self.tell(now, EventKind::Paused);
    }

    pub fn resumed(&mut self, now: Timestamp) {
        self.snapshot.phase = Phase::Running;
        self.tell(now, EventKind::Resumed);
    }

    /// Takes a probe's result.
    pub fn probed(&mut self, now: Timestamp, outcome: health::Outcome) {
        let (Some(probe), Some(machine)) = (&self.probe, &mut self.snapshot.health) else {
            return;
        };
        let started = self.snapshot.started_at.unwrap_or(now);
        let changed = machine.record(probe, started, outcome.clone());
        if let Some(status) = changed {
            let failing_streak = machine.failing_streak();
            self.tell(
                now,
                EventKind::Health {
                    status,
                    failing_streak,
                    outcome,
                },
            );
        }
    }

    /// How long to wait before the next probe.
    pub fn probe_delay(&self, now: Timestamp) -> Option<Duration> {
        let (probe, machine) = (self.probe.as_ref()?, self.snapshot.health.as_ref()?);
        let started = self.snapshot.started_at.unwrap_or(now);
        let running_for = now.since(started).max(0).cast_unsigned();
        Some(machine.next_delay(probe, Duration::from_nanos(running_for)))
    }

    pub fn exec_started(&mut self, now: Timestamp, exec: &Id, pid: u32) {
        self.snapshot.execs.push(ExecState {
            id: exec.clone(),
            pid,
            exit_code: None,
        });
        let exec = exec.clone();
        self.tell(now, EventKind::ExecStarted { exec, pid });
    }

    pub fn exec_exited(&mut self, now: Timestamp, exec: &Id, code: i32) {
        for state in &mut self.snapshot.execs {
            if state.id == *exec {
                state.exit_code = Some(code);
            }
        }
        let ended = |state: &&ExecState| state.exit_code.is_some();
        if self.snapshot.execs.iter().filter(ended).count() > ENDED_EXECS
            && let Some(first) = self.snapshot.execs.iter().position(|state| ended(&state))
        {
            self.snapshot.execs.remove(first);
        }
        let exec = exec.clone();
        self.tell(now, EventKind::ExecExited { exec, code });
    }

    pub fn detached(&mut self, now: Timestamp, exec: Option<Id>) {
        self.tell(now, EventKind::Detached { exec });
    }

    pub fn warn(&mut self, warning: String) {
        if !self.snapshot.warnings.contains(&warning) {
            self.snapshot.warnings.push(warning);
        }
    }

    pub fn set_log_trouble(&mut self, error: Option<String>, bytes_lost: u64) {
        self.snapshot.log_error = error;
        self.snapshot.log_bytes_lost = bytes_lost;
    }

    /// The shim leaves.
    pub fn leave(&mut self) {
        self.snapshot.shim_pid = None;
    }

    fn abandon_probing(&mut self) {
        if let Some(health) = &mut self.snapshot.health {
            health.abandon();
        }
    }

    fn decide(&mut self, exit: restart::Exit) -> Next {
        match self.backoff.decide(self.snapshot.restart, exit) {
            Decision::After(delay) => {
                self.snapshot.phase = Phase::Restarting;
                self.snapshot.restart_count = self.backoff.count();
                Next::Restart(delay)
            }
            Decision::Stay => {
                self.snapshot.phase = Phase::Exited;
                Next::Leave
            }
        }
    }

    fn tell(&mut self, at: Timestamp, kind: EventKind) {
        self.snapshot.seq += 1;
        let event = Event {
            seq: self.snapshot.seq,
            at,
            kind,
        };
        while self.journal.len() >= JOURNAL_LEN {
            self.journal.pop_front();
        }
        self.journal.push_back(event.clone());
        self.fresh.push(event);
    }
}

impl Next {
    fn delay(self) -> Option<Duration> {
        match self {
            Self::Restart(delay) => Some(delay),
            Self::Leave => None,
        }
    }
}

#[cfg(test)]
mod tests;
