//! One request as handlers see it. All handlers take a [`Call`] and nothing
//! else, which keeps axum's generics to one shape.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRequest, RawPathParams, Request};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use dhow_local::images::AuthConfig;
use dhow_local::{ByteStream, Error, LocalEngine};
use dhow_model::ErrorKind;
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::caseless::Caseless;
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::go_json;
use crate::query::Query;
use crate::version::{ApiVersion, NEWEST};

/// A JSON body may have this many bytes; create bodies of the largest Compose
/// files stay below a hundredth of it.
const MAX_JSON: usize = 8 << 20;

/// What all requests share.
pub(crate) struct App {
    pub engine: LocalEngine,
    /// `None` where nobody has a file, as in tests.
    pub configuration: Option<Arc<dyn Configuration>>,
    pub closing: CancellationToken,
}

/// One request.
pub(crate) struct Call {
    pub app: Arc<App>,
    pub version: ApiVersion,
    pub method: Method,
    pub headers: HeaderMap,
    pub query: Query,
    params: Vec<(String, String)>,
    body: Body,
}

impl Call {
    pub fn engine(&self) -> &LocalEngine {
        &self.app.engine
    }

    /// A part of the path by its name in the route; empty if it has none.
    pub fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The body as JSON of type `T`; `None` where there is no body.
    pub async fn json<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        match self.json_value().await? {
            Some(value) => from_value(value).map(Some),
            None => Ok(None),
        }
    }

    /// The body as JSON; `None` where there is no body.
    pub async fn json_value(self) -> Result<Option<Value>, Error> {
        let length = self.body.size_hint().exact();
        check_json_type(&self.headers, length == Some(0))?;
        if length == Some(0) {
            return Ok(None);
        }
        let bytes = collect(self.body).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::invalid(
                "invalid JSON: got EOF while reading request body",
            ));
        }
        parse_json(&bytes).map(Some)
    }

    /// The body as it comes.
    pub fn upload(self) -> Upload {
        Upload(Arc::new(Mutex::new(self.body.into_data_stream())))
    }

    /// The credentials of `X-Registry-Auth`. What can't be decoded counts as
    /// none, as in dockerd: clients of old send all kinds of things.
    pub fn registry_auth(&self) -> Option<AuthConfig> {
        let text = self.headers.get("x-registry-auth")?.to_str().ok()?;
        decode_auth(text)
    }
}

/// A body that is read in pieces by somebody else.
pub(crate) struct Upload(Arc<Mutex<BodyDataStream>>);

impl Upload {
    /// An upload that was refused may have this much left, and this long to
    /// come; a client that has more to send sees its connection close.
    const DRAINED: usize = 64 << 20;
    const DRAINING: Duration = Duration::from_secs(5);

    /// The pieces.
    pub fn stream(&self) -> ByteStream {
        stream::unfold(Arc::clone(&self.0), |body| async move {
            let piece = body.lock().await.next().await?;
            let piece = piece
                .map_err(|e| Error::new(ErrorKind::Cancelled, format!("reading the request: {e}")));
            Some((piece, body))
        })
        // Readers that are at the end may ask once more.
        .fuse()
        .boxed()
    }

    /// Passes `result` on. If it is a failure, the rest is read first:
    /// clients look for an answer only when they have sent everything.
    pub async fn settle<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        if result.is_err() {
            let rest = async {
                let mut left = Self::DRAINED;
                let mut body = self.0.lock().await;
                while let Some(Ok(piece)) = body.next().await {
                    match left.checked_sub(piece.len()) {
                        Some(less) => left = less,
                        None => break,
                    }
                }
            };
            let _late_or_not = tokio::time::timeout(Self::DRAINING, rest).await;
        }
        result
    }
}

impl FromRequest<Arc<App>> for Call {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        use axum::extract::FromRequestParts;
        let (mut parts, body) = request.into_parts();
        let params = match RawPathParams::from_request_parts(&mut parts, app).await {
            Ok(params) => params
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            Err(error) => return Err(Error::invalid(error.to_string()).into()),
        };
        Ok(Self {
            app: Arc::clone(app),
            version: parts.extensions.get().copied().unwrap_or(NEWEST),
            query: Query::parse(parts.uri.query().unwrap_or_default())?,
            method: parts.method,
            headers: parts.headers,
            params,
            body,
        })
    }
}

/// `value` as a `T`, with an error that says where it is none.
pub(crate) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(Caseless(value)).map_err(|error| {
        let path = error.path().to_string();
        Error::invalid(format!("invalid JSON: {path}: {}", error.into_inner()))
    })
}

fn parse_json(bytes: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        match go_json::syntax_error(bytes) {
            // Go decodes one value and then looks whether more follows.
            Some(text) if text.ends_with("after top-level value") => {
                Error::invalid("unexpected content after JSON")
            }
            Some(text) => Error::invalid(format!("invalid JSON: {text}")),
            None => Error::invalid(format!("invalid JSON: {error}")),
        }
    })
}

async fn collect(body: Body) -> Result<Bytes, Error> {
    match Limited::new(body, MAX_JSON).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::invalid(format!(
            "request body is larger than {MAX_JSON} bytes"
        ))),
        Err(error) => Err(Error::new(
            ErrorKind::Cancelled,
            format!("reading the request: {error}"),
        )),
    }
}

fn check_json_type(headers: &HeaderMap, no_body: bool) -> Result<(), Error> {
    let text = headers
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .unwrap_or_default();
    if text.is_empty() && no_body {
        return Ok(());
    }
    let media_type = text.split(';').next().unwrap_or_default().trim();
    if media_type.is_empty() {
        return Err(Error::invalid(format!(
            "malformed Content-Type header ({text}): mime: no media type"
        )));
    }
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Error::invalid(format!(
            "unsupported Content-Type header ({text}): must be 'application/json'"
        )));
    }
    Ok(())
}

/// base64url, with or without padding, and plain base64 as some clients send.
fn decode_auth(text: &str) -> Option<AuthConfig> {
    let unpadded = text.trim().trim_end_matches('=');
    let padded = format!("{unpadded}{}", "=".repeat((4 - unpadded.len() % 4) % 4));
    let json = URL_SAFE
        .decode(&padded)
        .or_else(|_| STANDARD.decode(&padded))
        .ok()?;
    let auth: AuthConfig = serde_json::from_slice(&json).ok()?;
    (auth != AuthConfig::default()).then_some(auth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_error(text: Option<&str>, no_body: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(text) = text {
            headers.insert(CONTENT_TYPE, text.parse().unwrap());
        }
        check_json_type(&headers, no_body)
            .err()
            .map(|e| e.to_string())
    }

    #[test]
    fn insists_on_json() {
        assert_eq!(type_error(None, true), None);
        assert_eq!(type_error(Some("application/json"), false), None);
        assert_eq!(
            type_error(Some("Application/JSON; charset=utf-8"), false),
            None
        );
        assert_eq!(
            type_error(Some("text/plain"), true).as_deref(),
            Some("unsupported Content-Type header (text/plain): must be 'application/json'")
        );
        assert_eq!(
            type_error(None, false).as_deref(),
            Some("malformed Content-Type header (): mime: no media type")
        );
    }

    #[test]
    fn words_json_errors_as_docker_does() {
        let words = |text: &str| parse_json(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            words("{bad"),
            "invalid JSON: invalid character 'b' looking for beginning of object key string"
        );
        assert_eq!(words("{} {}"), "unexpected content after JSON");
        assert_eq!(words(r#"{"a":"#), "invalid JSON: unexpected EOF");
    }

    #[test]
    fn says_which_field_is_wrong() {
        let body = serde_json::json!({"HostConfig": {"Memory": "much"}});
        let read = from_value::<dhow_local::models::ContainerCreateBody>(body);
        assert_eq!(
            read.unwrap_err().to_string(),
            "invalid JSON: HostConfig.Memory: invalid type: string \"much\", expected i64"
        );
    }

    #[test]
    fn reads_credentials_in_every_base64() {
        let json = r#"{"username":"a??","password":"b>>>"}"#;
        for text in [
            URL_SAFE.encode(json),
            URL_SAFE.encode(json).trim_end_matches('=').to_owned(),
            STANDARD.encode(json),
        ] {
            let auth = decode_auth(&text).unwrap();
            assert_eq!(auth.username, "a??", "{text}");
        }
        assert_eq!(decode_auth("e30="), None, "empty credentials are none");
        assert_eq!(decode_auth("!"), None);
    }
}
