//! Which form layers have in an archive: the one they came in, unless readers
//! would not know it. Docker reads zstd since version 23 only, and other tools
//! expect none in its archives, so those layers go in plain, as Docker itself
//! writes all of them.
//!
//! The archive's manifest then is one of our own that says so, and not the
//! registry's.

use std::fs::File;
use std::io::{self, BufReader, Read};

use dhow_model::Digest;

use super::push::oci_media_type;
use super::{ArchiveError, PushPlan};
use crate::image::{Descriptor, ImageRecord};
use crate::layer::{Compression, decoder};
use crate::store::{ImageStore, Lease, StoreError};

impl ImageStore {
    /// What an archive of `image` holds. Its blobs, and those that they are
    /// made from, are kept by `lease`.
    pub(super) fn archive_plan(
        &self,
        lease: &Lease,
        image: &ImageRecord,
    ) -> Result<PushPlan, ArchiveError> {
        let mut plan = self.plan(image, false)?;
        plan.layers.iter().for_each(|l| lease.hold(&l.digest));
        let mut other = false;
        for (layer, diff_id) in plan.layers.iter_mut().zip(&plan.diff_ids) {
            if self.compression(&layer.digest)? == Compression::Zstd {
                let size = self.plain_size(diff_id, &layer.digest)?;
                let media_type = Compression::None.layer_media_type();
                *layer = Descriptor::new(media_type, diff_id.clone(), size);
                other = true;
            }
        }
        if !other {
            return Ok(plan);
        }
        for layer in &mut plan.layers {
            layer.media_type = oci_media_type(&layer.media_type).to_owned();
        }
        self.made_plan(image, plan.layers, plan.diff_ids)
    }

    /// The bytes of `blob` for an archive, made from a compressed layer where
    /// only that is here.
    pub(super) fn archived(&self, blob: &Descriptor) -> io::Result<Box<dyn Read>> {
        match File::open(self.blob_path(&blob.digest)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return Ok(Box::new(opened?)),
        }
        let sources = self.layer_blobs(&blob.digest).map_err(io::Error::other)?;
        let Some((source, _)) = sources.first() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let file = File::open(self.blob_path(&source.digest))?;
        let file = BufReader::with_capacity(256 * 1024, file);
        Ok(Box::new(decoder(file).map_err(io::Error::other)?))
    }

    fn compression(&self, digest: &Digest) -> Result<Compression, ArchiveError> {
        let mut head = Vec::new();
        let read = self.open_blob(digest)?.take(6).read_to_end(&mut head);
        read.map_err(crate::store::at("read", &self.blob_path(digest)))?;
        Ok(Compression::detect(&head))
    }

    /// How long the plain archive is that blob `packed` unpacks to.
    fn plain_size(&self, diff_id: &Digest, packed: &Digest) -> Result<u64, ArchiveError> {
        let blobs = self.layer_blobs(diff_id)?;
        let known = blobs.into_iter().find(|(blob, _)| blob.digest == *packed);
        let missing = || StoreError::MissingLayer(diff_id.clone());
        Ok(known.map(|(_, size)| size).ok_or_else(missing)?)
    }
}
