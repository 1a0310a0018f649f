//! A client's socket joined to a task. What does not fit into the socket waits
//! here, and while anything waits the task's output is not read: a slow client
//! holds its container back, as with Docker.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use dhow_runtime::logs::Stream;
use dhow_runtime::protocol::Attach;

use super::keys::DetachKeys;

/// A joined client.
#[derive(Debug)]
pub struct Client {
    pub task: u32,
    socket: OwnedFd,
    framed: bool,
    stdout: bool,
    stderr: bool,
    /// Whether its input is wanted still.
    pub stdin: bool,
    pub keys: DetachKeys,
    /// Input that came before the socket did.
    pub early: Vec<u8>,
    /// Output that did not fit yet.
    waiting: Vec<u8>,
    sent: usize,
    /// To be let go once everything is sent.
    pub leaving: bool,
    /// The other side is closed altogether. What it sent before is still read,
    /// but nobody waits for the socket any more.
    pub closed: bool,
}

/// What became of an attempt to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    All,
    /// Something waits for the socket.
    Waiting,
    /// The client is gone.
    Gone,
}

impl Client {
    /// Joins a socket. With a terminal there is one output stream, whichever
    /// was asked for.
    pub fn new(task: u32, tty: bool, socket: OwnedFd, attach: &Attach) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        let keys = if tty {
            attach.detach_keys.clone()
        } else {
            Vec::new()
        };
        Ok(Self {
            task,
            socket,
            framed: attach.framed.unwrap_or(!tty),
            stdout: attach.stdout || (tty && attach.stderr),
            stderr: attach.stderr,
            stdin: attach.stdin,
            keys: DetachKeys::new(keys),
            early: attach.early_input.clone(),
            waiting: Vec::new(),
            sent: 0,
            leaving: false,
            closed: false,
        })
    }

    pub fn wants(&self, stream: Stream) -> bool {
        match stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        }
    }

    /// Nobody reads what is sent here.
    pub fn stop_output(&mut self) {
        (self.stdout, self.stderr) = (false, false);
        self.waiting = Vec::new();
        self.sent = 0;
    }

    /// Whether output waits for the socket.
    pub fn is_waiting(&self) -> bool {
        self.sent < self.waiting.len()
    }

    /// Sends a chunk of output: behind a stdcopy header, or raw.
    pub fn send(&mut self, stream: Stream, chunk: &[u8]) -> Sent {
        let mut header = [0; 8];
        header[0] = match stream {
            Stream::Stdout => 1,
            Stream::Stderr => 2,
        };
        header[4..].copy_from_slice(&(chunk.len() as u32).to_be_bytes());
        let header = if self.framed { &header[..] } else { &[][..] };
        if self.is_waiting() {
            self.waiting.extend_from_slice(header);
            self.waiting.extend_from_slice(chunk);
            return Sent::Waiting;
        }
        let sent = match write(&self.socket, &[IoSlice::new(header), IoSlice::new(chunk)]) {
            Ok(sent) => sent,
            Err(_) => return Sent::Gone,
        };
        self.waiting.clear();
        self.sent = 0;
        if sent < header.len() + chunk.len() {
            self.waiting
                .extend_from_slice(&header[sent.min(header.len())..]);
            let of_chunk = sent.saturating_sub(header.len());
            self.waiting.extend_from_slice(&chunk[of_chunk..]);
            return Sent::Waiting;
        }
        Sent::All
    }

    /// Sends what waits, as far as it fits.
    pub fn flush(&mut self) -> Sent {
        if self.is_waiting() {
            match write(&self.socket, &[IoSlice::new(&self.waiting[self.sent..])]) {
                Ok(sent) => self.sent += sent,
                Err(_) => return Sent::Gone,
            }
        }
        if self.is_waiting() {
            return Sent::Waiting;
        }
        self.waiting = Vec::new();
        self.sent = 0;
        Sent::All
    }

    /// Reads input; 0 is its end.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.socket, buffer)?)
    }

    /// Ends the conversation: the client sees the end of the output. Input it
    /// sent in vain is taken away first, for closing a socket on unread input
    /// would look like an error to the client.
    pub fn close(self) {
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Write);
        let mut scrap = [0; 4096];
        while matches!(rustix::io::read(&self.socket, &mut scrap), Ok(n) if n > 0) {}
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Writes what fits: 0 bytes if nothing does.
fn write(socket: &OwnedFd, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
    loop {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match sendmsg(socket, parts, &mut SendAncillaryBuffer::default(), flags) {
            Ok(sent) => return Ok(sent),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return Ok(0),
            Err(e) => return Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn output_waits_for_a_slow_client_and_none_is_lost() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let attach = Attach {
            stdout: true,
            ..Attach::default()
        };
        let mut client = Client::new(0, false, ours.into(), &attach).unwrap();
        let chunk = vec![b'x'; 100_000];
        let mut sent = 0;
        while client.send(Stream::Stdout, &chunk) == Sent::All {
            sent += 1;
        }
        sent += 1;
        client.send(Stream::Stdout, b"end");
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).unwrap();
            all
        });
        while client.flush() == Sent::Waiting {
            std::thread::yield_now();
        }
        client.close();
        let all = reader.join().unwrap();
        assert_eq!(all.len(), sent * (chunk.len() + 8) + 8 + 3);
        assert_eq!(&all[..8], [1, 0, 0, 0, 0, 1, 0x86, 0xa0]);
        assert!(all.ends_with(b"end"));
    }

    #[test]
    fn a_client_that_left_is_noticed() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let mut client = Client::new(0, true, ours.into(), &Attach::default()).unwrap();
        assert_eq!(client.send(Stream::Stdout, b"x"), Sent::Gone);
    }
}
