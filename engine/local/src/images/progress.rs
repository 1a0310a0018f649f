//! Telling how far a pull, push or load is, in Docker's messages, on a stream
//! whose end of being listened to is the end of the work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dhow_model::size::human_size;
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::{Progress, ProgressDetail, ProgressError};
use crate::{Error, JsonStream, Result};

/// Messages that may wait for a slow client before the work waits too.
const WAITING: usize = 64;

/// How often the bytes of one layer are told.
const INTERVAL: Duration = Duration::from_millis(100);

/// Where messages go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Report {
    sink: mpsc::Sender<Progress>,
    /// When the bytes of each layer were last told.
    told: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Progress {
    /// A line by itself, with an id before it or not.
    pub(crate) fn message(id: Option<&str>, status: impl Into<String>) -> Self {
        Self {
            status: Some(status.into()),
            id: id.map(str::to_owned),
            ..Self::default()
        }
    }

    /// What is being done with the layer `id`.
    pub(crate) fn step(id: &str, status: &str) -> Self {
        Self {
            progress_detail: Some(ProgressDetail::default()),
            ..Self::message(Some(id), status)
        }
    }

    /// How many of how many bytes that is, of what `id` names if anything.
    pub(crate) fn bytes(id: &str, status: &str, current: u64, total: u64) -> Self {
        Self {
            progress_detail: Some(ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            progress: Some(bar(current, total)),
            ..Self::message((!id.is_empty()).then_some(id), status)
        }
    }

    /// The last message of work that failed.
    pub(crate) fn failure(error: &Error) -> Self {
        let message = error.to_string();
        Self {
            error_detail: Some(ProgressError {
                code: None,
                message: message.clone(),
            }),
            error: Some(message),
            ..Self::default()
        }
    }

    /// A result for programs, which no one is shown.
    pub(crate) fn result(aux: serde_json::Value) -> Self {
        Self {
            progress_detail: Some(ProgressDetail::default()),
            aux: Some(aux),
            ..Self::default()
        }
    }
}

impl Report {
    /// Tells `message`, waiting for a client that is behind.
    pub(crate) async fn tell(&self, message: Progress) {
        let _nobody_listens_any_more = self.sink.send(message).await;
    }

    /// Tells how many bytes came or went, unless that was told a moment ago or
    /// the client is behind: the next message says more.
    pub(crate) fn bytes(&self, id: &str, status: &str, current: u64, total: u64) {
        let now = Instant::now();
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = told.get(id)
                && now.duration_since(*last) < INTERVAL
            {
                return;
            }
            told.insert(id.to_owned(), now);
        }
        let _no_room = self
            .sink
            .try_send(Progress::bytes(id, status, current, total));
    }
}

/// Starts `work` and returns what it tells. Its error becomes the last message.
/// Dropping the stream drops the work wherever it is.
pub(crate) fn reporting<F>(work: impl FnOnce(Report) -> F) -> JsonStream<Progress>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (sink, source) = mpsc::channel(WAITING);
    let report = Report {
        sink: sink.clone(),
        told: Arc::default(),
    };
    let work = work(report);
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        let _at_the_end = ReleaseMemory;
        if let Err(error) = work.await {
            let _nobody_listens = sink.send(Progress::failure(&error)).await;
        }
    }));
    stream::unfold((source, task), |(mut source, task)| async move {
        let message = source.recv().await?;
        Some((Ok(message), (source, task)))
    })
    .boxed()
}

/// Dropped, it gives back to the system what the work's many buffers leave in
/// the heap, away from the threads that serve connections.
struct ReleaseMemory;

impl Drop for ReleaseMemory {
    fn drop(&mut self) {
        // None while the runtime is being taken down, with all its memory.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(dhow_sys::memory::release_free);
        }
    }
}

/// The bar that clients of old print, as Docker draws it.
fn bar(current: u64, total: u64) -> String {
    let size = |bytes: u64| human_size(i64::try_from(bytes).unwrap_or(i64::MAX));
    if total == 0 {
        return format!("{:>8}", size(current));
    }
    let done = (current as f64 / total as f64 * 50.0) as usize;
    let done = done.min(50);
    let numbers = if current > total {
        format!("{:>8}", size(current))
    } else {
        format!("{:>8}/{}", size(current), size(total))
    };
    format!("[{}>{}] {numbers}", "=".repeat(done), " ".repeat(50 - done))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(progress: &Progress) -> String {
        serde_json::to_string(progress).unwrap()
    }

    #[test]
    fn messages_look_like_dockers() {
        assert_eq!(
            json(&Progress::message(Some("latest"), "Pulling from library/x")),
            r#"{"status":"Pulling from library/x","id":"latest"}"#
        );
        assert_eq!(
            json(&Progress::step("0123456789ab", "Pulling fs layer")),
            r#"{"status":"Pulling fs layer","progressDetail":{},"id":"0123456789ab"}"#
        );
        assert_eq!(
            json(&Progress::bytes("a", "Downloading", 500_000, 1_000_000)),
            format!(
                r#"{{"status":"Downloading","progressDetail":{{"current":500000,"total":1000000}},"progress":"[{}>{}]    500kB/1MB","id":"a"}}"#,
                "=".repeat(25),
                " ".repeat(25)
            )
        );
        assert_eq!(
            json(&Progress::failure(&Error::system("no luck"))),
            r#"{"errorDetail":{"message":"no luck"},"error":"no luck"}"#
        );
    }

    #[tokio::test]
    async fn an_error_is_the_last_message() {
        let stream = reporting(|report| async move {
            report.tell(Progress::message(None, "one")).await;
            Err(Error::system("two"))
        });
        let all: Vec<_> = stream
            .map(|message| json(&message.unwrap()))
            .collect()
            .await;
        assert_eq!(
            all,
            [
                r#"{"status":"one"}"#,
                r#"{"errorDetail":{"message":"two"},"error":"two"}"#
            ]
        );
    }

    #[tokio::test]
    async fn dropping_the_stream_drops_the_work() {
        struct Flag(Option<tokio::sync::oneshot::Sender<()>>);
        impl Drop for Flag {
            fn drop(&mut self) {
                let _ = self.0.take().unwrap().send(());
            }
        }
        let (sender, dropped) = tokio::sync::oneshot::channel();
        let flag = Flag(Some(sender));
        let mut stream = reporting(|report| async move {
            let _flag = flag;
            report.tell(Progress::message(None, "begun")).await;
            std::future::pending().await
        });
        stream.next().await.unwrap().unwrap();
        drop(stream);
        dropped.await.unwrap();
    }

    #[tokio::test]
    async fn bytes_are_told_now_and_then() {
        let stream = reporting(|report| async move {
            for byte in 0..1000 {
                report.bytes("a", "Downloading", byte, 1000);
            }
            report.bytes("b", "Downloading", 1, 1000);
            Ok(())
        });
        let all: Vec<_> = stream.collect().await;
        assert!((2..20).contains(&all.len()), "{}", all.len());
    }
}
