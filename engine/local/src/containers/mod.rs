//! Containers: their records, their lives, and every verb of
//! `/containers/…` and `/exec/…`, one module a verb.

use bollard_stubs::models::ContainerWaitResponse;
use futures_util::future::BoxFuture;

use crate::{ClientSocket, Result};

mod attach;
mod cgroup;
pub(crate) mod container;
mod create;
mod detach;
mod exec;
pub(crate) mod execs;
mod files;
mod inspect;
mod list;
mod logs;
mod network;
pub(crate) mod pause;

mod ports;
mod prepare;
pub(crate) mod record;
mod recover;
mod remove;
mod rename;
mod resize;
mod shim;
mod start;
mod stats;
mod stop;
pub(crate) mod table;
mod tell;
mod top;
mod update;
pub(crate) mod view;
mod volumes;
mod wait;
mod watch;

pub(crate) use create::{merge, new_id};
pub(crate) use logs::changes::Changes as LogChanges;
pub(crate) use prepare::VolumeTurns;
pub(crate) use record::Status;

/// Ends when the awaited condition holds.
pub type WaitResult = BoxFuture<'static, Result<ContainerWaitResponse>>;

/// Which streams a client wants, and how it detaches
/// (`POST /containers/{id}/attach`).
#[derive(Debug, Clone, Default)]
pub struct AttachOptions {
    /// Replay what was logged before.
    pub logs: bool,
    /// Stay attached.
    pub stream: bool,
    /// Forward the client's input.
    pub stdin: bool,
    /// Send standard output.
    pub stdout: bool,
    /// Send standard error.
    pub stderr: bool,
    /// Docker's notation, `ctrl-p,ctrl-q`; the default when absent.
    pub detach_keys: Option<String>,
}

/// What part of a log to read (`GET /containers/{id}/logs`).
#[derive(Debug, Clone, Default)]
pub struct LogsQuery {
    /// Go on as lines are written, until the container ends.
    pub follow: bool,
    /// Include standard output.
    pub stdout: bool,
    /// Include standard error.
    pub stderr: bool,
    /// Only lines at or after this, nanoseconds since the epoch.
    pub since: Option<i128>,
    /// Only lines at or before this, nanoseconds since the epoch.
    pub until: Option<i128>,
    /// Begin each line with its time.
    pub timestamps: bool,
    /// Begin each line with its attributes.
    pub details: bool,
    /// Only the last lines; all when absent.
    pub tail: Option<u64>,
}

/// The `X-Docker-Container-Path-Stat` header's JSON, before base64.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ArchiveStat {
    /// The last element of the path.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// Go's `os.FileMode` bits.
    pub mode: u32,
    /// RFC 3339 with nanoseconds.
    pub mtime: String,
    /// Where a symbolic link points, inside the container.
    #[serde(rename = "linkTarget")]
    pub link_target: String,
}

/// How a container's last run ended, beyond what Docker's answers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerExit {
    /// Of the first process, or 128 and the signal.
    pub exit_code: i64,
    /// Whether the kernel killed a process for want of memory.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// The most memory that all processes had together, in bytes; `None` where
    /// the kernel does not keep it, and while the container runs.
    pub memory_peak: Option<u64>,
}

/// A stream that is reserved but not connected: answer the upgrade, then
/// connect the client's socket. Dropping it gives the reservation back.
pub struct PreparedStream {
    /// Whether output comes in stdcopy frames (no tty) or raw.
    pub multiplexed: bool,
    connect: Box<dyn FnOnce(ClientSocket) -> BoxFuture<'static, Result<()>> + Send>,
}

impl PreparedStream {
    /// A stream that `connect` joins to a client.
    pub(crate) fn new(
        multiplexed: bool,
        connect: impl FnOnce(ClientSocket) -> BoxFuture<'static, Result<()>> + Send + 'static,
    ) -> Self {
        Self {
            multiplexed,
            connect: Box::new(connect),
        }
    }

    /// Joins the client to the container. Returns once the shim holds the
    /// socket; the stream itself outlives this call, and this process.
    pub async fn connect(self, client: ClientSocket) -> Result<()> {
        (self.connect)(client).await
    }
}
