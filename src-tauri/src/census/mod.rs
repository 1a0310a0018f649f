//! Follows the engine's containers for tray and notices, whether or not the
//! window is open: one list, then its events. Nothing is ever polled, and a
//! burst of events is one question.

mod containers;
mod event;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dhow_client::{Client, Error, Request};
use futures_util::{Stream, StreamExt};
use tokio::sync::{mpsc, watch};

pub use containers::{Census, Container, Life};
pub use event::Event;
use event::Reader;

use crate::engine::{Engine, EngineState};

/// Events that come closer together than this are asked about together.
const CALM: Duration = Duration::from_millis(150);

/// Follows `engine` from now on; every event also goes to `listener`.
pub fn follow(
    engine: &Engine,
    listener: mpsc::UnboundedSender<Event>,
) -> watch::Receiver<Option<Arc<Census>>> {
    let (sender, receiver) = watch::channel(None);
    let engine = engine.clone();
    tauri::async_runtime::spawn(async move {
        let mut states = engine.states();
        loop {
            let up = |state: &EngineState| matches!(state, EngineState::Up { .. });
            if states.wait_for(up).await.is_err() {
                return;
            }
            if let Some(client) = engine.client() {
                let followed = tokio::select! {
                    followed = one_engine(&client, &sender, &listener) => followed,
                    // It is known to be gone, or another is meant.
                    _ = states.wait_for(|state| !up(state)) => Ok(()),
                };
                if let Err(error) = followed {
                    tracing::info!(%error, "the events ended");
                }
                sender.send_replace(None);
                engine.lost();
            }
            // Whether it is up is being asked; the answer changes the state.
            let _ = tokio::time::timeout(CALM, states.changed()).await;
        }
    });
    receiver
}

/// Follows until the events end.
async fn one_engine(
    client: &Client,
    sender: &watch::Sender<Option<Arc<Census>>>,
    listener: &mpsc::UnboundedSender<Event>,
) -> Result<(), Error> {
    // The events first, so that nothing happens between them and the list.
    let filters = r#"{"type":["container"]}"#;
    let events = client
        .send(Request::get("/events").query("filters", filters))
        .await?
        .chunks()
        .fuse();
    let mut events = std::pin::pin!(events);
    let mut census = Census::default();
    let all = Request::get("/containers/json").flag("all", true);
    census.replace(client.json(all).await?);
    sender.send_replace(Some(Arc::new(census.clone())));

    let mut reader = Reader::default();
    while let Some(chunk) = events.next().await {
        let mut asked = BTreeSet::new();
        take(&mut census, &reader.read(&chunk?), &mut asked, listener);
        // More of the same burst.
        let calm = tokio::time::sleep(CALM);
        let mut calm = std::pin::pin!(calm);
        loop {
            tokio::select! {
                () = &mut calm => break,
                more = next(&mut events) => {
                    take(&mut census, &reader.read(&more?), &mut asked, listener);
                }
            }
        }
        if !asked.is_empty() {
            let filters = serde_json::json!({ "id": asked });
            let question = Request::get("/containers/json")
                .flag("all", true)
                .query("filters", filters);
            census.update(&asked, client.json(question).await?);
        }
        sender.send_if_modified(|known| {
            let changed = known.as_deref() != Some(&census);
            if changed {
                *known = Some(Arc::new(census.clone()));
            }
            changed
        });
    }
    Ok(())
}

async fn next<S>(events: &mut S) -> Result<bytes::Bytes, Error>
where
    S: Stream<Item = Result<bytes::Bytes, Error>> + Unpin,
{
    match events.next().await {
        Some(chunk) => chunk,
        // The burst is dealt with first; the end shows again after it.
        None => std::future::pending().await,
    }
}

fn take(
    census: &mut Census,
    events: &[Event],
    asked: &mut BTreeSet<String>,
    listener: &mpsc::UnboundedSender<Event>,
) {
    for event in events {
        if event.kind == "container" && event.verb() == "destroy" {
            asked.remove(event.id());
        }
        asked.extend(census.on(event));
        let _ = listener.send(event.clone());
    }
}
