//! What a child that becomes a container's process tells the shim: a socket of
//! messages, closed by the kernel when the program is executed.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use dhow_runtime::protocol::Failure;
use dhow_sys::fdpass;
use serde::{Deserialize, Serialize};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// The process that will be the program, in the shim's numbering.
    Process(u32),
    /// The master side of its terminal comes beside this message.
    Terminal,
    /// Something asked for that this host cannot give.
    Warning(String),
    /// What was logged of a failure that will be reported; the first of
    /// several is closest to the cause.
    Detail(String),
    /// It did not work out. The first of several counts: it comes from where
    /// things went wrong.
    Failed(Failure),
}

/// The child's end. A plain number, so that it can be carried through
/// libcontainer's callbacks and closes on exec like any other.
#[derive(Debug, Clone, Copy)]
pub struct Reporter(RawFd);

/// A message is never longer.
pub const LONGEST: usize = 16 * 1024;

/// Makes both ends. The first is the shim's and does not block.
pub fn channel() -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((ours, theirs))
}

/// Receives a message and what came beside it; `None` when all holders of the
/// other end are gone. `buffer` holds at least [`LONGEST`] bytes.
pub fn receive(
    socket: &OwnedFd,
    buffer: &mut [u8],
) -> io::Result<Option<(Report, Option<OwnedFd>)>> {
    let mut fds = Vec::new();
    let length = fdpass::recv(socket, buffer, &mut fds)?;
    if length == 0 {
        return Ok(None);
    }
    let report = serde_json::from_slice(&buffer[..length])?;
    Ok(Some((report, fds.pop())))
}

impl Reporter {
    /// Reports through this socket, which must stay open.
    pub fn new(socket: &OwnedFd) -> Self {
        Self(socket.as_raw_fd())
    }

    pub fn send(self, report: &Report) {
        self.send_with(report, None);
    }

    pub fn send_with(self, report: &Report, fd: Option<BorrowedFd<'_>>) {
        let mut bytes = serde_json::to_vec(report).expect("reports are JSON");
        if bytes.len() > LONGEST {
            let short = |text: &String| -> String { text.chars().take(LONGEST / 8).collect() };
            let report = match report {
                Report::Failed(failure) => {
                    Report::Failed(Failure::new(failure.kind, short(&failure.message)))
                }
                Report::Detail(text) => Report::Detail(short(text)),
                Report::Warning(text) => Report::Warning(short(text)),
                other => other.clone(),
            };
            bytes = serde_json::to_vec(&report).expect("reports are JSON");
        }
        // The shim may be gone; then nobody is left to be told.
        let _ = fdpass::send(self.socket(), &bytes, fd);
    }

    fn socket(&self) -> BorrowedFd<'_> {
        // SAFETY: whoever made the reporter keeps the socket open; a child
        // inherits it under the same number.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

impl AsFd for Reporter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket()
    }
}
