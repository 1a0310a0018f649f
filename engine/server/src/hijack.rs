//! Taking a connection away from HTTP: attach and exec answer with a head of
//! their own and then the connection belongs to the container.
//!
//! hyper's own upgrades are not used, for two reasons: Docker's clients of old
//! send no `Upgrade` header and expect `200 OK` with a raw stream behind it,
//! which hyper cannot answer; and the socket itself has to go to the shim.

use std::fmt::Write as _;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use dhow_local::ClientSocket;
use dhow_local::containers::PreparedStream;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http::header::UPGRADE;
use tokio::io::AsyncWriteExt;

use crate::service::standard_headers;
use crate::transport::Transport;

/// Raw bytes both ways.
pub(crate) const RAW_STREAM: &str = "application/vnd.docker.raw-stream";
/// Output in frames of an 8-byte header and its bytes.
pub(crate) const MULTIPLEXED_STREAM: &str = "application/vnd.docker.multiplexed-stream";

/// What is done with a connection once HTTP has let go of it.
pub(crate) type Takeover = Box<dyn FnOnce(Taken) -> BoxFuture<'static, ()> + Send>;

/// A connection without HTTP.
pub(crate) struct Taken {
    pub transport: Transport,
    /// What the client sent behind its request.
    pub early: Bytes,
}

#[derive(Clone)]
struct Marker(Arc<Mutex<Option<Takeover>>>);

/// The answer of a handler that wants the connection itself.
pub(crate) fn take_over<F, W>(work: W) -> Response
where
    W: FnOnce(Taken) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let takeover: Takeover = Box::new(|taken| Box::pin(work(taken)));
    let mut response = Response::new(Body::empty());
    let marker = Marker(Arc::new(Mutex::new(Some(takeover))));
    response.extensions_mut().insert(marker);
    response
}

/// The takeover that `response` asks for, if it is not an ordinary answer.
pub(crate) fn requested(response: &mut Response) -> Option<Takeover> {
    let Marker(slot) = response.extensions_mut().remove::<Marker>()?;
    slot.lock().unwrap_or_else(|p| p.into_inner()).take()
}

/// How the client asked to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// `101 UPGRADED` with this content type.
    Upgraded(&'static str),
    /// `200 OK` with a raw stream, for clients that sent no `Upgrade`.
    Plain,
}

impl Head {
    /// Docker's choice: the multiplexed type is only named to those who
    /// upgrade and know of it.
    pub fn choose(headers: &HeaderMap, knows_multiplexed: bool, multiplexed: bool) -> Self {
        if !headers.contains_key(UPGRADE) {
            return Self::Plain;
        }
        Self::Upgraded(if multiplexed && knows_multiplexed {
            MULTIPLEXED_STREAM
        } else {
            RAW_STREAM
        })
    }

    fn text(self) -> String {
        let mut text = match self {
            Self::Upgraded(content_type) => format!(
                "HTTP/1.1 101 UPGRADED\r\nContent-Type: {content_type}\r\n\
                 Connection: Upgrade\r\nUpgrade: tcp\r\n"
            ),
            Self::Plain => format!("HTTP/1.1 200 OK\r\nContent-Type: {RAW_STREAM}\r\n"),
        };
        for (name, value) in standard_headers() {
            let name = title_case(name.as_str());
            let _infallible = write!(text, "{name}: {}\r\n", value.to_str().unwrap_or_default());
        }
        text.push_str("\r\n");
        text
    }
}

/// `api-version` as Go and hyper spell it on the wire: `Api-Version`.
fn title_case(name: &str) -> String {
    let mut upper = true;
    name.chars()
        .map(|c| {
            let spelled = if upper { c.to_ascii_uppercase() } else { c };
            upper = c == '-';
            spelled
        })
        .collect()
}

/// Answers with `head` and joins the client to `stream`.
pub(crate) fn join(head: Head, stream: PreparedStream) -> Response {
    take_over(move |taken| async move {
        let joined = async {
            let client = answer(taken, head).await.map_err(dhow_local::Error::from)?;
            stream.connect(client).await
        };
        // The head is out, so all that is left to tell the client is the end.
        if let Err(error) = joined.await {
            tracing::warn!("client not connected to its container: {error}");
        }
    })
}

/// Writes the head; what is left is the client's own socket.
pub(crate) async fn answer(mut taken: Taken, head: Head) -> io::Result<ClientSocket> {
    taken.transport.write_all(head.text().as_bytes()).await?;
    taken.transport.flush().await?;
    Ok(ClientSocket {
        socket: taken.transport.into_socket()?,
        early: taken.early,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(upgrade: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if upgrade {
            headers.insert(UPGRADE, "tcp".parse().unwrap());
        }
        headers
    }

    #[test]
    fn answers_in_the_way_the_client_asked() {
        let choose =
            |upgrade, knows, multiplexed| Head::choose(&headers(upgrade), knows, multiplexed);
        assert_eq!(choose(true, true, true), Head::Upgraded(MULTIPLEXED_STREAM));
        assert_eq!(choose(true, true, false), Head::Upgraded(RAW_STREAM));
        assert_eq!(choose(true, false, true), Head::Upgraded(RAW_STREAM));
        assert_eq!(choose(false, true, true), Head::Plain);
    }

    #[test]
    fn writes_the_head_that_clients_know() {
        let text = Head::Upgraded(RAW_STREAM).text();
        assert!(text.starts_with("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"), "{text}");
        assert!(text.contains("\r\nApi-Version: 1.55\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\n"));
        assert!(Head::Plain.text().starts_with("HTTP/1.1 200 OK\r\n"));
    }
}
