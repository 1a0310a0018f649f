//! What the tray can do to containers: one request each, through the same API
//! as everybody.

use dhow_client::{Client, Error, Request, encode};
use futures_util::future::join_all;

use crate::engine::find::sentence;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Start,
    Stop,
    Restart,
}

impl Deed {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }
}

/// Does it to all of them at once; says what came to nothing, and why.
pub async fn all(client: &Client, deed: Deed, ids: &[String]) -> Vec<String> {
    let requests = ids.iter().map(|id| one(client, deed, id));
    let outcomes = join_all(requests).await;
    outcomes
        .into_iter()
        .filter_map(|outcome| outcome.err())
        .map(|error| sentence(&error))
        .collect()
}

async fn one(client: &Client, deed: Deed, id: &str) -> Result<(), Error> {
    let path = format!("/containers/{}/{}", encode(id), deed.word());
    match client.done(Request::post(path)).await {
        // Somebody was faster; it is as it was wanted.
        Err(error) if error.is_not_found() && deed == Deed::Stop => Ok(()),
        outcome => outcome.map(drop),
    }
}
