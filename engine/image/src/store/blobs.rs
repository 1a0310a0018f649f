//! Blobs: files named by their digest, whole and verified or not there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use dhow_model::Digest;
use sha2::{Digest as _, Sha256};

use super::{ImageStore, Lease, StoreError, at};

/// Manifests, indexes and configurations are refused beyond this, as registries
/// and Docker do with 4 MiB manifests; configurations may be somewhat larger.
pub const MAX_DOCUMENT: u64 = 16 << 20;

impl ImageStore {
    /// Whether blob `digest` is here.
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.blob_path(digest).is_file()
    }

    /// Opens blob `digest` for reading.
    pub fn open_blob(&self, digest: &Digest) -> Result<File, StoreError> {
        let path = self.blob_path(digest);
        File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::MissingBlob(digest.clone()),
            _ => at("open", &path)(error),
        })
    }

    /// Reads a document (manifest, index, configuration) as a whole.
    pub fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let file = self.open_blob(digest)?;
        let path = self.blob_path(digest);
        let size = file.metadata().map_err(at("stat", &path))?.len();
        if size > MAX_DOCUMENT {
            return Err(StoreError::TooLarge(digest.clone(), size));
        }
        let mut data = Vec::new();
        (&file).read_to_end(&mut data).map_err(at("read", &path))?;
        Ok(data)
    }

    /// How long blob `digest` is, if it is here.
    pub fn blob_size(&self, digest: &Digest) -> Option<u64> {
        Some(self.blob_path(digest).metadata().ok()?.len())
    }

    /// Stores a document, durably, and returns its digest.
    pub fn put_blob(&self, lease: &Lease, data: &[u8]) -> Result<Digest, StoreError> {
        let digest = sha256(data);
        lease.hold(&digest);
        if self.has_blob(&digest) {
            return Ok(digest);
        }
        let temp = self.temp_path("blob");
        let mut file = File::create_new(&temp).map_err(at("create", &temp))?;
        file.write_all(data).map_err(at("write", &temp))?;
        file.sync_data().map_err(at("sync", &temp))?;
        self.publish_blob(&temp, &digest)?;
        Ok(digest)
    }

    /// Makes the verified, synced file `temp` blob `digest`.
    pub(crate) fn publish_blob(&self, temp: &Path, digest: &Digest) -> Result<(), StoreError> {
        let path = self.blob_path(digest);
        std::fs::rename(temp, &path).map_err(at("publish", &path))
    }

    /// Makes the names of all published blobs durable; to be called before an
    /// image that needs them is acknowledged.
    pub(crate) fn sync_blob_names(&self) -> Result<(), StoreError> {
        let path = self.inner.root.join("blobs/sha256");
        let dir = File::open(&path).map_err(at("open", &path))?;
        dir.sync_all().map_err(at("sync", &path))
    }

    /// Removes blob `digest`.
    pub(crate) fn remove_blob(&self, digest: &Digest) -> Result<(), StoreError> {
        let path = self.blob_path(digest);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(at("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Every blob that is here.
    pub(crate) fn all_blobs(&self) -> Result<Vec<Digest>, StoreError> {
        let path = self.inner.root.join("blobs/sha256");
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(at("read", &path))? {
            let name = entry.map_err(at("read", &path))?.file_name();
            if let Ok(digest) = format!("sha256:{}", name.to_string_lossy()).parse() {
                found.push(digest);
            }
        }
        Ok(found)
    }
}

/// The digest of `data`.
pub(crate) fn sha256(data: &[u8]) -> Digest {
    Digest::from_sha256(Sha256::digest(data).into())
}
