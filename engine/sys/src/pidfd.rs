//! Processes held by descriptor, so that a recycled number can never be hit.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus};

/// A process. Its descriptor is readable once the process has ended.
#[derive(Debug)]
pub struct PidFd(OwnedFd);

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Code(i32),
    Signal(i32),
}

impl Ended {
    /// The exit code as shells count: 128 and the signal for a killed one.
    pub fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

impl PidFd {
    /// The process with this number now. The caller makes sure that it is the
    /// one meant: its own child not yet waited for, or checked afterwards.
    pub fn open(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self(rustix::process::pidfd_open(pid, PidfdFlags::empty())?))
    }

    /// Sends a signal, real-time ones too.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        // SAFETY: the number is handed to the kernel, which checks it; no
        // handler of this process is involved.
        let signal = unsafe { Signal::from_raw_unchecked(signal) };
        Ok(rustix::process::pidfd_send_signal(&self.0, signal)?)
    }

    /// Whether the process still runs (a zombie does not).
    pub fn is_running(&self) -> bool {
        let flags = rustix::event::PollFlags::IN;
        let mut poll = [rustix::event::PollFd::new(&self.0, flags)];
        let now = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        !matches!(rustix::event::poll(&mut poll, Some(&now)), Ok(n) if n > 0)
    }

    /// Reaps this process, a child of the caller's; waits for its end.
    pub fn wait(&self) -> io::Result<Ended> {
        loop {
            if let Some(ended) = self.reap(WaitIdOptions::EXITED)? {
                return Ok(ended);
            }
        }
    }

    /// Reaps this process, a child of the caller's, if it has ended.
    pub fn try_wait(&self) -> io::Result<Option<Ended>> {
        self.reap(WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
    }

    fn reap(&self, options: WaitIdOptions) -> io::Result<Option<Ended>> {
        loop {
            match rustix::process::waitid(WaitId::PidFd(self.0.as_fd()), options) {
                Ok(status) => return Ok(status.map(ended)),
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

fn ended(status: WaitIdStatus) -> Ended {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, Some(signal)) => Ended::Signal(signal),
        (None, None) => Ended::Code(0),
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<PidFd> for OwnedFd {
    fn from(pidfd: PidFd) -> Self {
        pidfd.0
    }
}

impl From<OwnedFd> for PidFd {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_signalled_and_reaped() {
        #[expect(clippy::zombie_processes, reason = "it is waited for by its pidfd")]
        let child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pidfd = PidFd::open(child.id()).unwrap();
        assert!(pidfd.is_running());
        assert_eq!(pidfd.try_wait().unwrap(), None);
        pidfd.signal(libc::SIGTERM).unwrap();
        let ended = pidfd.wait().unwrap();
        assert_eq!(ended, Ended::Signal(libc::SIGTERM));
        assert_eq!(ended.code(), 143);
        assert!(!pidfd.is_running());
        assert!(pidfd.signal(libc::SIGTERM).is_err());
    }
}
