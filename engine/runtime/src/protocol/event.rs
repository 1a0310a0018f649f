//! What happened to a container, and how it stands: told to the daemon when it
//! listens, kept on disk for when it does not.

use std::time::Duration;

use dhow_model::{Id, Timestamp, health, restart};
use serde::{Deserialize, Serialize};

use super::request::Failure;

/// Something that happened. Numbers grow by one with every event of a
/// container, over restarts of the daemon and of the container's shim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub seq: u64,
    pub at: Timestamp,
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The program runs; `restarts` is 0 for the first time.
    Started {
        pid: u32,
        restarts: u32,
    },
    /// It could not be started again; the policy decides about a next try.
    RestartFailed {
        failure: Failure,
        restart_in: Option<Duration>,
    },
    /// It ended, and all its processes with it. With `restart_in` it will be
    /// started again after that time; without, the shim leaves.
    Exited {
        exit: Exit,
        restart_in: Option<Duration>,
    },
    /// The kernel killed a process for want of memory.
    Oom,
    Paused,
    Resumed,
    /// A probe changed the health; all results are in the snapshot.
    Health {
        status: health::Status,
        failing_streak: u32,
        outcome: health::Outcome,
    },
    ExecStarted {
        exec: Id,
        pid: u32,
    },
    ExecExited {
        exec: Id,
        code: i32,
    },
    /// A client typed the detach keys.
    Detached {
        exec: Option<Id>,
    },
}

/// How the container's first process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code, or 128 and the signal.
    pub code: i32,
    pub signal: Option<i32>,
    /// Whether the kernel killed a process of it for want of memory.
    pub oom_killed: bool,
    /// The most memory that all its processes had together, in bytes, where
    /// the kernel keeps it.
    #[serde(default)]
    pub memory_peak: Option<u64>,
    pub at: Timestamp,
}

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Not started yet, or starting for the first time.
    #[default]
    Created,
    Running,
    Paused,
    /// Ended, and waiting for its restart.
    Restarting,
    /// Ended for good; the shim is about to leave or has left.
    Exited,
}

/// How the container stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub phase: Phase,
    /// The first process, in the host's numbering; while there is one.
    pub pid: Option<u32>,
    /// The shim itself, while it lives.
    pub shim_pid: Option<u32>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// The last end.
    pub exit: Option<Exit>,
    pub restart: restart::Policy,
    pub restart_count: u32,
    /// A person called the restarts off.
    pub stopped_by_hand: bool,
    /// A person sent it a signal.
    #[serde(default)]
    pub signalled_by_hand: bool,
    /// Whether the run that is on, or was last, had a process killed for want
    /// of memory.
    pub oom_killed: bool,
    /// The last failure to start.
    pub failure: Option<Failure>,
    pub health: Option<health::Machine>,
    /// Running execs, and those that ended lately.
    #[serde(default)]
    pub execs: Vec<ExecState>,
    /// Why output could not be logged, and how much was lost, if any was.
    pub log_error: Option<String>,
    #[serde(default)]
    pub log_bytes_lost: u64,
    /// Things asked for that this host could not give.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The last event's number.
    pub seq: u64,
}

/// How an exec stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecState {
    pub id: Id,
    pub pid: u32,
    /// Absent while it runs.
    pub exit_code: Option<i32>,
}

/// The content of `state.json`: written anew (by rename) at every event, so
/// that it is true whenever the shim is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateFile {
    pub snapshot: Snapshot,
    /// The last [`JOURNAL_LEN`](super::JOURNAL_LEN) events, oldest first.
    pub journal: Vec<Event>,
}

impl StateFile {
    /// Reads a state file; `None` where there is none.
    pub fn read(path: &std::path::Path) -> std::io::Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The remembered events after number `seq`.
    pub fn events_after(&self, seq: u64) -> impl Iterator<Item = &Event> {
        self.journal.iter().filter(move |event| event.seq > seq)
    }
}
