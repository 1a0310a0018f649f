//! One layer on its way in.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use dhow_model::Digest;
use sha2::{Digest as _, Sha256};

use super::flight::Flight;
use super::stages::Stages;
use super::writeback::Writeback;
use super::{InFlight, LayerError, StagedLayer};
use crate::image::Descriptor;
use crate::store::{ImageStore, Lease, StoreError, at};

/// What [`ImageStore::begin_layer`] found.
#[derive(Debug)]
pub enum LayerStart {
    /// The layer is here: nothing to fetch.
    Present,
    /// Feed it, from [`LayerIngest::resume_offset`] on.
    Ingest(Box<LayerIngest>),
    /// Someone else is fetching it.
    InFlight(InFlight),
}

/// A layer being written. Dropped unfinished, it leaves nothing visible, and
/// the bytes that came for the next attempt.
#[derive(Debug)]
pub struct LayerIngest {
    store: ImageStore,
    descriptor: Descriptor,
    diff_id: Digest,
    partial: PathBuf,
    file: File,
    hash: Sha256,
    written: u64,
    resumed: u64,
    writeback: Writeback,
    stages: Option<Stages>,
    staged: StagedLayer,
    _flight: Flight,
}

impl ImageStore {
    /// Begins to take in the layer whose blob is `descriptor` and whose plain
    /// archive has digest `diff_id`. Reads back what an earlier attempt left,
    /// which may take a moment.
    pub fn begin_layer(
        &self,
        lease: &Lease,
        descriptor: &Descriptor,
        diff_id: &Digest,
    ) -> Result<LayerStart, LayerError> {
        lease.hold(diff_id);
        lease.hold(&descriptor.digest);
        if self.has_layer(diff_id)? {
            let blobs = self.layer_blobs(diff_id)?;
            blobs.iter().for_each(|(blob, _)| lease.hold(&blob.digest));
            if !blobs.is_empty() {
                return Ok(LayerStart::Present);
            }
        }
        let flight = match Flight::begin(self, &descriptor.digest, diff_id) {
            Ok(flight) => flight,
            Err(other) => return Ok(LayerStart::InFlight(other)),
        };
        // It may have landed between the two looks.
        if self.has_layer(diff_id)? && !self.layer_blobs(diff_id)?.is_empty() {
            return Ok(LayerStart::Present);
        }
        let mut ingest = LayerIngest::new(self, descriptor, diff_id, flight)?;
        if self.has_blob(&descriptor.digest) {
            // Fetched before, but not (or no longer) unpacked.
            let mut blob = self.open_blob(&descriptor.digest)?;
            ingest.feed_from(&mut blob)?;
            ingest.finish()?;
            return Ok(LayerStart::Present);
        }
        ingest.resume()?;
        Ok(LayerStart::Ingest(Box::new(ingest)))
    }

    /// Unpacks blob `descriptor`, which is here, as layer `diff_id`.
    pub(crate) fn unpack_blob(
        &self,
        lease: &Lease,
        descriptor: &Descriptor,
        diff_id: &Digest,
    ) -> Result<(), LayerError> {
        lease.hold(diff_id);
        lease.hold(&descriptor.digest);
        let flight = loop {
            match Flight::begin(self, &descriptor.digest, diff_id) {
                Ok(flight) => break flight,
                Err(other) => {
                    other.wait(Duration::from_secs(1));
                }
            }
        };
        if self.has_layer(diff_id)? {
            return Ok(());
        }
        let mut ingest = LayerIngest::new(self, descriptor, diff_id, flight)?;
        ingest.feed_from(&mut self.open_blob(&descriptor.digest)?)?;
        ingest.finish()
    }
}

impl LayerIngest {
    fn new(
        store: &ImageStore,
        descriptor: &Descriptor,
        diff_id: &Digest,
        flight: Flight,
    ) -> Result<Self, LayerError> {
        let partial = store.partial_path(&descriptor.digest);
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&partial)
            .map_err(at("open", &partial))?;
        let staged = StagedLayer::new(store)?;
        let stages = Stages::start(&staged)?;
        Ok(Self {
            store: store.clone(),
            descriptor: descriptor.clone(),
            diff_id: diff_id.clone(),
            partial,
            file,
            hash: Sha256::new(),
            written: 0,
            resumed: 0,
            writeback: Writeback::default(),
            stages: Some(stages),
            staged,
            _flight: flight,
        })
    }

    /// How many bytes are here already: where to go on fetching.
    pub fn resume_offset(&self) -> u64 {
        self.resumed
    }

    /// How many bytes are here, those of earlier attempts included.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Takes the next bytes of the blob. Blocks while unpacking is behind.
    pub fn write(&mut self, data: &[u8]) -> Result<(), LayerError> {
        let total = self.written + data.len() as u64;
        if total > self.descriptor.size {
            self.forget_partial()?;
            return Err(LayerError::TooLong {
                digest: self.descriptor.digest.clone(),
                expected: self.descriptor.size,
                actual: total,
            });
        }
        self.file
            .write_all(data)
            .map_err(at("write", &self.partial))?;
        self.writeback.written(&self.file, total);
        self.take(data)
    }

    /// Starts over from the first byte, for a server that ignores ranges.
    pub fn restart(&mut self) -> Result<(), LayerError> {
        self.stop();
        self.file
            .set_len(0)
            .map_err(at("truncate", &self.partial))?;
        self.file.rewind().map_err(at("seek", &self.partial))?;
        self.staged = StagedLayer::new(&self.store)?;
        self.stages = Some(Stages::start(&self.staged)?);
        self.hash = Sha256::new();
        self.writeback = Writeback::default();
        (self.written, self.resumed) = (0, 0);
        Ok(())
    }

    /// Verifies both digests and makes blob and layer visible.
    pub fn finish(mut self) -> Result<(), LayerError> {
        let expected = &self.descriptor;
        if self.written < expected.size {
            return Err(LayerError::TooShort {
                digest: expected.digest.clone(),
                expected: expected.size,
                actual: self.written,
            });
        }
        let actual = Digest::from_sha256(std::mem::take(&mut self.hash).finalize().into());
        if actual != expected.digest {
            let expected = expected.digest.clone();
            self.forget_partial()?;
            return Err(LayerError::Digest {
                expected,
                actual,
                resumed: self.resumed > 0,
            });
        }
        let Some(stages) = self.stages.take() else {
            return Err(LayerError::Thread(io::ErrorKind::BrokenPipe.into()));
        };
        // The blob goes to disk while the last files are still made.
        let finished = stages.finish(|| {
            if self.store.has_blob(&self.descriptor.digest) {
                return Ok(());
            }
            self.file.sync_data().map_err(at("sync", &self.partial))?;
            self.writeback.synced(&self.file);
            Ok(())
        });
        let (inflated, unpacked) = match finished {
            Ok(done) => done,
            Err(error) => {
                self.forget_partial()?;
                return Err(error);
            }
        };
        if inflated.diff_id != self.diff_id {
            self.forget_partial()?;
            return Err(LayerError::DiffId {
                expected: self.diff_id.clone(),
                actual: inflated.diff_id,
            });
        }
        if self.store.has_blob(&self.descriptor.digest) {
            self.forget_partial()?;
        } else {
            self.store
                .publish_blob(&self.partial, &self.descriptor.digest)?;
        }
        let next = StagedLayer::none(&self.store);
        let staged = std::mem::replace(&mut self.staged, next);
        let blob = (&self.descriptor, inflated.size);
        staged.publish(&self.diff_id, unpacked.bytes, Some(blob))?;
        Ok(())
    }

    /// Hashes `data` and hands it on.
    fn take(&mut self, data: &[u8]) -> Result<(), LayerError> {
        self.hash.update(data);
        self.written += data.len() as u64;
        let Some(stages) = &mut self.stages else {
            return Err(LayerError::Thread(io::ErrorKind::BrokenPipe.into()));
        };
        if stages.write(data) {
            return Ok(());
        }
        // A later stage gave up: its error says why.
        let failure = match self.stages.take().map(Stages::failure) {
            Some(error) => error,
            None => LayerError::Thread(io::ErrorKind::BrokenPipe.into()),
        };
        Err(failure)
    }

    /// Takes what an earlier attempt left as if it came now.
    fn resume(&mut self) -> Result<(), LayerError> {
        let length = self.file.metadata().map_err(at("stat", &self.partial))?;
        if length.len() > self.descriptor.size {
            self.file
                .set_len(0)
                .map_err(at("truncate", &self.partial))?;
            return Ok(());
        }
        let mut file = self.file.try_clone().map_err(at("open", &self.partial))?;
        file.rewind().map_err(at("seek", &self.partial))?;
        match self.feed_from(&mut file) {
            Ok(()) => {}
            Err(LayerError::Unpack(_)) => {
                // What is there cannot be the beginning of a layer (torn by a
                // power cut, or lies): better begin anew.
                return self.restart();
            }
            Err(error) => return Err(error),
        }
        self.resumed = self.written;
        self.writeback = Writeback::from(self.written);
        let end = SeekFrom::Start(self.written);
        self.file.seek(end).map_err(at("seek", &self.partial))?;
        Ok(())
    }

    fn feed_from(&mut self, file: &mut File) -> Result<(), LayerError> {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.take(&buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(at("read", &self.partial)(error).into()),
            }
        }
    }

    fn forget_partial(&mut self) -> Result<(), StoreError> {
        match std::fs::remove_file(&self.partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(at("remove", &self.partial)(error))
            }
            _ => Ok(()),
        }
    }

    /// Ends the threads without an end of input, so that they fail, and waits
    /// for them, so that nobody writes into a tree that is being removed.
    fn stop(&mut self) {
        if let Some(stages) = self.stages.take() {
            let _ = stages.failure();
        }
    }
}

impl Drop for LayerIngest {
    fn drop(&mut self) {
        self.stop();
        // Nothing came: nothing to go on with.
        if self.written == 0 {
            let _ = self.forget_partial();
        }
    }
}
