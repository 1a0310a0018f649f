//! What long answers travel on.

use std::io::{self, BufWriter, Read, Write};
use std::os::fd::OwnedFd;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::{Error, Result};

/// A body of bytes, sent as it comes.
pub type ByteStream = BoxStream<'static, Result<Bytes, Error>>;

/// A sequence of messages, each sent as one JSON object when it comes.
pub type JsonStream<T> = BoxStream<'static, Result<T, Error>>;

/// A client's own connection after the HTTP upgrade.
///
/// It is handed to the container's shim, so that the client's terminal goes on
/// even while the daemon is replaced. A connection that is not a plain socket
/// (TLS, websocket) is bridged by the caller through a socket pair.
#[derive(Debug)]
pub struct ClientSocket {
    /// A connected stream socket; closing its write side ends stdin.
    pub socket: OwnedFd,
    /// What the client sent behind its request, read by the HTTP parser.
    pub early: Bytes,
}

/// How many chunks may wait between a blocking side and an async one.
const WAITING: usize = 8;

/// The size of a chunk that a blocking writer hands on.
const CHUNK: usize = 64 * 1024;

/// The bytes that `write` writes, on a thread that may block. When the reader
/// goes away the writer's next write fails.
pub(crate) fn produce(
    write: impl FnOnce(&mut dyn Write) -> Result<()> + Send + 'static,
) -> ByteStream {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(CHUNK, Sender(sender.clone()));
        let written = write(&mut out).and_then(|()| Ok(out.flush()?));
        if let Err(error) = written {
            let _reader_may_be_gone = sender.blocking_send(Err(error));
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    })
    .boxed()
}

struct Sender(mpsc::Sender<Result<Bytes>>);

impl Write for Sender {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(data)))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `stream` as a reader for a thread that may block; not for async tasks, but
/// to be called from one.
pub(crate) fn reader(stream: ByteStream) -> impl Read + Send + 'static {
    Reader {
        stream,
        runtime: Handle::current(),
        chunk: Bytes::new(),
    }
}

struct Reader {
    stream: ByteStream,
    runtime: Handle,
    chunk: Bytes,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                Some(chunk) => self.chunk = chunk.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let length = self.chunk.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.chunk.split_to(length));
        Ok(length)
    }
}
