//! Listening sockets: made, taken over from whoever started us, and given
//! their owner and mode.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, sockopt};
use tokio::net::{TcpListener, UnixListener};

use crate::config::Host;

/// A socket that clients come in by.
pub enum Listener {
    Unix(
        UnixListener,
        #[expect(dead_code, reason = "removes the file when dropped")] Option<SocketFile>,
    ),
    Tcp(TcpListener),
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("host {host}: another daemon is listening there")]
    Live { host: Host },
    #[error("host {host}: there is something else than a socket")]
    NotASocket { host: Host },
    #[error("host {host}: no socket was passed by the process that started this one")]
    NotPassed { host: Host },
    #[error("host {host}: {source}")]
    Io {
        host: Host,
        #[source]
        source: io::Error,
    },
}

/// A socket file that goes away with its listener.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|m| m.ino() == self.inode);
        if ours {
            let _gone_already = fs::remove_file(&self.path);
        }
    }
}

/// Opens `host`. Must run inside the runtime.
pub async fn open(host: &Host, group: &str) -> Result<Vec<Listener>, Error> {
    let io = |source| Error::Io {
        host: host.clone(),
        source,
    };
    match host {
        Host::Unix(path) => {
            make_way(host, path)?;
            let (listener, file) = bind(path, group_id(group)).map_err(io)?;
            Ok(vec![Listener::Unix(listener, Some(file))])
        }
        Host::Tcp { host: name, port } => {
            let listener = TcpListener::bind((name.as_str(), *port))
                .await
                .map_err(io)?;
            Ok(vec![Listener::Tcp(listener)])
        }
        Host::Activated(which) => activated(host, *which),
    }
}

impl Listener {
    /// The address clients use, as `--host` would have it.
    pub fn address(&self) -> String {
        match self {
            Self::Unix(listener, _) => {
                let path = listener.local_addr().ok();
                let path = path.and_then(|a| a.as_pathname().map(|p| p.display().to_string()));
                format!("unix://{}", path.unwrap_or_default())
            }
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => format!("tcp://{address}"),
                Err(_) => "tcp://".to_owned(),
            },
        }
    }
}

/// Takes a dead daemon's socket away; a live one's stays.
fn make_way(host: &Host, path: &Path) -> Result<(), Error> {
    let io = |source| Error::Io {
        host: host.clone(),
        source,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(Error::NotASocket { host: host.clone() });
        }
        Ok(_) => {}
    }
    let connected = in_parent(path, |short| StdUnixStream::connect(short));
    match connected {
        Ok(_) => Err(Error::Live { host: host.clone() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(io)
        }
        Err(error) => Err(io(error)),
    }
}

/// Nobody can connect before owner and mode are set: the socket is made with
/// no permissions at all.
fn bind(path: &Path, group: Option<u32>) -> io::Result<(UnixListener, SocketFile)> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let before = rustix::process::umask(Mode::from_raw_mode(0o777));
    let bound = in_parent(path, |short| StdUnixListener::bind(short));
    rustix::process::umask(before);
    let listener = bound?;
    let file = SocketFile {
        path: path.to_owned(),
        inode: fs::symlink_metadata(path)?.ino(),
    };
    chown(path, Some(0), Some(group.unwrap_or(0)))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    listener.set_nonblocking(true)?;
    Ok((UnixListener::from_std(listener)?, file))
}

/// Runs `with` on a path of any length: a socket's address holds 107 bytes,
/// so a longer path is shortened by way of its open directory.
fn in_parent<T>(path: &Path, with: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    const ADDRESS: usize = 107;
    if path.as_os_str().len() <= ADDRESS {
        return with(path);
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let dir = rustix::fs::open(
        parent,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd())).join(name);
    with(&short)
}

/// The group that may use the socket; root alone where it does not exist.
fn group_id(name: &str) -> Option<u32> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    match nix::unistd::Group::from_name(name) {
        Ok(Some(group)) => Some(group.gid.as_raw()),
        _ => {
            tracing::warn!("no group {name}: only root can use the engine's socket");
            None
        }
    }
}

/// systemd's protocol (`sd_listen_fds`): descriptors from 3 on, counted in
/// `LISTEN_FDS`, meant for the process in `LISTEN_PID`.
fn activated(host: &Host, which: Option<usize>) -> Result<Vec<Listener>, Error> {
    const FIRST: i32 = 3;
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u32>().ok());
    let for_us = number("LISTEN_PID") == Some(std::process::id());
    let count = number("LISTEN_FDS").filter(|_| for_us).unwrap_or(0);
    let numbers: Vec<i32> = (FIRST..)
        .take(usize::try_from(count).unwrap_or(0))
        .collect();
    let numbers = match which {
        None => numbers,
        // dockerd counts `fd://3` as the descriptor's own number.
        Some(wanted) => numbers
            .into_iter()
            .filter(|n| usize::try_from(*n).is_ok_and(|n| n == wanted))
            .collect(),
    };
    if numbers.is_empty() {
        return Err(Error::NotPassed { host: host.clone() });
    }
    numbers
        .into_iter()
        .map(|number| {
            dhow_sys::process::inherited(number)
                .and_then(adopt)
                .map_err(|source| Error::Io {
                    host: host.clone(),
                    source,
                })
        })
        .collect()
}

fn adopt(fd: OwnedFd) -> io::Result<Listener> {
    rustix::io::ioctl_fionbio(&fd, true)?;
    if sockopt::socket_domain(&fd)? == AddressFamily::UNIX {
        let listener = UnixListener::from_std(StdUnixListener::from(fd))?;
        Ok(Listener::Unix(listener, None))
    } else {
        let listener = TcpListener::from_std(std::net::TcpListener::from(fd))?;
        Ok(Listener::Tcp(listener))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(path: &Path) -> Host {
        Host::Unix(path.to_owned())
    }

    #[tokio::test]
    async fn a_socket_is_for_root_and_one_group() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/dhow.sock");
        let listeners = open(&unix(&path), "daemon").await.unwrap();
        let metadata = fs::metadata(&path).unwrap();
        let daemon = nix::unistd::Group::from_name("daemon").unwrap().unwrap();
        assert_eq!(metadata.mode() & 0o7777, 0o660);
        assert_eq!((metadata.uid(), metadata.gid()), (0, daemon.gid.as_raw()));
        drop(listeners);
        assert!(!path.exists(), "the file goes with the listener");

        let _listeners = open(&unix(&path), "no-such-group-here").await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().gid(), 0);
    }

    #[tokio::test]
    async fn a_live_socket_is_left_alone_and_a_dead_one_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dhow.sock");
        let live = StdUnixListener::bind(&path).unwrap();
        assert!(matches!(
            open(&unix(&path), "root").await,
            Err(Error::Live { .. })
        ));
        drop(live);
        assert!(path.exists());
        open(&unix(&path), "root").await.unwrap();

        let file = dir.path().join("file");
        fs::write(&file, "precious").unwrap();
        assert!(matches!(
            open(&unix(&file), "root").await,
            Err(Error::NotASocket { .. })
        ));
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    }

    #[tokio::test]
    async fn a_path_may_be_longer_than_an_address() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x".repeat(120)).join("dhow.sock");
        let listeners = open(&unix(&path), "root").await.unwrap();
        assert!(in_parent(&path, |p| StdUnixStream::connect(p)).is_ok());
        assert!(matches!(
            open(&unix(&path), "root").await,
            Err(Error::Live { .. })
        ));
        drop(listeners);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn tcp_says_which_port_it_got() {
        let host = Host::parse("tcp://127.0.0.1:0", false).unwrap();
        let listeners = open(&host, "root").await.unwrap();
        let address = listeners[0].address();
        assert!(
            address.starts_with("tcp://127.0.0.1:") && !address.ends_with(":0"),
            "{address}"
        );
    }
}
