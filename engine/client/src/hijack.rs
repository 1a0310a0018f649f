//! A connection that stopped being HTTP: raw bytes both ways, each direction
//! ended on its own.
//!
//! `bollard` gives an upgraded connection too, but its writing half cannot be
//! shut down while the reading half stays open, which is what
//! `echo hi | docker run -i …` needs.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::Response;
use ::http::header::CONTENT_TYPE;
use bytes::{Buf, Bytes};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::Error;
use crate::transport::Transport;

const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

/// Both halves of a hijacked connection.
pub struct Hijacked {
    /// What the engine sends.
    pub reader: ReadHalf,
    /// What the engine is sent.
    pub writer: WriteHalf,
    /// Whether the engine said that output is multiplexed. Engines before 1.42
    /// never do: there, a terminal's output is raw and any other is not.
    pub multiplexed: bool,
}

/// The engine's bytes.
pub struct ReadHalf {
    /// Bytes that came with the response's head.
    early: Bytes,
    inner: tokio::io::ReadHalf<Transport>,
}

/// Bytes for the engine. Its `shutdown` is the end of input for the engine
/// and leaves the other half open.
pub struct WriteHalf {
    inner: tokio::io::WriteHalf<Transport>,
}

impl Hijacked {
    /// Takes over the connection that `response` came on.
    pub(crate) async fn of(response: &mut Response<Incoming>) -> Result<Self, Error> {
        let content_type = response.headers().get(CONTENT_TYPE);
        let multiplexed = content_type.is_some_and(|kind| kind == MULTIPLEXED);
        let upgraded = hyper::upgrade::on(response)
            .await
            .map_err(|error| Error::broken("cannot take over the connection", error))?;
        Self::new(upgraded, multiplexed)
    }

    fn new(upgraded: Upgraded, multiplexed: bool) -> Result<Self, Error> {
        let parts = upgraded
            .downcast::<TokioIo<Transport>>()
            .map_err(|_| Error::broken("cannot take over the connection", "unknown transport"))?;
        let (reader, writer) = tokio::io::split(parts.io.into_inner());
        Ok(Self {
            reader: ReadHalf {
                early: parts.read_buf,
                inner: reader,
            },
            writer: WriteHalf { inner: writer },
            multiplexed,
        })
    }
}

impl AsyncRead for ReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.has_remaining() {
            let count = self.early.len().min(buffer.remaining());
            buffer.put_slice(&self.early[..count]);
            self.early.advance(count);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for WriteHalf {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
