//! Bringing a container's shim into the world: its configuration file, its
//! inherited descriptors under fixed numbers, its process.

use std::ffi::CString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use dhow_model::{ErrorKind, HasKind};
use dhow_sys::process::{Program, Spawned};

use crate::protocol::{CONFIG_FILE, DIAGNOSTICS_FILE, PortProxy, Protocol, ShimConfig};

/// The number under which the shim inherits its first connection.
pub const CONTROL_FD: RawFd = 3;
/// The number under which the shim inherits the network namespace: the spec's
/// network namespace path is [`NETNS_PATH`].
pub const NETNS_FD: RawFd = 4;
/// What the spec says for a network namespace made by the daemon.
pub const NETNS_PATH: &str = "/proc/self/fd/4";
/// Published ports' sockets follow from here on.
const FIRST_PORT_FD: RawFd = 5;

/// Starts shims. Opens the executable once, so that replacing the file on disk
/// does not mix versions under a running daemon.
#[derive(Debug)]
pub struct Launcher {
    program: Program,
}

/// What a shim holds for its container from the start.
#[derive(Debug, Default)]
pub struct Inherited {
    pub netns: Option<OwnedFd>,
    /// Bound sockets (TCP ones listening) and where they lead.
    pub ports: Vec<(Protocol, OwnedFd, SocketAddr)>,
}

/// A shim that was started. It is the caller's child: to be waited for through
/// `process.pidfd` when that turns readable.
#[derive(Debug)]
pub struct Launched {
    pub process: Spawned,
    /// The first connection, ready to be written to: the shim answers as soon
    /// as it runs. When it is closed before `Start` was sent, the shim leaves.
    pub control: UnixStream,
}

/// Why a shim could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    #[error("the shim's executable {path} cannot be opened")]
    Program {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the shim's files in {path} cannot be written")]
    Files {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the shim cannot be started")]
    Spawn(#[source] io::Error),
}

impl HasKind for LaunchError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::System
    }
}

impl Launcher {
    /// Uses the executable at `shim`.
    pub fn new(shim: &Path) -> Result<Self, LaunchError> {
        Program::open(shim)
            .map(|program| Self { program })
            .map_err(|source| LaunchError::Program {
                path: shim.to_owned(),
                source,
            })
    }

    /// Starts the shim of the container whose run directory this is; the
    /// directory must exist and hold the OCI spec before `Start` is sent. Fills
    /// in the configuration's descriptors and writes it there.
    pub fn launch(
        &self,
        run_dir: &Path,
        config: &mut ShimConfig,
        inherited: &Inherited,
    ) -> Result<Launched, LaunchError> {
        let (control, theirs) = UnixStream::pair().map_err(LaunchError::Spawn)?;
        let null = open_null().map_err(LaunchError::Spawn)?;
        let files = |source| LaunchError::Files {
            path: run_dir.to_owned(),
            source,
        };
        let diagnostics = std::fs::File::options()
            .create(true)
            .append(true)
            .open(run_dir.join(DIAGNOSTICS_FILE))
            .map_err(files)?;

        let mut fds: Vec<(BorrowedFd<'_>, RawFd)> = vec![
            (null.as_fd(), 0),
            (null.as_fd(), 1),
            (diagnostics.as_fd(), 2),
            (theirs.as_fd(), CONTROL_FD),
        ];
        config.control_fd = Some(CONTROL_FD);
        config.netns_fd = inherited.netns.as_ref().map(|netns| {
            fds.push((netns.as_fd(), NETNS_FD));
            NETNS_FD
        });
        config.ports.clear();
        for ((protocol, socket, target), fd) in inherited.ports.iter().zip(FIRST_PORT_FD..) {
            fds.push((socket.as_fd(), fd));
            config.ports.push(PortProxy {
                protocol: *protocol,
                fd,
                target: *target,
            });
        }
        write_config(run_dir, config).map_err(files)?;

        let directory = CString::new(run_dir.as_os_str().as_bytes())
            .map_err(|e| LaunchError::Spawn(e.into()))?;
        let process = self
            .program
            .spawn(&[c"dhow-shim", &directory], &fds)
            .map_err(LaunchError::Spawn)?;
        Ok(Launched { process, control })
    }
}

fn write_config(run_dir: &Path, config: &ShimConfig) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let text = serde_json::to_vec(config)?;
    let mut options = std::fs::File::options();
    options.create(true).truncate(true).write(true).mode(0o600);
    options.open(run_dir.join(CONFIG_FILE))?.write_all(&text)
}

fn open_null() -> io::Result<OwnedFd> {
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    Ok(file.into())
}
