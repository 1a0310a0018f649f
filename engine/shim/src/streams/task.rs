//! A process in the container with its streams: the container's own, an exec's,
//! or a probe's.

use std::os::fd::OwnedFd;

use dhow_model::{Id, Timestamp, health};
use dhow_runtime::protocol::{Console, Failure};
use dhow_sys::pidfd::Ended;

/// Whose process it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Container,
    Exec(Id),
    /// Its output is kept for the health log.
    Probe {
        output: health::Output,
        since: Timestamp,
        timed_out: bool,
    },
}

/// How far it is.
#[derive(Debug)]
pub enum Stage {
    /// Not begun (the container before its first start and between restarts).
    Idle,
    Starting(Start),
    Running,
    /// The process has ended; output may be left.
    Ended(Ended),
}

/// A start under way.
#[derive(Debug)]
pub struct Start {
    pub report: OwnedFd,
    /// Who asked: connection and number of the call.
    pub asked: Option<(u32, u64)>,
    pub failure: Option<Failure>,
    pub detail: Option<String>,
}

/// A process with its streams.
#[derive(Debug)]
pub struct Task {
    pub kind: Kind,
    pub tty: bool,
    pub stage: Stage,
    /// Its number, until it was waited for.
    pub pid: Option<u32>,
    /// Its number, to be told.
    pub number: u32,
    /// How it ended, should that be known before its start is.
    pub early_end: Option<Ended>,
    /// Standard output and error; with a terminal, the terminal and nothing.
    pub outputs: [Output; 2],
    pub input: Input,
    /// The end of a client's input is the end of the task's.
    pub ends_with_client: bool,
    /// The size the terminal should have when it is there.
    pub console: Option<Console>,
    pub clients: Vec<u32>,
}

/// An output stream.
#[derive(Debug, Default)]
pub struct Output {
    pub fd: Option<OwnedFd>,
    /// Whether the poller knows it: not while a client holds it back.
    pub polled: bool,
}

/// The input stream.
#[derive(Debug, Default)]
pub struct Input {
    pub fd: Option<OwnedFd>,
    /// What the process did not take yet. While there is any, clients are not
    /// read and the poller waits for the stream.
    pub waiting: Vec<u8>,
    /// To be closed once all is taken.
    pub closing: bool,
}

impl Task {
    pub fn new(kind: Kind, tty: bool, ends_with_client: bool) -> Self {
        Self {
            kind,
            tty,
            stage: Stage::Idle,
            pid: None,
            number: 0,
            early_end: None,
            outputs: Default::default(),
            input: Input::default(),
            ends_with_client,
            console: None,
            clients: Vec::new(),
        }
    }

    /// Whether all output has been read.
    pub fn is_drained(&self) -> bool {
        self.outputs.iter().all(|output| output.fd.is_none())
    }

    pub fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running)
    }

    pub fn exec_id(&self) -> Option<&Id> {
        match &self.kind {
            Kind::Exec(id) => Some(id),
            _ => None,
        }
    }
}
