//! Requests as they are made up, and their bodies as they are sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use ::http::{HeaderMap, Method};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http_body::Frame;
use http_body_util::Full;
use serde::Serialize;

use crate::version::ApiVersion;

/// A request to the API.
pub struct Request {
    pub(crate) method: Method,
    path: String,
    query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RequestBody,
}

pub(crate) enum RequestBody {
    Whole(Bytes),
    Stream(BoxStream<'static, std::io::Result<Bytes>>),
}

/// The body of a request under way.
pub struct Body(pub(crate) RequestBody);

impl Request {
    /// A request without a body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: RequestBody::Whole(Bytes::new()),
        }
    }

    /// `GET path`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST path`.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// `DELETE path`.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds `name=value` to the query.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds `name=value` where there is a value.
    pub fn query_if(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds `name=1` where `value` holds.
    pub fn flag(self, name: &str, value: bool) -> Self {
        if value { self.query(name, "1") } else { self }
    }

    /// Adds a header; a value that cannot be one is left out.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// A JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = RequestBody::Whole(bytes.into());
        self
    }

    /// A body that is produced while it is sent.
    pub fn stream(
        mut self,
        content_type: &'static str,
        body: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Self {
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = RequestBody::Stream(body);
        self
    }

    pub(crate) fn uri(&self, version: Option<ApiVersion>) -> String {
        let mut uri = match version {
            Some(version) => format!("/v{version}{}", self.path),
            None => self.path.clone(),
        };
        for (index, (name, value)) in self.query.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '&' });
            uri.push_str(&encode(name));
            uri.push('=');
            uri.push_str(&encode(value));
        }
        uri
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match &mut self.0 {
            RequestBody::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            RequestBody::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            RequestBody::Stream(stream) => stream
                .as_mut()
                .poll_next(context)
                .map(|item| item.map(|data| data.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, RequestBody::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match &self.0 {
            RequestBody::Whole(bytes) => Full::new(bytes.clone()).size_hint(),
            RequestBody::Stream(_) => http_body::SizeHint::default(),
        }
    }
}

/// `text` with everything escaped that has a meaning in a path segment or a
/// query.
pub fn encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(byte as char);
            }
            _ => {
                encoded.push('%');
                encoded.push(DIGITS[usize::from(byte >> 4)] as char);
                encoded.push(DIGITS[usize::from(byte & 15)] as char);
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_escaped() {
        let request = Request::get("/images/json")
            .query("filters", r#"{"a":["b c"]}"#)
            .flag("all", true)
            .flag("size", false)
            .query_if("limit", Some(3));
        assert_eq!(
            request.uri(Some(ApiVersion::new(1, 41))),
            "/v1.41/images/json?filters=%7B%22a%22%3A%5B%22b%20c%22%5D%7D&all=1&limit=3"
        );
        assert_eq!(encode("a/b:c"), "a%2Fb%3Ac");
    }
}
