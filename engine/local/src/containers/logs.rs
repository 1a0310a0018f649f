//! `GET /containers/{id}/logs`.
//!
//! What was logged is read and rendered on threads that may block, a chunk at a
//! time and not faster than the client takes them. A client that follows is
//! given everything written before the container's end, and then its own end;
//! as with dockerd, an automatic restart is an end too.

pub(crate) mod changes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dhow_model::ErrorKind;
use dhow_runtime::logs::read::{Format, Progress, Reader, Selection};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::{mpsc, watch};

use self::changes::Changes;
use super::LogsQuery;
use super::container::{Container, Moment};
use super::record::{Record, Status};
use crate::{ByteStream, Error, LocalEngine, Result};

/// A chunk is sent when it is so large, or when there is no more to add to it.
const CHUNK: usize = 128 * 1024;

/// Chunks that may wait for the client.
const WAITING: usize = 4;

/// How often to look where the kernel cannot tell of changes.
const LOOK: Duration = Duration::from_millis(250);

impl LocalEngine {
    /// Bytes are ready for the wire: stdcopy frames, or raw for a tty
    /// container (the bool says which: true = multiplexed frames).
    pub async fn logs(&self, name: &str, query: LogsQuery) -> Result<(bool, ByteStream)> {
        if !query.stdout && !query.stderr {
            return Err(Error::invalid(
                "Bad parameters: you must choose at least one stream",
            ));
        }
        let container = self.shared.containers.find(name)?;
        let record = container.record();
        if matches!(record.state.status, Status::Removing | Status::Dead) {
            return Err(Error::conflict(
                "can not get logs from container which is dead or marked for removal",
            ));
        }
        let format = match driver(&record) {
            "none" => {
                return Err(Error::new(
                    ErrorKind::NotImplemented,
                    "configured logging driver does not support reading",
                ));
            }
            "local" => Format::Local,
            _ => Format::Json,
        };
        let path = path(&record, &container.directory(&self.config().data_root));
        // Before the first read, so that no change is missed.
        let run = match query.follow {
            true => Run::of(&container, &path, &self.shared.log_changes),
            false => None,
        };
        let multiplexed = !record.tty();
        let selection = Selection {
            stdout: query.stdout,
            stderr: query.stderr,
            since: query.since.map(clamped),
            until: query.until.map(clamped),
            tail: query.tail,
            timestamps: query.timestamps,
            details: query.details,
            frames: multiplexed,
            follow: run.is_some(),
        };
        let opened = tokio::task::spawn_blocking(move || Reader::open(&path, format, selection));
        let reader = opened.await?.map_err(Error::of)?;
        let (chunks, receiver) = mpsc::channel(WAITING);
        tokio::spawn(send(reader, run, multiplexed, chunks));
        let chunks = stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|chunk| (Ok(chunk), receiver))
        });
        Ok((multiplexed, chunks.boxed()))
    }
}

/// Reads, and reads on while the container runs, until the client has left.
async fn send(
    mut reader: Reader,
    mut run: Option<Run>,
    multiplexed: bool,
    chunks: mpsc::Sender<Bytes>,
) {
    let mut bulk = false;
    loop {
        // Asked before reading: what was written before the end is read then.
        let ends = run.as_mut().is_some_and(Run::is_over);
        if ends {
            run = None;
        }
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = Vec::with_capacity(if bulk { CHUNK + CHUNK / 4 } else { 0 });
            let ended = if ends { reader.end_here() } else { Ok(()) };
            let progress = ended.and_then(|()| reader.read(&mut chunk, CHUNK));
            (reader, chunk, progress)
        });
        let Ok((returned, mut chunk, progress)) = read.await else {
            return;
        };
        reader = returned;
        if let Err(error) = &progress {
            let text = dhow_model::error::chain(error);
            tracing::warn!("a log is not read to its end: {text}");
            chunk.extend(complaint(&text, multiplexed));
        }
        if !chunk.is_empty() && chunks.send(chunk.into()).await.is_err() {
            return;
        }
        bulk = matches!(progress, Ok(Progress::More));
        match (progress, &mut run) {
            (Ok(Progress::More), _) => {}
            (Ok(Progress::CaughtUp), Some(run)) => tokio::select! {
                () = run.changed() => {}
                () = chunks.closed() => return,
            },
            _ => return,
        }
    }
}

/// What Docker puts into the stream when it cannot go on.
fn complaint(text: &str, multiplexed: bool) -> Vec<u8> {
    const SYSTEM_ERROR: u8 = 3;
    let text = format!("Error grabbing logs: {text}\n");
    let mut bytes = Vec::new();
    if multiplexed {
        bytes.extend([SYSTEM_ERROR, 0, 0, 0]);
        bytes.extend((text.len() as u32).to_be_bytes());
    }
    bytes.extend(text.into_bytes());
    bytes
}

/// A run of a container that is followed.
struct Run {
    container: Arc<Container>,
    exits: u64,
    restarts: u64,
    moments: watch::Receiver<Moment>,
    /// Absent where the kernel does not tell.
    writes: Option<changes::Watch>,
}

impl Run {
    /// The present run; `None` when there is none.
    fn of(container: &Arc<Container>, path: &Path, changes: &Changes) -> Option<Self> {
        let mut moments = container.watch();
        let exits = moments.borrow_and_update().exits;
        let restarts = container.read(|r| r.state.restart_count);
        let mut run = Self {
            container: Arc::clone(container),
            exits,
            restarts,
            moments,
            writes: path.parent().and_then(|directory| changes.watch(directory)),
        };
        (!run.is_over()).then_some(run)
    }

    /// Whether it has ended; its last line has been written then.
    fn is_over(&mut self) -> bool {
        let exits = self.moments.borrow_and_update().exits;
        exits != self.exits
            || self
                .container
                .read(|r| !r.state.status.has_process() || r.state.restart_count != self.restarts)
    }

    /// Waits until something was written, or the container has changed.
    async fn changed(&mut self) {
        let written = async {
            match &mut self.writes {
                Some(writes) => writes.changed().await,
                None => tokio::time::sleep(LOOK).await,
            }
        };
        tokio::select! {
            () = written => {}
            _ = self.moments.changed() => {}
        }
    }
}

fn clamped(nanos: i128) -> i64 {
    nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// The container's log driver.
pub(crate) fn driver(record: &Record) -> &str {
    record
        .host_config
        .log_config
        .as_ref()
        .and_then(|c| c.typ.as_deref())
        .unwrap_or("json-file")
}

/// Where the log is written.
pub(crate) fn path(record: &Record, directory: &Path) -> PathBuf {
    match driver(record) {
        "local" => directory.join("local-logs").join("container.log"),
        _ => directory.join(format!("{}-json.log", record.id)),
    }
}
