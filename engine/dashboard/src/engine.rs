//! `/engine/…`: any request to the engine, handed on as it is, and its answer,
//! handed back as it comes. Nothing is kept in memory on the way, and a
//! browser that goes away takes its request with it.

use std::io;

use dhow_client::{Client, Error, Logins};
use dhow_model::error::chain;
use futures_util::StreamExt as _;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, BodyStream};
use hyper::body::{Body as _, Incoming};

use crate::answer::{self, Body};
use crate::{headers, registries};

/// What comes before the engine's own path.
pub const PREFIX: &str = "/engine";

/// Hands `request` on to the engine.
pub async fn pass(client: &Client, logins: &Logins, request: Request<Incoming>) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    if let Err(error) = logins.show(&mut head.headers).await {
        return registries::refusal(&error);
    }
    let target = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = target.strip_prefix(PREFIX).unwrap_or("/").parse::<Uri>() else {
        return answer::error(StatusCode::BAD_REQUEST, "that is no path of the engine");
    };
    let mut onward = Request::new(sent(body));
    *onward.method_mut() = head.method;
    *onward.uri_mut() = uri;
    *onward.headers_mut() = headers::to_engine(&head.headers);
    match client.pass(onward).await {
        Ok(answered) => {
            let (head, body) = answered.into_parts();
            let mut response = Response::new(body.map_err(Into::into).boxed_unsync());
            *response.status_mut() = head.status;
            *response.headers_mut() = headers::to_browser(&head.headers);
            response
        }
        Err(error) => {
            let (reason, message) = explain(&error);
            answer::failure(StatusCode::BAD_GATEWAY, reason, &message)
        }
    }
}

/// The kind of failure, as the pages tell them apart, and its text.
pub fn explain(error: &Error) -> (&'static str, String) {
    let reason = match error {
        Error::PermissionDenied { .. } => "denied",
        _ => "unreachable",
    };
    (reason, chain(error))
}

/// A body of the browser's, as one for the engine.
fn sent(body: Incoming) -> dhow_client::Body {
    if body.is_end_stream() {
        return dhow_client::Body::whole(bytes::Bytes::new());
    }
    let data = BodyStream::new(body).filter_map(async |frame| match frame {
        Ok(frame) => frame.into_data().ok().map(Ok),
        Err(error) => Some(Err(io::Error::other(error))),
    });
    dhow_client::Body::stream(data.boxed())
}
