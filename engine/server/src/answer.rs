//! Building answers: JSON values, empty ones, and bodies that are sent as they
//! come.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use dhow_local::{ByteStream, Error, JsonStream};
use futures_util::{StreamExt, TryStreamExt};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// What every handler returns.
pub(crate) type Answer = Result<Response, Failure>;

/// 200 with `value`.
pub(crate) fn json<T: Serialize>(value: &T) -> Answer {
    Ok(json_with(StatusCode::OK, &to_value(value)?))
}

/// `status` with `value`.
pub(crate) fn json_status<T: Serialize>(status: StatusCode, value: &T) -> Answer {
    Ok(json_with(status, &to_value(value)?))
}

/// `value` as the tree that the version rules work on.
pub(crate) fn to_value<T: Serialize>(value: &T) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(Error::from)
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

/// A sequence of JSON objects, each sent when it comes and ended by `end`. An
/// error becomes the last object, in the form that progress streams use.
pub(crate) fn objects<T: Serialize + Send + 'static>(
    stream: JsonStream<T>,
    end: &'static str,
    closing: &CancellationToken,
) -> Response {
    let lines = stream
        .map(move |item| {
            let value = match item {
                Ok(item) => serde_json::to_string(&item),
                Err(error) => serde_json::to_string(&error_object(&error)),
            };
            value.map(|mut text| {
                text.push_str(end);
                Bytes::from(text)
            })
        })
        .take_until(closing.clone().cancelled_owned());
    typed(StatusCode::OK, "application/json", Body::from_stream(lines))
}

fn error_object(error: &Error) -> Value {
    let message = error.to_string();
    serde_json::json!({ "errorDetail": { "message": message }, "error": message })
}
