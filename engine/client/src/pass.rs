//! Requests that somebody else made up, handed on as they are: the API version
//! is in their path already, and whatever the engine says is the answer.

use ::http::header::{CONNECTION, UPGRADE};
use ::http::{HeaderValue, Request, Response, StatusCode, response};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use hyper::body::Incoming;

use crate::error::Error;
use crate::hijack::Hijacked;
use crate::http::Client;
use crate::request::{Body, RequestBody};

/// What became of a request to take the connection over.
pub enum Opened {
    /// The engine agreed.
    Hijacked(Box<response::Parts>, Hijacked),
    /// It answered something else.
    Answered(Response<Incoming>),
}

impl Body {
    /// A body that is known.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(RequestBody::Whole(bytes.into()))
    }

    /// A body that is produced while it is sent. Where its length is known,
    /// the request's headers say so.
    pub fn stream(stream: BoxStream<'static, std::io::Result<Bytes>>) -> Self {
        Self(RequestBody::Stream(stream))
    }
}

impl Client {
    /// Sends `request`, whose URI is the engine's path and query.
    /// Dropping the answer, or the wait for it, cancels it at the engine.
    pub async fn pass(&self, mut request: Request<Body>) -> Result<Response<Incoming>, Error> {
        // Ours go over theirs: they name the engine's host and this program.
        request.headers_mut().extend(self.headers());
        self.dispatch(request).await
    }

    /// Sends `request` and takes the connection over, if the engine agrees.
    pub async fn pass_hijack(&self, mut request: Request<Body>) -> Result<Opened, Error> {
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("tcp"));
        let mut response = self.pass(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Opened::Answered(response));
        }
        let stream = Hijacked::of(&mut response).await?;
        let (head, _) = response.into_parts();
        Ok(Opened::Hijacked(Box::new(head), stream))
    }
}
