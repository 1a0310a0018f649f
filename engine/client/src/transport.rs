//! A byte stream to an endpoint: unix socket, TCP, TLS, or the stdio of an ssh
//! that runs `dial-stdio` at the other end.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::tls;

/// Anything that bytes go both ways through. Shutting down its writing side
/// must tell the other end that no more will come: that is what half-close
/// rests on.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A stream to some endpoint.
pub type Transport = Box<dyn Stream>;

/// Opens a stream to `endpoint`.
pub async fn connect(endpoint: &Endpoint) -> Result<Transport, Error> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::PermissionDenied => Error::PermissionDenied {
            endpoint: Box::new(endpoint.clone()),
            source,
        },
        _ => Error::Unreachable {
            endpoint: Box::new(endpoint.clone()),
            source,
        },
    };
    Ok(match endpoint {
        #[cfg(unix)]
        Endpoint::Unix(path) => Box::new(
            tokio::net::UnixStream::connect(path)
                .await
                .map_err(failed)?,
        ),
        #[cfg(not(unix))]
        Endpoint::Unix(_) => return Err(Error::UnsupportedTransport(endpoint.to_string())),
        Endpoint::Tcp { host, port } => Box::new(tcp(host, *port).await.map_err(failed)?),
        Endpoint::Tls { host, port, files } => {
            let stream = tcp(host, *port).await.map_err(failed)?;
            Box::new(tls::wrap(stream, host, files).await?)
        }
        Endpoint::Ssh { destination, port } => Box::new(ssh(destination, *port).map_err(failed)?),
    })
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The remote side tries Dhow first and Docker second, so that a plain Docker
/// host works too.
const REMOTE_COMMAND: &str = "if command -v dhow >/dev/null 2>&1; then exec dhow system dial-stdio; \
     else exec docker system dial-stdio; fi";

fn ssh(destination: &str, port: Option<u16>) -> io::Result<Piped> {
    let mut command = Command::new("ssh");
    command.args(["-o", "ConnectTimeout=30", "-T"]);
    if let Some(port) = port {
        command.args(["-p", &port.to_string()]);
    }
    let mut child = command
        .args(["--", destination, REMOTE_COMMAND])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let missing = || io::Error::other("ssh has no standard streams");
    Ok(Piped {
        input: child.stdin.take(),
        output: child.stdout.take().ok_or_else(missing)?,
        _child: child,
    })
}

/// A child's stdin and stdout as one stream.
struct Piped {
    input: Option<ChildStdin>,
    output: ChildStdout,
    _child: Child,
}

impl AsyncRead for Piped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(context, buffer)
    }
}

impl AsyncWrite for Piped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_write(context, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Closing a pipe is the only way to end it.
        self.input = None;
        Poll::Ready(Ok(()))
    }
}
