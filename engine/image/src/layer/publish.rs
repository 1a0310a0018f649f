//! Making an unpacked layer visible.

use std::path::{Path, PathBuf};

use dhow_model::Digest;
use rusqlite::{OptionalExtension, params};

use super::LayerError;
use crate::image::Descriptor;
use crate::store::{ImageStore, StoreError, at, discard};

/// An unpacked tree in `tmp` that is removed unless it is published.
#[derive(Debug)]
pub(crate) struct StagedLayer {
    store: ImageStore,
    path: Option<PathBuf>,
}

impl StagedLayer {
    /// An empty tree.
    pub fn new(store: &ImageStore) -> Result<Self, StoreError> {
        let path = store.temp_path("layer");
        let diff = path.join("diff");
        std::fs::create_dir_all(&diff).map_err(at("create", &diff))?;
        // Whoever sees the directory has the store's own permissions to pass;
        // the root of a container is everyone's.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&diff, open).map_err(at("chmod", &diff))?;
        Ok(Self {
            store: store.clone(),
            path: Some(path),
        })
    }

    /// No tree at all.
    pub fn none(store: &ImageStore) -> Self {
        Self {
            store: store.clone(),
            path: None,
        }
    }

    /// Where the tree's files go.
    pub fn diff(&self) -> PathBuf {
        self.path.as_deref().unwrap_or(Path::new("")).join("diff")
    }

    /// Makes the tree layer `diff_id`, whose files hold `bytes`, and remembers
    /// the blob it came from with the length of the plain archive. If the layer
    /// is there already this tree is removed.
    pub fn publish(
        mut self,
        diff_id: &Digest,
        bytes: u64,
        blob: Option<(&Descriptor, u64)>,
    ) -> Result<(), StoreError> {
        let Some(from) = self.path.take() else {
            return Ok(());
        };
        let store = self.store.clone();
        let publishing = store.publishing();
        if store.has_layer(diff_id)? {
            if let Some((blob, plain_size)) = blob {
                store.record_layer_blob(diff_id, blob, plain_size)?;
            }
            drop(publishing);
            return discard(&store, &from);
        }
        let to = store.layer_path(diff_id);
        // A directory without a row is nobody's.
        if to.exists() {
            discard(&store, &to)?;
        }
        let mut db = store.db();
        let tx = db.transaction()?;
        let seq: i64 = tx.query_row(
            "INSERT INTO layers (diff_id, size, boot_id) VALUES (?1, ?2, ?3) RETURNING seq",
            params![diff_id.as_str(), bytes.cast_signed(), store.boot_id()],
            |row| row.get(0),
        )?;
        // One transaction, since each waits for the disk.
        if let Some((blob, plain_size)) = blob {
            insert_blob(&tx, diff_id, blob, plain_size)?;
        }
        let link = store.root().join("layers/l").join(seq.to_string());
        let target = Path::new("..").join(diff_id.hex()).join("diff");
        // The number may have been used by a publication that was cut off.
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(&target, &link).map_err(at("link", &link))?;
        std::fs::rename(&from, &to).map_err(at("publish", &to))?;
        tx.commit()?;
        Ok(())
    }
}

impl Drop for StagedLayer {
    fn drop(&mut self) {
        if let Some(path) = self.path.take()
            && let Err(error) = discard(&self.store, &path)
        {
            let error = dhow_model::error::chain(&error);
            tracing::warn!(error, "cannot remove an unfinished layer");
        }
    }
}

impl ImageStore {
    /// Whether layer `diff_id` is unpacked.
    pub fn has_layer(&self, diff_id: &Digest) -> Result<bool, StoreError> {
        let found = self
            .db()
            .query_row(
                "SELECT 1 FROM layers WHERE diff_id = ?1",
                [diff_id.as_str()],
                |_| Ok(()),
            )
            .optional()?;
        Ok(found.is_some())
    }

    /// Remembers that blob `blob` unpacks to layer `diff_id`.
    pub(crate) fn record_layer_blob(
        &self,
        diff_id: &Digest,
        blob: &Descriptor,
        unpacked_size: u64,
    ) -> Result<(), StoreError> {
        insert_blob(&self.db(), diff_id, blob, unpacked_size)
    }

    /// The blobs that unpack to layer `diff_id` and are here, with the length
    /// of the plain archive.
    pub fn layer_blobs(&self, diff_id: &Digest) -> Result<Vec<(Descriptor, u64)>, StoreError> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT digest, media_type, size, unpacked_size FROM layer_blobs WHERE diff_id = ?1
             ORDER BY rowid",
        )?;
        let rows = query.query_map([diff_id.as_str()], |row| {
            let digest: String = row.get(0)?;
            let media_type: String = row.get(1)?;
            let size: i64 = row.get(2)?;
            let unpacked: i64 = row.get(3)?;
            Ok((digest, media_type, size, unpacked))
        })?;
        let mut found = Vec::new();
        for row in rows {
            let (digest, media_type, size, unpacked) = row?;
            let digest: Digest = digest.parse().map_err(|_| StoreError::Record("digest"))?;
            if self.has_blob(&digest) {
                let descriptor = Descriptor::new(&media_type, digest, size.cast_unsigned());
                found.push((descriptor, unpacked.cast_unsigned()));
            }
        }
        Ok(found)
    }

    /// Unpacks layer `diff_id` from a blob that is here, unless it already is
    /// unpacked.
    pub fn ensure_layer(&self, diff_id: &Digest) -> Result<(), LayerError> {
        if self.has_layer(diff_id)? {
            return Ok(());
        }
        let lease = self.lease();
        let mut last = LayerError::Store(StoreError::MissingLayer(diff_id.clone()));
        for (blob, _) in self.layer_blobs(diff_id)? {
            match self.unpack_blob(&lease, &blob, diff_id) {
                Ok(()) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn insert_blob(
    db: &rusqlite::Connection,
    diff_id: &Digest,
    blob: &Descriptor,
    unpacked_size: u64,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT OR REPLACE INTO layer_blobs (diff_id, digest, media_type, size, unpacked_size)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            diff_id.as_str(),
            blob.digest.as_str(),
            blob.media_type,
            blob.size.cast_signed(),
            unpacked_size.cast_signed()
        ],
    )?;
    Ok(())
}
