//! What a push of an image sends.

use std::fs::File;
use std::io::{self, Read, Write};

use dhow_model::Digest;
use sha2::{Digest as _, Sha256};

use super::ArchiveError;
use crate::image::{Descriptor, Document, ImageRecord, Manifest, media_type};
use crate::layer::Compression;
use crate::store::{ImageStore, StoreError, at};

/// Documents and blobs of an image, all of them in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPlan {
    /// The manifest: the one the image came with as long as its blobs are here.
    pub manifest: Document,
    /// The manifest's digest.
    pub digest: Digest,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// What each layer unpacks to.
    pub diff_ids: Vec<Digest>,
}

impl ImageStore {
    /// What to send for image `id`. Layers made on this machine are compressed
    /// now, once; their plain archives go.
    pub fn push_plan(&self, id: &Digest) -> Result<PushPlan, ArchiveError> {
        let image = self.image(id)?;
        self.plan(&image, true)
    }

    /// The same with layers as they are.
    pub(super) fn plan(
        &self,
        image: &ImageRecord,
        compress: bool,
    ) -> Result<PushPlan, ArchiveError> {
        let diff_ids: Vec<Digest> = image.layers.iter().map(|l| l.diff_id.clone()).collect();
        if let Some(plan) = self.original(image, &diff_ids)? {
            return Ok(plan);
        }
        let mut layers = Vec::new();
        for diff_id in &diff_ids {
            layers.push(self.layer_descriptor(diff_id, compress)?);
        }
        self.made_plan(image, layers, diff_ids)
    }

    /// A plan with a manifest of our own.
    pub(super) fn made_plan(
        &self,
        image: &ImageRecord,
        layers: Vec<Descriptor>,
        diff_ids: Vec<Digest>,
    ) -> Result<PushPlan, ArchiveError> {
        let size = self
            .blob_size(&image.id)
            .ok_or_else(|| StoreError::MissingBlob(image.id.clone()))?;
        let config = Descriptor::new(media_type::OCI_CONFIG, image.id.clone(), size);
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(media_type::OCI_MANIFEST.to_owned()),
            config: config.clone(),
            layers: layers.clone(),
        };
        let data = serde_json::to_vec(&manifest)
            .map_err(|e| crate::image::ImageError::Document("image manifest", e))?;
        Ok(PushPlan {
            digest: crate::store::sha256(&data),
            manifest: Document {
                media_type: media_type::OCI_MANIFEST.to_owned(),
                data,
            },
            config,
            layers,
            diff_ids,
        })
    }

    /// The manifest the image came with, if all it names is here.
    fn original(
        &self,
        image: &ImageRecord,
        diff_ids: &[Digest],
    ) -> Result<Option<PushPlan>, ArchiveError> {
        let Some((digest, media_type)) = &image.manifest else {
            return Ok(None);
        };
        if !self.has_blob(digest) {
            return Ok(None);
        }
        let data = self.read_blob(digest)?;
        let manifest = Manifest::parse(&data)?;
        if !manifest.layers.iter().all(|l| self.has_blob(&l.digest)) {
            return Ok(None);
        }
        Ok(Some(PushPlan {
            manifest: Document {
                media_type: media_type.clone(),
                data,
            },
            digest: digest.clone(),
            config: manifest.config,
            layers: manifest.layers,
            diff_ids: diff_ids.to_vec(),
        }))
    }

    fn layer_descriptor(
        &self,
        diff_id: &Digest,
        compress: bool,
    ) -> Result<Descriptor, ArchiveError> {
        let blobs = self.layer_blobs(diff_id)?;
        let packed = blobs.iter().find(|(blob, _)| blob.digest != *diff_id);
        if let Some((blob, _)) = packed {
            let mut blob = blob.clone();
            blob.media_type = oci_media_type(&blob.media_type).to_owned();
            return Ok(blob);
        }
        let Some((plain, size)) = blobs.into_iter().next() else {
            return Err(StoreError::MissingLayer(diff_id.clone()).into());
        };
        if !compress {
            return Ok(plain);
        }
        let packed = self.compress(&plain.digest)?;
        self.record_layer_blob(diff_id, &packed, size)?;
        self.forget_plain(diff_id)?;
        Ok(packed)
    }

    /// Compresses a plain blob. The result is the same each time.
    fn compress(&self, plain: &Digest) -> Result<Descriptor, StoreError> {
        let temp = self.temp_path("blob");
        let path = self.blob_path(plain);
        let mut input = self.open_blob(plain)?;
        let output = File::create_new(&temp).map_err(at("create", &temp))?;
        let hashing = Hashing {
            output,
            hash: Sha256::new(),
            written: 0,
        };
        let level = flate2::Compression::new(4);
        let mut encoder = flate2::write::GzEncoder::new(hashing, level);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let count = input.read(&mut buffer).map_err(at("read", &path))?;
            if count == 0 {
                break;
            }
            encoder
                .write_all(&buffer[..count])
                .map_err(at("write", &temp))?;
        }
        let done = encoder.finish().map_err(at("write", &temp))?;
        done.output.sync_data().map_err(at("sync", &temp))?;
        let digest = Digest::from_sha256(done.hash.finalize().into());
        self.publish_blob(&temp, &digest)?;
        self.sync_blob_names()?;
        let media_type = Compression::Gzip.layer_media_type();
        Ok(Descriptor::new(media_type, digest, done.written))
    }

    /// Removes the plain blob of a layer that has a compressed one, unless a
    /// manifest wants it as it is.
    fn forget_plain(&self, diff_id: &Digest) -> Result<(), ArchiveError> {
        for image in self.images()? {
            let Some((digest, _)) = &image.manifest else {
                continue;
            };
            let Ok(data) = self.read_blob(digest) else {
                continue;
            };
            if Manifest::parse(&data)?
                .layers
                .iter()
                .any(|l| l.digest == *diff_id)
            {
                return Ok(());
            }
        }
        self.db()
            .execute(
                "DELETE FROM layer_blobs WHERE diff_id = ?1 AND digest = ?1",
                [diff_id.as_str()],
            )
            .map_err(StoreError::from)?;
        Ok(self.remove_blob(diff_id)?)
    }
}

/// Who takes an OCI manifest wants OCI's names in it.
pub(super) fn oci_media_type(media_type: &str) -> &str {
    match media_type {
        "application/vnd.docker.image.rootfs.diff.tar.gzip" => Compression::Gzip.layer_media_type(),
        "application/vnd.docker.image.rootfs.diff.tar" => Compression::None.layer_media_type(),
        other => other,
    }
}

struct Hashing {
    output: File,
    hash: Sha256,
    written: u64,
}

impl Write for Hashing {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.output.write(data)?;
        self.hash.update(&data[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
