//! `GET /events`: what happened, then what happens.

use bollard_stubs::models::EventMessage;
use bollard_stubs::query_parameters::EventsOptions;
use dhow_model::{Filters, Timestamp};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;

use crate::events::matches;
use crate::{Error, JsonStream, LocalEngine, Result, clock};

const FILTERS: &[&str] = &[
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
];

impl LocalEngine {
    /// Events from `since` on, until `until` or without end. Times are seconds
    /// since the epoch (with decimals) or what a person writes for `--since`.
    pub async fn events(&self, options: Option<EventsOptions>) -> Result<JsonStream<EventMessage>> {
        let options = options.unwrap_or_default();
        let filters = options.filters.unwrap_or_default();
        Filters::from_map(filters.clone())
            .validate(FILTERS)
            .map_err(Error::of)?;
        let now = Timestamp::from_nanos(clock::now());
        let instant = |text: Option<String>| {
            text.filter(|t| !t.is_empty())
                .map(|t| Timestamp::parse_relative(&t, now, 0).map(Timestamp::nanos))
                .transpose()
                .map_err(Error::of)
        };
        let since = instant(options.since)?;
        let until = instant(options.until)?;
        if let (Some(since), Some(until)) = (since, until)
            && since > until
        {
            return Err(Error::invalid("`since` time cannot be after `until` time"));
        }

        let (past, live) = self.shared.events.subscribe();
        let time = |event: &EventMessage| event.time_nano.unwrap_or(0);
        let first = since.unwrap_or(if until.is_some() { 0 } else { i64::MAX });
        let last = until.unwrap_or(i64::MAX);
        let past: Vec<_> = past
            .into_iter()
            .filter(|e| time(e) >= first && time(e) <= last && matches(e, &filters))
            .map(Ok)
            .collect();
        if last <= now.nanos() {
            return Ok(stream::iter(past).boxed());
        }

        let coming = stream::unfold(live, move |mut live| async move {
            loop {
                let left = u64::try_from(last.saturating_sub(clock::now())).unwrap_or(0);
                let next = tokio::time::timeout(
                    // Far times overflow the timer wheel; a year is for ever.
                    std::time::Duration::from_nanos(left).min(FOREVER),
                    live.recv(),
                );
                match next.await {
                    Ok(Ok(event)) if time(&event) > last => return None,
                    Ok(Ok(event)) => return Some((event, live)),
                    Ok(Err(RecvError::Lagged(lost))) => {
                        tracing::warn!(lost, "a slow listener lost events");
                    }
                    Ok(Err(RecvError::Closed)) | Err(_) => return None,
                }
            }
        })
        .filter(move |event| std::future::ready(matches(event, &filters)))
        .map(Ok);
        Ok(stream::iter(past).chain(coming).boxed())
    }
}

const FOREVER: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);
