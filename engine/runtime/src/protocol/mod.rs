//! What the daemon and a container's shim say to each other: the shim's
//! configuration, requests and answers, events, and the state the shim leaves
//! on disk. Plain data; [`codec`] frames it, [`client`] sends it.
//!
//! ```text
//! daemon ── Call{id, Start} ─────────────► shim
//! daemon ◄─ Message::Answer{id, Started} ─ shim
//! daemon ── Call{id, Subscribe{after}} ──► shim
//! daemon ◄─ Answer{id, Done} ── Event … ── shim      (as long as it is connected)
//! ```
//!
//! One connection carries any number of calls, answered in any order and
//! matched by `id`. A client's own socket travels as `SCM_RIGHTS` beside the
//! frame of [`Request::Attach`] or [`Request::Exec`] and from then on belongs
//! to the shim: no output passes through the daemon.

pub mod client;
pub mod codec;
mod config;
mod event;
mod request;

pub use config::{
    BorrowedMount, Console, Lender, LogConfig, LogDriver, Made, MadeMount, PortProxy, Protocol,
    Rootfs, ShimConfig, Stdio, Stop,
};
pub use event::{Event, EventKind, ExecState, Exit, Phase, Snapshot, StateFile};
pub use request::{Answer, Attach, Call, Exec, Failure, FailureKind, Message, ProbeStep, Request};

/// The file in a container's run directory that holds its [`ShimConfig`].
pub const CONFIG_FILE: &str = "shim.json";
/// The file in the run directory that holds the OCI spec.
pub const SPEC_FILE: &str = "config.json";
/// The shim's socket in the run directory.
pub const SOCKET_FILE: &str = "shim.sock";
/// The shim's own diagnostics in the run directory.
pub const DIAGNOSTICS_FILE: &str = "shim.log";
/// Where the root filesystem is mounted, below the run directory, in the
/// shim's mount namespace. The spec's `root.path` must name it.
pub const ROOTFS_DIR: &str = "rootfs";
/// How many events the shim remembers for a daemon that was away.
pub const JOURNAL_LEN: usize = 256;
