//! Network namespaces as file descriptors.
//!
//! The calling thread never changes its own namespace: whatever must happen
//! inside another one happens on a thread made for it. Nothing is mounted; a
//! namespace lives as long as a descriptor, a process or a socket holds it.

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use dhow_model::{ErrorKind, HasKind};
use nix::sched::{CloneFlags, setns, unshare};
use rustix::fs::{FlockOperation, flock};

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

/// How often a lock that somebody has is tried again.
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Holds off every other [`lock`] of the calling thread's network namespace,
/// in whatever process, until dropped or until the process is gone.
///
/// A file of `/run` would not do: engines that share a network may have
/// different mounts. The kernel has one inode for a network namespace, and
/// `flock(2)` works on it. Any user can take it, though, so nobody waits for
/// it longer than `patience`: then there is `None`.
pub fn lock(patience: Duration) -> Result<Option<OwnedFd>, Error> {
    let namespace = current()?;
    let deadline = Instant::now() + patience;
    loop {
        match flock(&namespace, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(namespace)),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < deadline => {
                thread::sleep(LOCK_PAUSE);
            }
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(errno) => return Err(failed("lock")(errno.into())),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_locked_once_and_freed_with_its_holder() {
        create_with(|_| {
            let held = lock(Duration::ZERO).unwrap();
            assert!(held.is_some());
            let waited = Instant::now();
            assert!(lock(Duration::from_millis(20)).unwrap().is_none());
            assert!(waited.elapsed() >= Duration::from_millis(20));
            // Another namespace has another lock.
            let other = create_with(|_| lock(Duration::ZERO).unwrap().is_some());
            assert!(other.unwrap().1);
            drop(held);
            assert!(lock(Duration::ZERO).unwrap().is_some());
        })
        .expect("namespaces need root");
    }
}
