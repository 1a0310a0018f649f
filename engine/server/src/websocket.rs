//! Attach over a websocket (RFC 6455): the opening handshake, and the copying
//! between messages and the container's stream. Framing is tungstenite's.
//!
//! Output goes out as binary messages without stdcopy frames, stdout and
//! stderr in one, as dockerd sends it; whatever comes in is input.

use std::io;

use bytes::Bytes;
use dhow_local::containers::PreparedStream;
use dhow_local::{ClientSocket, Error};
use futures_util::{SinkExt, StreamExt};
use http::HeaderMap;
use http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::hijack::{Taken, take_over};
use crate::transport::{Transport, socket_pair};

/// A client's wish for a websocket, found in order.
pub(crate) struct Handshake {
    accept: String,
}

impl Handshake {
    /// Reads the client's part of the handshake.
    pub fn read(headers: &HeaderMap) -> Result<Self, Error> {
        let text = |name| {
            headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
        };
        if !text(UPGRADE).eq_ignore_ascii_case("websocket") {
            return Err(Error::invalid("not websocket protocol"));
        }
        if text(SEC_WEBSOCKET_VERSION) != "13" {
            return Err(Error::invalid("missing or bad WebSocket Version"));
        }
        match text(SEC_WEBSOCKET_KEY) {
            "" => Err(Error::invalid("missing or bad Sec-WebSocket-Key")),
            key => Ok(Self {
                accept: derive_accept_key(key.as_bytes()),
            }),
        }
    }

    /// Answers the handshake and joins the client to `stream`.
    pub fn join(self, stream: PreparedStream) -> axum::response::Response {
        take_over(move |taken| async move {
            if let Err(error) = self.run(taken, stream).await {
                tracing::warn!("websocket not connected to its container: {error}");
            }
        })
    }

    async fn run(self, taken: Taken, stream: PreparedStream) -> Result<(), Error> {
        let Taken {
            mut transport,
            early,
        } = taken;
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            self.accept
        );
        transport.write_all(head.as_bytes()).await?;
        let multiplexed = stream.multiplexed;
        let (near, far) = socket_pair()?;
        let client = ClientSocket {
            socket: far,
            early: Bytes::new(),
        };
        stream.connect(client).await?;
        let websocket =
            WebSocketStream::from_partially_read(transport, early.to_vec(), Role::Server, None)
                .await;
        // Nobody waits for it, least of all a daemon that wants to go.
        tokio::spawn(async move {
            if let Err(error) = copy(websocket, near, multiplexed).await {
                tracing::debug!("websocket ended: {error}");
            }
        });
        Ok(())
    }
}

/// Copies until the container's output ends or the client is gone.
async fn copy(
    websocket: WebSocketStream<Transport>,
    container: UnixStream,
    multiplexed: bool,
) -> io::Result<()> {
    let (mut to_client, mut from_client) = websocket.split();
    let (mut from_container, mut to_container) = container.into_split();
    let input = async {
        while let Some(Ok(message)) = from_client.next().await {
            let input = match message {
                Message::Binary(_) | Message::Text(_) => message.into_data(),
                // Among these is the client's goodbye: it is answered while
                // the next message is waited for, and none comes.
                _ => continue,
            };
            if to_container.write_all(&input).await.is_err() {
                break;
            }
        }
        let _container_gone = to_container.shutdown().await;
    };
    let output = async {
        let mut frames = multiplexed.then(Frames::default);
        let mut buffer = vec![0; 32 << 10];
        loop {
            let read = from_container.read(&mut buffer).await?;
            if read == 0 {
                let _client_gone = to_client.close().await;
                return Ok(());
            }
            let payload = match &mut frames {
                Some(frames) => frames.payload(&buffer[..read]),
                None => buffer[..read].to_vec(),
            };
            if !payload.is_empty() && to_client.send(Message::binary(payload)).await.is_err() {
                return Ok(());
            }
        }
    };
    // A websocket cannot be closed by half: either end is the end.
    tokio::select! {
        result = output => result,
        () = input => Ok(()),
    }
}

/// Takes stdcopy headers out of a byte stream: a stream number, three zero
/// bytes, the payload's length in big-endian order.
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    left: usize,
}

impl Frames {
    const HEADER: usize = 8;

    fn payload(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(bytes.len());
        while !bytes.is_empty() {
            if self.left > 0 {
                let (now, later) = bytes.split_at(self.left.min(bytes.len()));
                payload.extend_from_slice(now);
                self.left -= now.len();
                bytes = later;
                continue;
            }
            let missing = Self::HEADER - self.header.len();
            let (now, later) = bytes.split_at(missing.min(bytes.len()));
            self.header.extend_from_slice(now);
            bytes = later;
            if let [_, _, _, _, length @ ..] = self.header.as_slice()
                && let Ok(length) = <[u8; 4]>::try_from(length)
            {
                self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                self.header.clear();
            }
        }
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_frames_apart_at_any_cut() {
        let mut stream = Vec::new();
        for (number, text) in [(1u8, "hello "), (2, ""), (2, "world")] {
            stream.extend([number, 0, 0, 0]);
            stream.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
            stream.extend(text.as_bytes());
        }
        for cut in 1..stream.len() {
            let mut frames = Frames::default();
            let payload: Vec<u8> = stream
                .chunks(cut)
                .flat_map(|chunk| frames.payload(chunk))
                .collect();
            assert_eq!(payload, b"hello world", "cut every {cut} bytes");
        }
    }

    #[test]
    fn refuses_what_is_no_websocket() {
        let words = |pairs: &[(&'static str, &str)]| {
            let headers = pairs
                .iter()
                .map(|(k, v)| (http::HeaderName::from_static(k), v.parse().unwrap()))
                .collect();
            Handshake::read(&headers)
                .map(|h| h.accept)
                .map_err(|e| e.to_string())
        };
        assert_eq!(words(&[]), Err("not websocket protocol".to_owned()));
        let good = [
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        assert!(words(&good[..2]).is_err());
        // The example of RFC 6455, section 1.3.
        assert_eq!(words(&good), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned()));
    }
}
