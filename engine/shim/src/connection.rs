//! A daemon's connection: frames in, frames out, without ever blocking.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use dhow_runtime::protocol::codec::{self, Decoder};
use dhow_runtime::protocol::{Call, Message};
use dhow_sys::fdpass;

/// A daemon that does not read has so many bytes waiting before it is dropped;
/// it finds everything in the journal when it comes back.
const MOST_WAITING: usize = 4 << 20;

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    decoder: Decoder,
    /// Descriptors received and not yet claimed by a request.
    fds: VecDeque<OwnedFd>,
    out: Vec<u8>,
    /// Whether events are sent.
    pub subscribed: bool,
    /// Whether probes are told as they run.
    pub hears_probes: bool,
}

impl Connection {
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            decoder: Decoder::default(),
            fds: VecDeque::new(),
            out: Vec::new(),
            subscribed: false,
            hears_probes: false,
        })
    }

    /// Reads what is there. `false` when the daemon closed its side or sent
    /// nonsense: nothing more will come.
    pub fn receive(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let mut fds = Vec::new();
        let open = loop {
            match fdpass::recv(&self.stream, &mut buffer, &mut fds) {
                Ok(0) => break false,
                Ok(n) => self.decoder.push(&buffer[..n]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break true,
                Err(_) => break false,
            }
        };
        self.fds.extend(fds);
        open
    }

    /// The next whole call.
    pub fn next(&mut self) -> Result<Option<Call>, codec::FrameError> {
        self.decoder.next()
    }

    /// The client's socket that came with a call.
    pub fn claim(&mut self) -> Option<OwnedFd> {
        self.fds.pop_front()
    }

    /// Sends a message, or keeps it until there is room.
    pub fn send(&mut self, message: &Message) -> io::Result<()> {
        self.out.extend(codec::encode(message));
        self.flush()
    }

    /// Sends what waits, as far as it fits.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.out.len() {
            match fdpass::send(&self.stream, &self.out[sent..], None) {
                Ok(n) => sent += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        self.out.drain(..sent);
        match self.out.len() {
            0 => self.out = Vec::new(),
            waiting if waiting > MOST_WAITING => return Err(io::ErrorKind::TimedOut.into()),
            _ => {}
        }
        Ok(())
    }

    pub fn is_waiting(&self) -> bool {
        !self.out.is_empty()
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
