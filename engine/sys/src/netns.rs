//! Network namespaces as file descriptors.
//!
//! The calling thread never changes its own namespace: whatever must happen
//! inside another one happens on a thread made for it. Nothing is mounted; a
//! namespace lives as long as a descriptor, a process or a socket holds it.

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::thread;

use dhow_model::{ErrorKind, HasKind};
use nix::sched::{CloneFlags, setns, unshare};

use crate::netlink;

/// A namespace that could not be made or entered.
#[derive(Debug, thiserror::Error)]
#[error("network namespace: {doing}")]
pub struct Error {
    doing: &'static str,
    #[source]
    source: io::Error,
}

impl HasKind for Error {
    fn kind(&self) -> ErrorKind {
        match self.source.kind() {
            io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
            _ => ErrorKind::System,
        }
    }
}

/// The calling thread's network namespace.
pub fn current() -> Result<OwnedFd, Error> {
    // `/proc/self` would be the main thread's.
    File::open("/proc/thread-self/ns/net")
        .map(OwnedFd::from)
        .map_err(failed("open"))
}

/// Makes a namespace and runs `inside` in it.
pub fn create_with<T: Send>(
    inside: impl FnOnce(BorrowedFd<'_>) -> T + Send,
) -> Result<(OwnedFd, T), Error> {
    on_own_thread(|| {
        unshare(CloneFlags::CLONE_NEWNET).map_err(errno("create"))?;
        let namespace = current()?;
        let value = inside(std::os::fd::AsFd::as_fd(&namespace));
        Ok((namespace, value))
    })
}

/// Makes a namespace, with everything in it down.
pub fn create() -> Result<OwnedFd, Error> {
    Ok(create_with(|_| ())?.0)
}

/// Runs `inside` in `namespace`.
pub fn within<T: Send>(
    namespace: BorrowedFd<'_>,
    inside: impl FnOnce() -> T + Send,
) -> Result<T, Error> {
    on_own_thread(|| {
        setns(namespace, CloneFlags::CLONE_NEWNET).map_err(errno("enter"))?;
        Ok(inside())
    })
}

/// An rtnetlink socket in `namespace`, to be used from anywhere.
pub fn route_socket(
    namespace: BorrowedFd<'_>,
) -> Result<Result<netlink::Socket, netlink::Error>, Error> {
    within(namespace, netlink::Socket::route)
}

fn on_own_thread<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("netns".into())
            .spawn_scoped(scope, work)
            .map_err(failed("start a thread"))?;
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error { doing, source }
}

fn errno(doing: &'static str) -> impl FnOnce(nix::Error) -> Error {
    move |errno| Error {
        doing,
        source: errno.into(),
    }
}
