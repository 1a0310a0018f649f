//! Answers, and the headers that every one of them carries so that browsers
//! keep other pages away from it.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};

/// Why a body broke off.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of any answer.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Says whether and why an answer is not the engine's: `unreachable`,
/// `denied`, `session`.
pub const BRIDGE: HeaderName = HeaderName::from_static("dhow-bridge");

/// What a page of ours may do: load what is served beside it, and ask us.
const PAGES: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Anything else, containers' files among it, is no page at all.
const NOTHING: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

const OWN: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (http::header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
];

/// A body that is known.
pub fn whole(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// A JSON answer.
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(whole(value.to_string().into()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// An error in the engine's own form.
pub fn error(status: StatusCode, message: &str) -> Response<Body> {
    json(status, &problem(message))
}

/// The same, which says that the engine had no part in it.
pub fn failure(status: StatusCode, reason: &'static str, message: &str) -> Response<Body> {
    let mut response = error(status, message);
    let headers = response.headers_mut();
    headers.insert(BRIDGE, HeaderValue::from_static(reason));
    response
}

/// What an error says, in the engine's own form.
pub fn problem(message: &str) -> serde_json::Value {
    serde_json::json!({ "message": message })
}

/// Adds to `response` what every answer carries.
pub fn guard(response: &mut Response<Body>, page: bool) {
    let headers = response.headers_mut();
    for (name, value) in OWN {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = if page { PAGES } else { NOTHING };
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if !page {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
