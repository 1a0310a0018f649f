//! A client's connection: a plain socket, or something over a socket (TLS).

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A byte stream of any make.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What a client is connected by. Plain sockets are kept apart from the rest,
/// because they can be handed to another process as they are.
pub enum Transport {
    /// A unix stream socket.
    Unix(UnixStream),
    /// A TCP socket without encryption.
    Tcp(TcpStream),
    /// Anything else; its bytes pass through this process.
    Layered(Box<dyn Duplex>),
}

impl Transport {
    /// A socket that carries this connection: itself, or one end of a pair
    /// whose other end is copied from and to it by a task of this process.
    pub(crate) fn into_socket(self) -> io::Result<OwnedFd> {
        match self {
            Self::Unix(stream) => Ok(stream.into_std()?.into()),
            Self::Tcp(stream) => Ok(stream.into_std()?.into()),
            Self::Layered(mut layered) => {
                let (mut near, far) = socket_pair()?;
                tokio::spawn(async move {
                    let copied = tokio::io::copy_bidirectional(&mut layered, &mut near).await;
                    if let Err(error) = copied {
                        tracing::debug!("bridged connection ended: {error}");
                    }
                });
                Ok(far)
            }
        }
    }

    fn inner(self: Pin<&mut Self>) -> Pin<&mut dyn Duplex> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream),
            Self::Tcp(stream) => Pin::new(stream),
            Self::Layered(stream) => Pin::new(stream.as_mut()),
        }
    }
}

/// Two connected sockets: one for this process's runtime, one to give away.
pub(crate) fn socket_pair() -> io::Result<(UnixStream, OwnedFd)> {
    let (near, far) = StdUnixStream::pair()?;
    near.set_nonblocking(true)?;
    far.set_nonblocking(true)?;
    Ok((UnixStream::from_std(near)?, far.into()))
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(context, buffer)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Unix(stream) => stream.is_write_vectored(),
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Layered(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(context)
    }
}
