//! Answers: read whole, as JSON, or as they arrive; and refusals.

use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use futures_util::Stream;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// A successful answer whose body has not been read yet.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    pub(crate) body: Incoming,
}

impl Response {
    /// The whole body.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let collected = self.body.collect().await;
        Ok(collected
            .map_err(|error| Error::broken("the engine's answer broke off", error))?
            .to_bytes())
    }

    /// The whole body as JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::broken("the engine's answer cannot be read", error))
    }

    /// The body as it arrives.
    pub fn chunks(self) -> impl Stream<Item = Result<Bytes, Error>> + Unpin {
        Box::pin(futures_util::stream::unfold(
            Some(self.body),
            |body| async move {
                let mut body = body?;
                loop {
                    return match body.frame().await? {
                        Ok(frame) => match frame.into_data() {
                            Ok(data) => Some((Ok(data), Some(body))),
                            Err(_) => continue,
                        },
                        Err(error) => Some((
                            Err(Error::broken("the engine's answer broke off", error)),
                            None,
                        )),
                    };
                }
            },
        ))
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Reads a body that nobody wants, so that its connection can be kept.
pub(crate) async fn drain(body: Incoming) {
    let _ = body.collect().await;
}

/// The engine's reason, from `{"message": …}` or, from older ones, plain text.
pub(crate) async fn refusal(status: StatusCode, body: Incoming) -> Error {
    let bytes = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => Bytes::new(),
    };
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let message = match serde_json::from_slice::<Refusal>(&bytes) {
        Ok(refusal) => refusal.message.trim().to_owned(),
        Err(_) if bytes.is_empty() => status.to_string(),
        Err(_) => String::from_utf8_lossy(&bytes).trim().to_owned(),
    };
    Error::Api {
        status: status.as_u16(),
        message,
    }
}
