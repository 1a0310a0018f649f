//! One layer of a pull: from the registry's stream into the store's ingest.
//!
//! ```text
//! task: registry stream ──bounded channel──▶ blocking thread: ingest
//! ```
//!
//! A task that is dropped lets go of its end of the channel; the thread then
//! drops the ingest, which keeps what came and shows nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dhow_image::{Descriptor, ImageStore, LayerError, LayerIngest, LayerStart, Lease};
use dhow_model::Digest;
use dhow_registry::Remote;
use tokio::sync::mpsc;

use super::{blocking, failed};
use crate::images::Progress;
use crate::images::progress::Report;
use crate::{Error, Result};

/// Pieces on their way to the thread: enough to ride out its pauses, few enough
/// that many layers don't fill the memory.
const PIECES: usize = 8;

/// One layer to be pulled.
pub(super) struct LayerPull {
    pub store: ImageStore,
    pub remote: Remote,
    pub lease: Arc<Lease>,
    pub descriptor: dhow_registry::Descriptor,
    pub diff_id: Digest,
    pub report: Report,
}

/// What the thread made of a stream.
enum Written {
    Whole,
    /// The stream ended before its end was told.
    Abandoned,
}

impl LayerPull {
    pub async fn tell(&self, status: &str) {
        let id = self.descriptor.digest.short();
        self.report.tell(Progress::step(id, status)).await;
    }

    /// Whether there is nothing to do.
    pub async fn is_here(&self) -> Result<bool> {
        let (store, lease) = (self.store.clone(), self.lease.clone());
        let (blob, diff_id) = (self.blob(), self.diff_id.clone());
        blocking(move || {
            let blobs = store.layer_blobs(&diff_id).map_err(Error::of)?;
            if blobs.is_empty() || !store.has_layer(&diff_id).map_err(Error::of)? {
                return Ok(false);
            }
            // Asked again under the lease: a moment ago it was anyone's to
            // collect.
            let start = store.begin_layer(&lease, &blob, &diff_id);
            Ok(matches!(start.map_err(Error::of)?, LayerStart::Present))
        })
        .await
    }

    pub async fn pull(self) -> Result<()> {
        let mut again = false;
        loop {
            let (store, lease) = (self.store.clone(), self.lease.clone());
            let (blob, diff_id) = (self.blob(), self.diff_id.clone());
            let start = blocking(move || {
                store
                    .begin_layer(&lease, &blob, &diff_id)
                    .map_err(Error::of)
            })
            .await?;
            match start {
                LayerStart::Present => {
                    self.tell("Pull complete").await;
                    return Ok(());
                }
                // Another pull brings it, or fails and leaves it to this one.
                LayerStart::InFlight(other) => {
                    blocking(move || Ok(other.wait(Duration::from_secs(1)))).await?;
                }
                LayerStart::Ingest(ingest) => match self.feed(*ingest).await {
                    Ok(()) => {
                        self.tell("Pull complete").await;
                        return Ok(());
                    }
                    // What an earlier attempt left was spoilt, and is gone now.
                    Err(Failed::Write(LayerError::Digest { resumed: true, .. })) if !again => {
                        again = true;
                    }
                    Err(Failed::Write(error)) => return Err(Error::of(error)),
                    Err(Failed::Other(error)) => return Err(error),
                },
            }
        }
    }

    async fn feed(&self, ingest: LayerIngest) -> Result<(), Failed> {
        let id = self.descriptor.digest.short().to_owned();
        let total = self.descriptor.size;
        let mut at = ingest.resume_offset();
        let (pieces, source) = mpsc::channel(PIECES);
        let writing = tokio::task::spawn_blocking(move || write(ingest, source));
        let mut stream = self.remote.blob(&self.descriptor, at);
        self.report.bytes(&id, "Downloading", at, total);
        let mut broken = None;
        loop {
            match stream.next_chunk().await {
                Ok(Some(bytes)) => {
                    at += bytes.len() as u64;
                    if pieces.send(Some(bytes)).await.is_err() {
                        break;
                    }
                    self.report.bytes(&id, "Downloading", at, total);
                }
                Ok(None) => {
                    self.tell("Verifying Checksum").await;
                    self.tell("Download complete").await;
                    let extracting = Progress::bytes(&id, "Extracting", total, total);
                    self.report.tell(extracting).await;
                    let _the_thread_says_why = pieces.send(None).await;
                    break;
                }
                Err(error) => {
                    broken = Some(failed(error));
                    break;
                }
            }
        }
        drop(pieces);
        // The thread's own error tells more than that it stopped reading.
        match writing.await {
            Ok(Ok(Written::Whole)) => Ok(()),
            Ok(Ok(Written::Abandoned)) => Err(Failed::Other(
                broken.unwrap_or_else(|| Error::system("pull was cancelled")),
            )),
            Ok(Err(error)) => Err(Failed::Write(error)),
            Err(error) => Err(Failed::Other(error.into())),
        }
    }

    fn blob(&self) -> Descriptor {
        let descriptor = &self.descriptor;
        Descriptor::new(
            &descriptor.media_type,
            descriptor.digest.clone(),
            descriptor.size,
        )
    }
}

/// Why a layer was not fed whole.
enum Failed {
    Write(LayerError),
    Other(Error),
}

fn write(
    mut ingest: LayerIngest,
    mut source: mpsc::Receiver<Option<Bytes>>,
) -> Result<Written, LayerError> {
    loop {
        match source.blocking_recv() {
            Some(Some(bytes)) => ingest.write(&bytes)?,
            Some(None) => break,
            None => return Ok(Written::Abandoned),
        }
    }
    ingest.finish()?;
    Ok(Written::Whole)
}
