//! What long answers travel on.

use std::os::fd::OwnedFd;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::Error;

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
