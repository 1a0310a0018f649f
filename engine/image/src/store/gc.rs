//! Collecting blobs and layers that nothing leads to.

use std::collections::HashSet;

use dhow_model::Digest;

use super::sweep::PARTIAL;
use super::{ImageStore, StoreError, at, discard};

/// What a collection freed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Layers removed.
    pub layers: Vec<Digest>,
    /// Bytes of unpacked files and of blobs.
    pub bytes: u64,
}

impl ImageStore {
    /// Removes every blob and layer that no image, pin or lease holds, and the
    /// beginnings of blobs that nobody is fetching.
    pub fn collect(&self) -> Result<Collected, StoreError> {
        let mut collected = self.collect_if(|_| true)?;
        collected.bytes += self.collect_partials()?;
        Ok(collected)
    }

    fn collect_partials(&self) -> Result<u64, StoreError> {
        let path = self.root().join("tmp");
        // Whoever begins a fetch takes this lock first.
        let flights = self.inner.flights.lock().unwrap_or_else(|p| p.into_inner());
        let mut bytes = 0;
        for entry in std::fs::read_dir(&path).map_err(at("read", &path))? {
            let entry = entry.map_err(at("read", &path))?;
            let name = entry.file_name();
            let Some(hex) = name.to_str().and_then(|name| name.strip_prefix(PARTIAL)) else {
                continue;
            };
            let fetched = format!("sha256:{hex}").parse();
            if fetched.is_ok_and(|digest: Digest| flights.contains(&digest)) {
                continue;
            }
            let size = entry.metadata().map_or(0, |stat| stat.len());
            std::fs::remove_file(entry.path()).map_err(at("remove", &entry.path()))?;
            bytes += size;
        }
        Ok(bytes)
    }

    /// The same for those `wanted` accepts, which are otherwise left alone.
    pub(crate) fn collect_if(
        &self,
        wanted: impl Fn(&Digest) -> bool,
    ) -> Result<Collected, StoreError> {
        let mut collected = Collected::default();
        let mut trash = Vec::new();
        {
            let _publishing = self.publishing();
            let leased = self.leased();
            let keep = self.held_layers()?;
            let spare = |digest: &Digest| !leased.contains(digest) && wanted(digest);
            for (diff_id, size) in self.layers()? {
                if !keep.contains(&diff_id) && spare(&diff_id) {
                    self.forget_layer(&diff_id)?;
                    collected.bytes += size;
                    trash.push(self.layer_path(&diff_id));
                    collected.layers.push(diff_id);
                }
            }
            let keep = self.held_blobs(&keep)?;
            for digest in self.all_blobs()? {
                if !keep.contains(&digest) && spare(&digest) {
                    collected.bytes += self.blob_size(&digest).unwrap_or(0);
                    self.db().execute(
                        "DELETE FROM layer_blobs WHERE digest = ?1",
                        [digest.as_str()],
                    )?;
                    self.remove_blob(&digest)?;
                }
            }
            // Out of sight under the lock, so that a pull that begins next
            // does not find what is about to go.
            for path in &mut trash {
                let aside = self.temp_path("trash");
                if std::fs::rename(&*path, &aside).is_ok() {
                    *path = aside;
                }
            }
        }
        for path in trash {
            discard(self, &path)?;
        }
        Ok(collected)
    }

    fn layers(&self) -> Result<Vec<(Digest, u64)>, StoreError> {
        let db = self.db();
        let mut query = db.prepare("SELECT diff_id, size FROM layers")?;
        let rows = query.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
        rows.map(|row| {
            let (diff_id, size) = row?;
            let diff_id = diff_id.parse().map_err(|_| StoreError::Record("diff id"))?;
            Ok((diff_id, size.cast_unsigned()))
        })
        .collect()
    }

    fn forget_layer(&self, diff_id: &Digest) -> Result<(), StoreError> {
        let db = self.db();
        let seq: i64 = db.query_row(
            "DELETE FROM layers WHERE diff_id = ?1 RETURNING seq",
            [diff_id.as_str()],
            |row| row.get(0),
        )?;
        let link = self.root().join("layers/l").join(seq.to_string());
        // A link left behind is swept at the next open.
        let _ = std::fs::remove_file(link);
        Ok(())
    }

    /// Layers that images and pins stand on.
    fn held_layers(&self) -> Result<HashSet<Digest>, StoreError> {
        self.digests("SELECT diff_id FROM image_layers UNION SELECT diff_id FROM pins")
    }

    /// Blobs that lead to images or could restore one of the layers in `keep`.
    fn held_blobs(&self, keep: &HashSet<Digest>) -> Result<HashSet<Digest>, StoreError> {
        let mut held = self.digests(
            "SELECT id FROM images UNION SELECT digest FROM image_manifests
             UNION SELECT manifest FROM images WHERE manifest IS NOT NULL",
        )?;
        let db = self.db();
        let mut query = db.prepare("SELECT diff_id, digest FROM layer_blobs")?;
        let rows = query.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        for row in rows {
            let (diff_id, digest) = row?;
            let diff_id: Digest = diff_id.parse().map_err(|_| StoreError::Record("diff id"))?;
            if keep.contains(&diff_id) {
                held.insert(digest.parse().map_err(|_| StoreError::Record("digest"))?);
            }
        }
        Ok(held)
    }

    fn digests(&self, sql: &str) -> Result<HashSet<Digest>, StoreError> {
        let db = self.db();
        let mut query = db.prepare(sql)?;
        let rows = query.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|row| row?.parse().map_err(|_| StoreError::Record("digest")))
            .collect()
    }
}
