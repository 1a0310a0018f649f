//! The byte bridge: carries HTTP between the page and the engine, and knows
//! nothing of what is said.
//!
//! Whoever can speak to the engine is as powerful as root, so the bridge is
//! for one page only, the app's own in its own window: the capabilities name
//! it, `window` keeps every other page out of it, and [`path`] says what
//! may be asked for.

mod exchange;
mod failure;
pub mod path;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use dhow_client::{Body, Client, Logins, Method, Opened};
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use tauri::State;
use tauri::ipc::{InvokeBody, Request, Response};

use crate::engine::{Engine, find};
use crate::notices::{Notifier, task};
pub use exchange::Exchanges;
use exchange::{Exchange, Number};
use failure::{Failure, Kind};
use path::Path;

/// What the page asks for.
#[derive(Deserialize)]
pub struct Head {
    number: Number,
    method: String,
    path: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: BodyHead,
}

/// What is said about a body before it comes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyHead {
    /// There is none.
    #[default]
    None,
    /// This is it.
    Text(String),
    /// It was expected, and is being written.
    Follows,
}

/// What the engine answered, before its body.
#[derive(Serialize)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    /// Whether the connection is the page's now.
    duplex: bool,
}

/// The page is going to write this request's body.
#[tauri::command]
pub fn engine_expect(number: Number, exchanges: State<'_, Exchanges>) -> Result<(), Failure> {
    exchanges.expect(number)
}

/// Sends a request; its answer's body is to be read.
#[tauri::command]
pub async fn engine_request(
    head: Head,
    engine: State<'_, Engine>,
    exchanges: State<'_, Exchanges>,
    logins: State<'_, Logins>,
    notifier: State<'_, Notifier>,
) -> Result<Answer, Failure> {
    let number = head.number;
    let Prepared {
        client,
        method,
        path,
        mut headers,
    } = Prepared::of(&head, &engine)?;
    let exchange = match head.body {
        BodyHead::Follows => exchanges.get(number)?,
        BodyHead::None | BodyHead::Text(_) => exchanges.begin(number)?,
    };
    let long = task::name(&method, &path);
    // A registry may be waited for before there is any answer.
    let since = Instant::now();
    let sent = exchange
        .unless_cancelled(async {
            let shown = logins.show(&mut headers).await;
            shown.map_err(|error| Failure::invalid(find::sentence(&error)))?;
            let request = request(method, &path, headers, head.body, &exchange)?;
            let answer = client.pass(request).await;
            answer.map_err(|error| Failure::of(&error))
        })
        .await;
    match sent {
        Ok(response) => {
            if let Some(name) = long {
                let good = response.status().is_success();
                notifier.begun(number, name, good, since);
            }
            Ok(answered(&exchange, response).await)
        }
        Err(failure) => {
            exchanges.cancel(number);
            Err(told(failure, &engine))
        }
    }
}

/// Sends a request to take over the connection.
#[tauri::command]
pub async fn engine_open(
    head: Head,
    engine: State<'_, Engine>,
    exchanges: State<'_, Exchanges>,
    logins: State<'_, Logins>,
) -> Result<Answer, Failure> {
    let number = head.number;
    if matches!(head.body, BodyHead::Follows) {
        let sentence = "what opens a connection has its body with it";
        return Err(Failure::invalid(sentence.to_owned()));
    }
    let Prepared {
        client,
        method,
        path,
        mut headers,
    } = Prepared::of(&head, &engine)?;
    let exchange = exchanges.begin(number)?;
    let opened = exchange
        .unless_cancelled(async {
            let shown = logins.show(&mut headers).await;
            shown.map_err(|error| Failure::invalid(find::sentence(&error)))?;
            let request = request(method, &path, headers, head.body, &exchange)?;
            let opened = client.pass_hijack(request).await;
            opened.map_err(|error| Failure::of(&error))
        })
        .await;
    match opened {
        Ok(Opened::Hijacked(head, connection)) => {
            exchange
                .connected(connection.reader, connection.writer)
                .await;
            Ok(Answer {
                status: head.status.as_u16(),
                headers: texts(&head.headers),
                duplex: true,
            })
        }
        Ok(Opened::Answered(response)) => Ok(answered(&exchange, response).await),
        Err(failure) => {
            exchanges.cancel(number);
            Err(told(failure, &engine))
        }
    }
}

/// Takes some of the page's bytes; resolves when there is room for more.
#[tauri::command]
pub async fn engine_write(
    request: Request<'_>,
    exchanges: State<'_, Exchanges>,
) -> Result<(), Failure> {
    let number = request
        .headers()
        .get("dhow-request")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .ok_or_else(|| Failure::invalid("bytes of no request".to_owned()))?;
    let InvokeBody::Raw(bytes) = request.body() else {
        return Err(Failure::invalid("bytes are to be written raw".to_owned()));
    };
    let bytes = Bytes::from(bytes.clone());
    exchanges.get(number)?.write(bytes).await
}

/// The page has written everything.
#[tauri::command]
pub async fn engine_finish(number: Number, exchanges: State<'_, Exchanges>) -> Result<(), Failure> {
    exchanges.get(number)?.finish().await
}

/// Gives the page what has arrived; nothing means the end.
#[tauri::command]
pub async fn engine_read(
    number: Number,
    exchanges: State<'_, Exchanges>,
    engine: State<'_, Engine>,
    notifier: State<'_, Notifier>,
) -> Result<Response, Failure> {
    match exchanges.get(number)?.read().await {
        Ok(bytes) => {
            if bytes.is_empty() {
                exchanges.cancel(number);
                notifier.ended(number, Instant::now());
            } else {
                notifier.heard(number, &bytes);
            }
            Ok(Response::new(Vec::from(bytes)))
        }
        Err(failure) => {
            exchanges.cancel(number);
            notifier.forget(number);
            Err(told(failure, &engine))
        }
    }
}

/// The page does not want any more of it.
#[tauri::command]
pub fn engine_cancel(
    number: Number,
    exchanges: State<'_, Exchanges>,
    notifier: State<'_, Notifier>,
) {
    exchanges.cancel(number);
    notifier.forget(number);
}

/// What the page asks for, once it is known to be something that may be.
struct Prepared {
    client: Arc<Client>,
    method: Method,
    path: Path,
    headers: HeaderMap,
}

impl Prepared {
    fn of(head: &Head, engine: &Engine) -> Result<Self, Failure> {
        let method = Method::from_str(&head.method)
            .ok()
            .filter(|method| method != Method::CONNECT)
            .ok_or_else(|| Failure::invalid(format!("{:?} is no method", head.method)))?;
        let path = Path::parse(&head.path).map_err(|error| Failure::invalid(error.to_string()))?;
        let headers = headers(&head.headers)?;
        let client = engine.client().ok_or_else(|| {
            let sentence = "the settings name no engine that can be understood";
            Failure::unreachable(sentence.to_owned())
        })?;
        Ok(Self {
            client,
            method,
            path,
            headers,
        })
    }
}

fn request(
    method: Method,
    path: &Path,
    headers: HeaderMap,
    body: BodyHead,
    exchange: &Exchange,
) -> Result<http::Request<Body>, Failure> {
    let body = match body {
        BodyHead::None => Body::whole(Bytes::new()),
        BodyHead::Text(text) => Body::whole(text),
        BodyHead::Follows => {
            let body = exchange.body();
            Body::stream(body.ok_or_else(|| Failure::invalid("no body was expected".to_owned()))?)
        }
    };
    let mut request = http::Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = path
        .to_string()
        .parse()
        .map_err(|_| Failure::invalid(format!("{path} is no path")))?;
    *request.headers_mut() = headers;
    Ok(request)
}

async fn answered(exchange: &Exchange, response: http::Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    exchange.answered(body).await;
    Answer {
        status: head.status.as_u16(),
        headers: texts(&head.headers),
        duplex: false,
    }
}

/// The watch learns from the page's own requests, instead of making its own.
fn told(failure: Failure, engine: &Engine) -> Failure {
    if matches!(failure.failure, Kind::Unreachable | Kind::Denied) {
        engine.lost();
    }
    failure
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let pair = HeaderName::from_str(name)
            .ok()
            .zip(HeaderValue::from_str(value).ok());
        let (name, value) =
            pair.ok_or_else(|| Failure::invalid(format!("{name:?} is no header")))?;
        headers.append(name, value);
    }
    // What is about one connection is not the page's business.
    for name in [
        CONNECTION,
        CONTENT_LENGTH,
        EXPECT,
        HOST,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ] {
        headers.remove(name);
    }
    Ok(headers)
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let texts = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_header_carries_a_second_one() {
        let pair = |name: &str, value: &str| headers(&[(name.to_owned(), value.to_owned())]);
        assert_eq!(pair("x-registry-auth", "e30=").unwrap().len(), 1);
        assert_eq!(pair("Transfer-Encoding", "chunked").unwrap().len(), 0);
        assert!(pair("x\r\ny", "z").is_err());
        assert!(pair("x", "y\r\nHost: z").is_err());
    }

    #[test]
    fn a_page_s_request_is_read() {
        let head: Head = serde_json::from_str(
            r#"{"number":1,"method":"POST","path":"/v1.51/x","headers":[["a","b"]],"body":{"text":"{}"}}"#,
        )
        .unwrap();
        assert!(matches!(head.body, BodyHead::Text(text) if text == "{}"));
        let head: Head =
            serde_json::from_str(r#"{"number":1,"method":"GET","path":"/_ping","body":"follows"}"#)
                .unwrap();
        assert!(matches!(head.body, BodyHead::Follows));
    }
}
