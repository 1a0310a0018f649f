//! Layers whose digests nobody knows beforehand: committed, imported, loaded.
//!
//! Their blob is stored as it came. A plain archive stays plain until the
//! layer is pushed for the first time: making it small then costs no one who
//! never pushes.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use dhow_model::Digest;
use sha2::{Digest as _, Sha256};

use super::room::{Room, STEP};
use super::stages::Stages;
use super::writeback::Writeback;
use super::{LayerError, StagedLayer};
use crate::image::Descriptor;
use crate::store::{ImageStore, Lease, StoreError, at};

/// Takes a layer's bytes, compressed or not.
#[derive(Debug)]
pub(crate) struct LayerWriter {
    store: ImageStore,
    temp: TempFile,
    file: File,
    hash: Sha256,
    written: u64,
    /// Up to here the disk was known to have room.
    fits: u64,
    writeback: Writeback,
    stages: Option<Stages>,
    staged: StagedLayer,
}

/// A layer that is complete and verified against itself, and not visible yet.
#[derive(Debug)]
pub struct MadeLayer {
    store: ImageStore,
    temp: TempFile,
    staged: Option<StagedLayer>,
    descriptor: Descriptor,
    diff_id: Digest,
    plain_size: u64,
    bytes: u64,
}

/// A file in `tmp`, removed unless it was moved away.
#[derive(Debug)]
struct TempFile(PathBuf);

impl Drop for TempFile {
    fn drop(&mut self) {
        // Moved away, it is not there, which is right.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl LayerWriter {
    pub fn new(store: &ImageStore) -> Result<Self, LayerError> {
        let temp = store.temp_path("blob");
        let file = File::create_new(&temp).map_err(at("create", &temp))?;
        let temp = TempFile(temp);
        let staged = StagedLayer::new(store)?;
        let stages = Stages::start(&staged)?;
        Ok(Self {
            store: store.clone(),
            temp,
            file,
            hash: Sha256::new(),
            written: 0,
            fits: 0,
            writeback: Writeback::default(),
            stages: Some(stages),
            staged,
        })
    }

    /// Takes the next bytes.
    pub fn take(&mut self, data: &[u8]) -> Result<(), LayerError> {
        let length = self.written + data.len() as u64;
        if length > self.fits {
            // Nobody said how long it will be, and padding unpacks to nothing.
            let look = Room::new(self.file.as_fd()).claim(0);
            look.map_err(LayerError::Unpack)?;
            self.fits = length + STEP;
        }
        self.file
            .write_all(data)
            .map_err(at("write", &self.temp.0))?;
        self.hash.update(data);
        self.written += data.len() as u64;
        self.writeback.written(&self.file, self.written);
        if self
            .stages
            .as_mut()
            .is_some_and(|stages| stages.write(data))
        {
            return Ok(());
        }
        Err(match self.stages.take() {
            Some(stages) => stages.failure(),
            None => LayerError::Thread(io::ErrorKind::BrokenPipe.into()),
        })
    }

    /// Waits until everything is unpacked and the blob is on disk.
    pub fn finish(mut self) -> Result<MadeLayer, LayerError> {
        let Some(stages) = self.stages.take() else {
            return Err(LayerError::Thread(io::ErrorKind::BrokenPipe.into()));
        };
        let sync = || {
            self.file.sync_data().map_err(at("sync", &self.temp.0))?;
            self.writeback.synced(&self.file);
            Ok(())
        };
        let (inflated, unpacked) = stages.finish(sync)?;
        let digest = Digest::from_sha256(std::mem::take(&mut self.hash).finalize().into());
        let media_type = inflated.compression.layer_media_type();
        let none = StagedLayer::none(&self.store);
        Ok(MadeLayer {
            store: self.store.clone(),
            temp: TempFile(std::mem::take(&mut self.temp.0)),
            staged: Some(std::mem::replace(&mut self.staged, none)),
            descriptor: Descriptor::new(media_type, digest, self.written),
            diff_id: inflated.diff_id,
            plain_size: inflated.size,
            bytes: unpacked.bytes,
        })
    }
}

impl Drop for LayerWriter {
    fn drop(&mut self) {
        // Nobody may write into the tree while it is removed.
        if let Some(stages) = self.stages.take() {
            let _ = stages.failure();
        }
    }
}

impl Write for LayerWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.take(data).map_err(io::Error::other)?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MadeLayer {
    /// Digest of the plain archive.
    pub fn diff_id(&self) -> &Digest {
        &self.diff_id
    }

    /// The blob as it came.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Makes blob and layer visible under `lease`; a second time does nothing.
    pub fn publish(&mut self, lease: &Lease) -> Result<(), StoreError> {
        lease.hold(&self.diff_id);
        lease.hold(&self.descriptor.digest);
        let Some(staged) = self.staged.take() else {
            return Ok(());
        };
        // A layer that already has a blob needs no second one.
        let known = self.store.layer_blobs(&self.diff_id)?;
        known.iter().for_each(|(blob, _)| lease.hold(&blob.digest));
        if !known.is_empty() {
            return staged.publish(&self.diff_id, self.bytes, None);
        }
        self.store
            .publish_blob(&self.temp.0, &self.descriptor.digest)?;
        let blob = (&self.descriptor, self.plain_size);
        staged.publish(&self.diff_id, self.bytes, Some(blob))
    }
}
