//! What a shim is told when it is born.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use dhow_model::{Id, health, restart};
use dhow_sys::mount::call::MountCall;
use serde::{Deserialize, Serialize};

/// Everything a shim needs beside the OCI spec; written to
/// [`CONFIG_FILE`](super::CONFIG_FILE) before it is spawned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShimConfig {
    pub id: Id,
    /// What to mount at [`ROOTFS_DIR`](super::ROOTFS_DIR).
    pub rootfs: Rootfs,
    /// The container's cgroup, absolute within each hierarchy (`/dhow/<id>`).
    /// The spec's `linux.cgroupsPath` must be the same.
    pub cgroup: String,
    pub log: LogConfig,
    pub stdio: Stdio,
    #[serde(default)]
    pub restart: restart::Policy,
    /// Restarts so far (a container started again by hand counts from 0).
    #[serde(default)]
    pub restart_count: u32,
    #[serde(default)]
    pub health: Option<health::Probe>,
    /// Where the shim keeps [`StateFile`](super::StateFile); its directory
    /// must exist and outlive the run directory.
    pub state_file: PathBuf,
    /// Published ports that the shim holds and proxies.
    #[serde(default)]
    pub ports: Vec<PortProxy>,
    /// The shim's end of the first connection to the daemon, an inherited
    /// descriptor. Set by [`launch`](crate::launch).
    #[serde(default)]
    pub control_fd: Option<i32>,
    /// The container's network namespace, an inherited descriptor the shim
    /// holds open. The spec names it `/proc/self/fd/<n>`.
    #[serde(default)]
    pub netns_fd: Option<i32>,
    /// Host directories bound with `shared` or `rshared` propagation: the
    /// mounts they lie on stay shared with the host.
    #[serde(default)]
    pub shared_sources: Vec<PathBuf>,
    /// Mounts taken over from other containers before the spec is used.
    #[serde(default)]
    pub borrowed_mounts: Vec<BorrowedMount>,
    /// Mounts that are the shim's to make, in this order.
    #[serde(default)]
    pub made_mounts: Vec<MadeMount>,
    /// How the container is asked to end when the shim itself is (SIGTERM, when
    /// the computer shuts down). A stop by hand says it in its request.
    pub stop: Stop,
}

/// How a container is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    pub signal: i32,
    /// SIGKILL follows after this time; never when absent.
    pub timeout: Option<Duration>,
}

/// The root filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rootfs {
    /// overlayfs of read-only layers and a writable one.
    Overlay {
        /// Top layer first. May be empty: then an empty directory is used.
        lower: Vec<PathBuf>,
        upper: PathBuf,
        work: PathBuf,
    },
    /// A directory bound as it is.
    Directory(PathBuf),
}

/// Where the container's output is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogConfig {
    pub driver: LogDriver,
    /// The live file; rotated ones get `.1`, `.2`, … (and `.gz`).
    pub path: PathBuf,
    /// Rotate before the file grows beyond so many bytes; never when absent.
    #[serde(default)]
    pub max_size: Option<u64>,
    /// Files kept, the live one among them; at least 1.
    #[serde(default = "one")]
    pub max_file: u32,
    /// Compress rotated files.
    #[serde(default)]
    pub compress: bool,
    /// Written with every line (`labels`, `env`, `tag`).
    #[serde(default)]
    pub attrs: BTreeMap<String, String>,
}

fn one() -> u32 {
    1
}

/// The log formats the shim writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogDriver {
    /// Docker's: one JSON object a line.
    JsonFile,
    /// Ours: compact binary records.
    Local,
    None,
}

/// The container's standard streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stdio {
    /// The spec's `process.terminal` must be the same.
    pub tty: bool,
    /// Keep stdin open; otherwise it is `/dev/null`.
    pub open_stdin: bool,
    /// Close stdin when the first client that gave input is through.
    pub stdin_once: bool,
    #[serde(default)]
    pub console: Option<Console>,
}

/// A terminal's size in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Console {
    pub width: u16,
    pub height: u16,
}

/// A published port: connections to an inherited socket are carried to the
/// container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortProxy {
    pub protocol: Protocol,
    /// The bound (for TCP: listening) socket's inherited descriptor.
    pub fd: i32,
    /// The container's address.
    pub target: SocketAddr,
}

/// What a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
}

/// A mount that lives in another container's mount namespace (its `/dev/shm`
/// for a shared IPC namespace), cloned and attached where the spec can bind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BorrowedMount {
    /// A process of the other container.
    pub pid: u32,
    /// The path there.
    pub source: PathBuf,
    /// The path here, made if missing; below the run directory.
    pub target: PathBuf,
}

/// A mount that is made in the shim's mount namespace, for the spec to bind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeMount {
    pub what: Made,
    /// Below the run directory; made if missing.
    pub target: PathBuf,
}

/// What such a mount is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// An image's tree, read-only: its layers, top first.
    Image { lower: Vec<PathBuf> },
    /// A volume that is a file system of its own. One that another container
    /// has mounted is shared with it; otherwise `call` mounts it.
    Volume {
        call: MountCall,
        /// The volume's directory, which errors name.
        named: PathBuf,
        lenders: Vec<Lender>,
    },
    /// A file or directory inside another one's target, or inside a directory
    /// of the host. No link leads out of it.
    Inside {
        root: PathBuf,
        subpath: String,
        /// What errors call `root`.
        named: PathBuf,
    },
}

/// A shim that has the volume mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lender {
    pub pid: u32,
    /// Where, in its mount namespace.
    pub path: PathBuf,
}
