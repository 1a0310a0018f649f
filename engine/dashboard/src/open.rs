//! `/engine-open`: one connection to the engine over a WebSocket.
//!
//! The first message, text, says what to ask; the answer's head goes back as
//! text. If the engine hands its connection over (attach, exec), binary
//! messages are its bytes both ways, and the text `{"end":true}` ends the
//! input and leaves the output open. Any other success follows as binary
//! messages too: browsers count connections of HTTP, and not these. What the
//! engine refuses is in the text.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dhow_client::{Client, Hijacked, Logins, Opened, WriteHalf};
use dhow_model::error::chain;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{
    CONNECTION, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::answer::{self, BRIDGE, Body};
use crate::engine::explain;
use crate::headers;
use crate::secret::Secret;

/// Where it is.
pub const PATH: &str = "/engine-open";

/// How long a page may take to say what it wants, and to say goodbye.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest message, and the most of a refusal that is passed on.
const LARGEST: usize = 1 << 20;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

#[derive(Deserialize)]
struct Wanted {
    session: Option<String>,
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

#[derive(Serialize)]
struct Answered {
    status: u16,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

#[derive(Deserialize)]
struct Command {
    end: bool,
}

/// Answers the opening handshake; the rest goes on beside it, for whoever
/// shows `key`.
pub fn open(
    client: Arc<Client>,
    logins: Arc<Logins>,
    key: Secret,
    request: Request<Incoming>,
) -> Response<Body> {
    let text = |name| {
        let value = request.headers().get(name);
        value.and_then(|v| v.to_str().ok()).unwrap_or_default()
    };
    let (nonce, version) = (text(SEC_WEBSOCKET_KEY), text(SEC_WEBSOCKET_VERSION));
    if !text(UPGRADE).eq_ignore_ascii_case("websocket") || nonce.is_empty() || version != "13" {
        return answer::error(StatusCode::BAD_REQUEST, "a WebSocket is needed here");
    }
    let Ok(accept) = HeaderValue::try_from(derive_accept_key(nonce.as_bytes())) else {
        return answer::error(StatusCode::BAD_REQUEST, "a WebSocket is needed here");
    };
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else {
            return;
        };
        let limits = WebSocketConfig::default()
            .max_message_size(Some(LARGEST))
            .max_frame_size(Some(LARGEST));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits)).await;
        converse(&client, &logins, &key, socket).await;
    });
    let mut response = answer::empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

async fn converse(client: &Client, logins: &Logins, key: &Secret, socket: Socket) {
    let (mut sink, mut stream) = socket.split();
    let first = timeout(PATIENCE, stream.next()).await;
    let Ok(Some(Ok(Message::Text(first)))) = first else {
        return;
    };
    let asked = match request(&first, logins, key).await {
        Ok(asked) => asked,
        Err(refusal) => return say_and_close(refusal, sink, stream).await,
    };
    // Whoever leaves while the engine thinks takes the request along.
    let opened = tokio::select! {
        opened = client.pass_hijack(asked) => opened,
        () = leaves(&mut stream) => return,
    };
    match opened {
        Ok(Opened::Hijacked(head, hijacked)) => {
            let answered = Answered::new(head.status, &head.headers, None);
            if say(&answered, &mut sink).await {
                join(hijacked, sink, stream).await;
            }
        }
        Ok(Opened::Answered(response)) if response.status().is_success() => {
            let (head, body) = response.into_parts();
            let answered = Answered::new(head.status, &head.headers, None);
            if say(&answered, &mut sink).await {
                follow(body, sink, stream).await;
            }
        }
        Ok(Opened::Answered(response)) => {
            let (head, body) = response.into_parts();
            let whole = Limited::new(body, LARGEST).collect().await;
            let bytes = whole.map(|whole| whole.to_bytes()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let answered = Answered::new(head.status, &head.headers, Some(text));
            say_and_close(answered, sink, stream).await;
        }
        Err(error) => {
            let (reason, message) = explain(&error);
            let refusal = Answered::failure(StatusCode::BAD_GATEWAY, Some(reason), &message);
            say_and_close(refusal, sink, stream).await;
        }
    }
}

/// What the first message asks of the engine.
async fn request(
    first: &str,
    logins: &Logins,
    key: &Secret,
) -> Result<Request<dhow_client::Body>, Answered> {
    let refused = |message: &str| Answered::failure(StatusCode::BAD_REQUEST, None, message);
    let wanted: Wanted = serde_json::from_str(first)
        .map_err(|error| refused(&format!("the first message cannot be read: {error}")))?;
    if !wanted.session.is_some_and(|text| key.is(&text)) {
        let message = "this page has no session";
        return Err(Answered::failure(
            StatusCode::UNAUTHORIZED,
            Some("session"),
            message,
        ));
    }
    let mut request = Request::builder()
        .method(wanted.method.as_str())
        .uri(&wanted.path);
    for (name, value) in &wanted.headers {
        request = request.header(name, value);
    }
    let body = dhow_client::Body::whole(wanted.body.unwrap_or_default());
    let mut request = request
        .body(body)
        .map_err(|error| refused(&error.to_string()))?;
    if request.uri().authority().is_some() || !request.uri().path().starts_with('/') {
        return Err(refused("that is no path of the engine"));
    }
    let shown = logins.show(request.headers_mut()).await;
    shown.map_err(|error| refused(&chain(&error)))?;
    let kept = headers::to_engine(request.headers());
    *request.headers_mut() = kept;
    // The body's own length is what counts.
    request.headers_mut().remove(http::header::CONTENT_LENGTH);
    Ok(request)
}

/// Copies both ways until the engine's side ends or the page is gone.
async fn join(hijacked: Hijacked, mut sink: Sink, mut stream: Stream) {
    let Hijacked {
        mut reader,
        mut writer,
        ..
    } = hijacked;
    let input = async {
        let mut open = true;
        while let Some(Ok(message)) = stream.next().await {
            match message {
                // An engine that wants no more input may still have output.
                Message::Binary(bytes) if open => open = written(&mut writer, &bytes).await,
                Message::Text(text) if is_end(&text) => {
                    open = false;
                    let _ = writer.shutdown().await;
                }
                Message::Text(_) | Message::Close(_) => return,
                _ => {}
            }
        }
    };
    let output = async {
        let mut buffer = vec![0; 32 << 10];
        loop {
            match reader.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    let bytes = Bytes::copy_from_slice(&buffer[..count]);
                    if sink.send(Message::Binary(bytes)).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    tokio::select! {
        () = output => {}
        () = input => return,
    }
    close(sink, stream).await;
}

/// Sends a body until it ends or the page is gone.
async fn follow(mut body: Incoming, mut sink: Sink, mut stream: Stream) {
    let output = async {
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            // A page that was closed does not read any more.
            if !bytes.is_empty() && sink.send(Message::Binary(bytes)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = output => {}
        () = leaves(&mut stream) => return,
    }
    close(sink, stream).await;
}

type Sink = SplitSink<Socket, Message>;
type Stream = SplitStream<Socket>;

/// Waits until the page closes, or says something that it should not say.
async fn leaves(stream: &mut Stream) {
    while let Some(Ok(Message::Ping(_) | Message::Pong(_))) = stream.next().await {}
}

async fn say(answered: &Answered, sink: &mut Sink) -> bool {
    let Ok(text) = serde_json::to_string(answered) else {
        return false;
    };
    sink.send(Message::text(text)).await.is_ok()
}

async fn say_and_close(answered: Answered, mut sink: Sink, stream: Stream) {
    if say(&answered, &mut sink).await {
        close(sink, stream).await;
    }
}

/// Says goodbye, and waits for the answer: closing at once could cost the page
/// the last messages.
async fn close(mut sink: Sink, mut stream: Stream) {
    let goodbye = async {
        if sink.close().await.is_ok() {
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    let _ = timeout(PATIENCE, goodbye).await;
}

/// Whether the engine takes it. TLS keeps some back until it is flushed.
async fn written(writer: &mut WriteHalf, bytes: &[u8]) -> bool {
    writer.write_all(bytes).await.is_ok() && writer.flush().await.is_ok()
}

fn is_end(text: &str) -> bool {
    serde_json::from_str::<Command>(text).is_ok_and(|command| command.end)
}

impl Answered {
    fn new(status: StatusCode, headers: &HeaderMap, body: Option<String>) -> Self {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &headers::to_browser(headers) {
            let value = String::from_utf8_lossy(value.as_bytes());
            texts
                .entry(name.as_str().to_owned())
                .and_modify(|text| *text = format!("{text}, {value}"))
                .or_insert_with(|| value.into_owned());
        }
        Self {
            status: status.as_u16(),
            headers: texts,
            body,
        }
    }

    fn failure(status: StatusCode, reason: Option<&str>, message: &str) -> Self {
        let reason = reason.map(|reason| (BRIDGE.as_str().to_owned(), reason.to_owned()));
        Self {
            status: status.as_u16(),
            headers: reason.into_iter().collect(),
            body: Some(answer::problem(message).to_string()),
        }
    }
}
