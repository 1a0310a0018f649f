//! Layers that containers stand on, whatever becomes of their image.

use std::collections::HashSet;
use std::path::PathBuf;

use dhow_model::Digest;
use rusqlite::params;

use super::{ImageError, chain_ids};
use crate::store::{ImageStore, StoreError};

/// Layers, and their blobs, that only one owner holds.
const ORPHANS: &str = "
WITH alone AS (
    SELECT diff_id FROM pins WHERE owner = ?1
    EXCEPT SELECT diff_id FROM pins WHERE owner <> ?1
    EXCEPT SELECT diff_id FROM image_layers
)
SELECT diff_id FROM alone UNION SELECT digest FROM layer_blobs JOIN alone USING (diff_id)
";

/// An unpacked layer, for the lower directories of an overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerDir {
    /// Its directory.
    pub path: PathBuf,
    /// A short link to it below the store's root, such as `layers/l/17`: many
    /// of them fit into a mount's options.
    pub link: PathBuf,
}

impl ImageStore {
    /// The directories of image `id`, top first, unpacked anew where the last
    /// power cut may have torn them. The lowest is no layer of the image but
    /// the engine's own mount points, for images that have none.
    pub fn rootfs(&self, id: &Digest) -> Result<Vec<LayerDir>, ImageError> {
        let image = self.image(id)?;
        let mut diff_ids = image.config.rootfs.diff_ids;
        diff_ids.reverse();
        self.layer_dirs_of(&diff_ids)
    }

    /// Keeps the layers of image `id` for `owner` (a container's id), even if
    /// the image is removed. An owner's earlier pins are replaced.
    pub fn pin(&self, owner: &str, id: &Digest) -> Result<(), ImageError> {
        let diff_ids = self.image(id)?.config.rootfs.diff_ids;
        let mut db = self.db();
        let tx = db.transaction()?;
        tx.execute("DELETE FROM pins WHERE owner = ?1", [owner])?;
        for (position, (diff_id, chain_id)) in diff_ids.iter().zip(chain_ids(&diff_ids)).enumerate()
        {
            tx.execute(
                "INSERT INTO pins (owner, position, diff_id, chain_id) VALUES (?1, ?2, ?3, ?4)",
                params![owner, position as i64, diff_id.as_str(), chain_id.as_str()],
            )?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Lets go of what `owner` holds. Layers of an image that is gone already
    /// are removed behind the caller's back, since that may take a while.
    pub fn unpin(&self, owner: &str) -> Result<(), ImageError> {
        let orphans: HashSet<Digest> = {
            let mut db = self.db();
            let tx = db.transaction()?;
            let orphans = {
                let mut query = tx.prepare_cached(ORPHANS)?;
                let rows = query.query_map([owner], |row| row.get::<_, String>(0))?;
                rows.map(|row| row?.parse().map_err(|_| StoreError::Record("digest")))
                    .collect::<Result<_, StoreError>>()?
            };
            tx.execute("DELETE FROM pins WHERE owner = ?1", [owner])?;
            tx.commit()?;
            orphans
        };
        if orphans.is_empty() {
            return Ok(());
        }
        let store = self.clone();
        let collect = move || {
            if let Err(error) = store.collect_if(|digest| orphans.contains(digest)) {
                let error = dhow_model::error::chain(&error);
                tracing::warn!(error, "cannot remove layers of a removed container");
            }
        };
        // Without a thread the next collection does it.
        let thread = std::thread::Builder::new().name("image-collect".into());
        drop(thread.spawn(collect));
        Ok(())
    }

    /// Lets go of the pins of all owners that `exists` does not know.
    pub fn retain_pins(&self, exists: impl Fn(&str) -> bool) -> Result<(), ImageError> {
        let owners: Vec<String> = {
            let db = self.db();
            let mut query = db.prepare("SELECT DISTINCT owner FROM pins")?;
            query
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?
        };
        for owner in owners.iter().filter(|owner| !exists(owner)) {
            self.unpin(owner)?;
        }
        Ok(())
    }

    /// The directories `owner` stands on, top first.
    pub fn pinned_rootfs(&self, owner: &str) -> Result<Vec<LayerDir>, ImageError> {
        let diff_ids: Vec<Digest> = {
            let db = self.db();
            let mut query = db.prepare_cached(
                "SELECT diff_id FROM pins WHERE owner = ?1 ORDER BY position DESC",
            )?;
            let rows = query.query_map([owner], |row| row.get::<_, String>(0))?;
            rows.map(|row| row?.parse().map_err(|_| StoreError::Record("diff id")))
                .collect::<Result<_, StoreError>>()?
        };
        self.layer_dirs_of(&diff_ids)
    }

    /// Where layer `diff_id` is, or would be, unpacked.
    pub fn layer_dir(&self, diff_id: &Digest) -> PathBuf {
        self.layer_path(diff_id).join("diff")
    }

    fn layer_dirs_of(&self, diff_ids: &[Digest]) -> Result<Vec<LayerDir>, ImageError> {
        let mut dirs: Vec<LayerDir> = Vec::with_capacity(diff_ids.len());
        for diff_id in diff_ids {
            // overlayfs refuses the same directory twice. The upper one
            // decides, so the lower changes nothing.
            let path = self.layer_dir(diff_id);
            if dirs.iter().any(|dir| dir.path == path) {
                continue;
            }
            self.ensure_layer(diff_id)?;
            let seq: i64 = self
                .db()
                .prepare_cached("SELECT seq FROM layers WHERE diff_id = ?1")?
                .query_row([diff_id.as_str()], |row| row.get(0))?;
            dirs.push(LayerDir {
                path,
                link: PathBuf::from(format!("layers/l/{seq}")),
            });
        }
        dirs.push(self.mount_points());
        Ok(dirs)
    }
}
