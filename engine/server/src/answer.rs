//! Building answers: JSON values, empty ones, and bodies that are sent as they
//! come.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use dhow_local::{ByteStream, Error, JsonStream};
use futures_util::{StreamExt, TryStreamExt};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::ordered;
use crate::version::ApiVersion;

/// What every handler returns.
pub(crate) type Answer = Result<Response, Failure>;

/// 200 with `value`.
pub(crate) fn json<T: Serialize>(value: &T) -> Answer {
    Ok(json_with(StatusCode::OK, &to_value(value)?))
}

/// 200 with a tree that the version rules have worked on, in its own order.
pub(crate) fn tree(value: Value) -> Answer {
    Ok(json_with(StatusCode::OK, &value))
}

/// `status` with `value`.
pub(crate) fn json_status<T: Serialize>(status: StatusCode, value: &T) -> Answer {
    Ok(json_with(status, &to_value(value)?))
}

/// `value` as the tree that the version rules work on.
pub(crate) fn to_value<T: Serialize>(value: &T) -> Result<Value, Error> {
    ordered::to_value(value).map_err(Error::from)
}

/// `status` with a JSON body, ended by a newline as Go's encoder does.
pub(crate) fn json_with(status: StatusCode, value: &Value) -> Response {
    let mut text = value.to_string();
    text.push('\n');
    typed(status, "application/json", Body::from(text))
}

/// `status` and no body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    // hyper leaves the length out where the standard forbids it, and clients
    // that keep the connection need it everywhere else.
    if !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    response
}

/// 204.
pub(crate) fn no_content() -> Answer {
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `status` with a body of the given type.
pub(crate) fn typed(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A body sent as it comes. An error in the middle breaks the connection off,
/// so that the client can tell a cut body from a whole one. Dropped, and with
/// it the work behind it, when the client goes away or the daemon closes.
pub(crate) fn bytes(
    content_type: &'static str,
    stream: ByteStream,
    closing: &CancellationToken,
) -> Response {
    let stream = stream
        .inspect_err(|error| tracing::warn!("answer cut off: {error}"))
        .take_until(closing.clone().cancelled_owned());
    typed(StatusCode::OK, content_type, Body::from_stream(stream))
}

/// How a sequence of JSON objects is set apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    content_type: &'static str,
    begin: &'static str,
    end: &'static str,
}

impl Form {
    /// One object a line.
    pub const LINES: Self = Self::of("application/json", "", "\n");
    /// Progress messages, ended as Docker always ended them.
    pub const PROGRESS: Self = Self::of("application/json", "", "\r\n");

    const fn of(content_type: &'static str, begin: &'static str, end: &'static str) -> Self {
        Self {
            content_type,
            begin,
            end,
        }
    }

    /// The form of events that a client asks for by `Accept`; since 1.52.
    pub fn accepted(headers: &HeaderMap, version: ApiVersion) -> Self {
        const FORMS: [Form; 3] = [
            Form::of("application/json-seq", "\u{1e}", "\n"),
            Form::of("application/jsonl", "", "\n"),
            Form::of("application/x-ndjson", "", "\n"),
        ];
        let accept = headers.get(ACCEPT).and_then(|v| v.to_str().ok());
        let wanted = accept.unwrap_or_default().split(',').map(|part| {
            let media_type = part.split(';').next().unwrap_or_default();
            media_type.trim()
        });
        wanted
            .filter(|_| version.at_least(52))
            .find_map(|wanted| FORMS.into_iter().find(|form| form.content_type == wanted))
            .unwrap_or(Self::LINES)
    }
}

/// A sequence of JSON objects in `form`, each sent when it comes; those that
/// hold hash maps are to come as trees, whose order is settled. An error
/// becomes the last object, as progress streams have it.
pub(crate) fn objects<T: Serialize + Send + 'static>(
    stream: JsonStream<T>,
    form: Form,
    closing: &CancellationToken,
) -> Response {
    let lines = stream
        .map(move |item| {
            let value = match item {
                Ok(item) => serde_json::to_string(&item),
                Err(error) => serde_json::to_string(&error_object(&error)),
            };
            value.map(|text| Bytes::from(format!("{}{text}{}", form.begin, form.end)))
        })
        .take_until(closing.clone().cancelled_owned());
    typed(StatusCode::OK, form.content_type, Body::from_stream(lines))
}

fn error_object(error: &Error) -> Value {
    let message = error.to_string();
    serde_json::json!({ "errorDetail": { "message": message }, "error": message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_choose_how_events_are_set_apart() {
        let choose = |accept: &str, minor| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            Form::accepted(&headers, ApiVersion::new(1, minor)).content_type
        };
        assert_eq!(choose("application/json-seq", 52), "application/json-seq");
        assert_eq!(
            choose("text/html, application/x-ndjson;q=0.5", 55),
            "application/x-ndjson"
        );
        assert_eq!(choose("application/jsonl", 51), "application/json");
        assert_eq!(choose("*/*", 55), "application/json");
    }
}
