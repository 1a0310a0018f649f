//! The daemon's end of a shim's socket: connecting, sending a call with a
//! descriptor beside it, and a blocking client for tests and tools. An async
//! caller takes the connected stream and a [`Decoder`](super::codec::Decoder).

use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use dhow_sys::fdpass;

use super::codec::{self, Decoder, FrameError};
use super::{Answer, Call, Event, Message, Request, SOCKET_FILE};

/// Connects to the shim of the container whose run directory this is. The path
/// may be longer than socket addresses allow.
pub fn connect(run_dir: &Path) -> io::Result<UnixStream> {
    fdpass::connect_in(run_dir, SOCKET_FILE)
}

/// Sends a call, with a client's socket where the request carries one. Blocks,
/// or on a non-blocking stream fails with `WouldBlock` before anything is sent.
pub fn send(stream: &UnixStream, call: &Call, socket: Option<BorrowedFd<'_>>) -> io::Result<()> {
    fdpass::send_all(stream, &codec::encode(call), socket)
}

/// A conversation with a shim that waits for each answer.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    decoder: Decoder,
    next_id: u64,
    events: std::collections::VecDeque<Event>,
}

/// Why a conversation broke off.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the shim's socket failed")]
    Io(#[from] io::Error),
    #[error("the shim sent something else than frames")]
    Frame(#[from] FrameError),
    #[error("the shim closed the connection")]
    Closed,
}

impl Client {
    /// Talks over a connected stream.
    pub fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            decoder: Decoder::default(),
            next_id: 1,
            events: std::collections::VecDeque::new(),
        }
    }

    /// Connects to the shim in `run_dir`.
    pub fn connect(run_dir: &Path) -> io::Result<Self> {
        connect(run_dir).map(Self::new)
    }

    /// How long to wait for a message before `WouldBlock`; for ever if `None`.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.stream.set_read_timeout(timeout)
    }

    /// Sends a request and waits for its answer; events that come in between
    /// are kept for [`Client::event`].
    pub fn call(
        &mut self,
        request: Request,
        socket: Option<BorrowedFd<'_>>,
    ) -> Result<Answer, ClientError> {
        let id = self.next_id;
        self.next_id += 1;
        send(&self.stream, &Call { id, request }, socket)?;
        loop {
            match self.message()? {
                Message::Answer { id: of, answer } if of == id => return Ok(answer),
                Message::Answer { .. } => {}
                Message::Event(event) => self.events.push_back(event),
                // Told in passing: nobody here asked for it.
                Message::Probe(_) => {}
            }
        }
    }

    /// The next event, waiting for it.
    pub fn event(&mut self) -> Result<Event, ClientError> {
        if let Some(event) = self.events.pop_front() {
            return Ok(event);
        }
        loop {
            if let Message::Event(event) = self.message()? {
                return Ok(event);
            }
        }
    }

    fn message(&mut self) -> Result<Message, ClientError> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.decoder.next()? {
                return Ok(message);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(ClientError::Closed),
                Ok(n) => self.decoder.push(&buffer[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}
