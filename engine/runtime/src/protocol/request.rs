//! What the daemon asks of a shim, and what it is answered.

use std::time::Duration;

use dhow_model::{Id, restart};
use oci_spec::runtime::{LinuxResources, Process};
use serde::{Deserialize, Serialize};

use super::config::Console;
use super::event::{Event, Snapshot};

/// A request and the number its answer will carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub id: u64,
    pub request: Request,
}

/// What the shim sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    Answer { id: u64, answer: Answer },
    Event(Event),
    Probe(ProbeStep),
}

/// A health probe as it runs, told in passing: neither numbered nor kept, for
/// many more of them happen than a daemon that was away wants to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeStep {
    /// One is about to start.
    Begun { probe: u32 },
    /// Its process ended.
    Ended { probe: u32, code: i32 },
}

/// What a shim can be asked. Legal at any time unless stated otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Create and start the container; once. Answered with
    /// [`Answer::Started`] or [`Answer::Failed`], after which the shim ends.
    Start,
    /// Answered with [`Answer::State`].
    State,
    /// Signal the container's first process, for a person: `unless-stopped`
    /// leaves it alone from now on. `by_hand` says that it is to end for good:
    /// it will not be restarted, whatever its policy, and a paused container
    /// is thawed so that the signal arrives (SIGKILL thaws always). A
    /// container that waits for its restart then ends at once.
    Kill { signal: i32, by_hand: bool },
    /// Signal (by hand), and SIGKILL after `timeout` (`None`: wait for ever).
    /// Answered when the signal is sent; the end is an event.
    Stop {
        signal: i32,
        timeout: Option<Duration>,
    },
    /// Freeze all processes. Refused unless running.
    Pause,
    /// Thaw them. Refused unless paused.
    Resume,
    /// Change the restart policy, or limits: applied to the live cgroup (all
    /// or, when the kernel refuses one, none) and to the next restart.
    Update {
        restart: Option<restart::Policy>,
        resources: Option<Box<LinuxResources>>,
    },
    /// Resize the terminal of the container or of an exec.
    Resize { exec: Option<Id>, console: Console },
    /// Run a further process. May carry a client's socket when `attach` is
    /// there. Answered with [`Answer::Started`] or [`Answer::Failed`]; on
    /// failure nothing was written to the socket.
    Exec(Box<Exec>),
    /// Join a client's socket, carried beside this frame, to the container or
    /// an exec. Before `Start` is allowed and loses no output.
    Attach(Attach),
    /// From now on send events on this connection, first those remembered
    /// with a greater sequence number than `after`; and, if asked, probes as
    /// they run, which are not remembered.
    Subscribe {
        after: u64,
        #[serde(default)]
        probes: bool,
    },
    /// Open the log file anew (after it was truncated or moved).
    ReopenLog,
    /// Signal an exec's process.
    KillExec { exec: Id, signal: i32 },
}

/// A process to run in the container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    pub id: Id,
    /// Arguments, environment, user with groups, directory, capabilities,
    /// `noNewPrivileges`, AppArmor profile; `terminal` asks for a tty. The
    /// seccomp filter is the container's, unless `seccomp` is false.
    pub process: Process,
    #[serde(default = "yes")]
    pub seccomp: bool,
    /// Keep stdin open for the client; otherwise it is `/dev/null`.
    pub stdin: bool,
    /// The client whose socket comes with the request; output of an exec
    /// without client is thrown away.
    pub attach: Option<Attach>,
}

fn yes() -> bool {
    true
}

/// How a client's socket is joined.
///
/// To the client: stdcopy frames without a tty, raw bytes with one, unless
/// `framed` says otherwise; the shim shuts the socket down when all output is delivered. From the client: raw
/// input, whose end (half-close) ends stdin where that is meant to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    pub exec: Option<Id>,
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// Bytes that, typed in a row on a tty, detach the client; none when empty.
    #[serde(default)]
    pub detach_keys: Vec<u8>,
    /// Whether output comes in stdcopy frames; without a tty unless told.
    #[serde(default)]
    pub framed: Option<bool>,
    /// Input that was read together with the HTTP request.
    #[serde(default)]
    pub early_input: Vec<u8>,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Done,
    Started { pid: u32 },
    State(Box<Snapshot>),
    Failed(Failure),
}

/// Why something did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: FailureKind,
    /// In runc's words where it has some, such as
    /// `exec: "foo": executable file not found in $PATH`.
    pub message: String,
}

/// The sorts of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The program does not exist: exit code 127.
    NotFound,
    /// The program cannot be run: exit code 126.
    NotExecutable,
    /// Anything else while creating or starting: exit code 128.
    Other,
    /// The container or exec is not in the state for this.
    Conflict,
    /// No such exec.
    NoSuchExec,
    /// An option that this kernel or its lack of a capability cannot honour;
    /// the message names it.
    Unsupported,
    /// A volume or an image cannot be mounted; the message is whole.
    Mount,
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

impl FailureKind {
    /// The exit code Docker records for a container that did not start so.
    pub fn exit_code(self) -> i32 {
        match self {
            Self::NotFound => 127,
            Self::NotExecutable => 126,
            _ => 128,
        }
    }
}
