//! Putting the store in order when it is opened.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dhow_model::Digest;

use super::{ImageStore, StoreError, at, points, remove_tree};

/// Downloads to go on with; everything else in `tmp` is rubbish at open.
pub(super) const PARTIAL: &str = "partial-";

/// How long the beginning of a blob waits for the next attempt.
const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

impl ImageStore {
    /// Takes back what was half done, and forgets layers that may have been
    /// lost with the power. Removing the remains goes on behind.
    pub(super) fn sweep(&self) -> Result<(), StoreError> {
        self.forget_untrusted_layers()?;
        let present = self.layer_dirs()?;
        let known = self.known_layers()?;
        for diff_id in known.difference(&present) {
            tracing::warn!(%diff_id, "layer directory is missing, will be unpacked again");
            self.db()
                .execute("DELETE FROM layers WHERE diff_id = ?1", [diff_id.as_str()])?;
        }
        let rubbish: Vec<PathBuf> = {
            let mut found = self.leftovers()?;
            for diff_id in present.difference(&known) {
                let aside = self.temp_path("orphan");
                let path = self.layer_path(diff_id);
                std::fs::rename(&path, &aside).map_err(at("move", &path))?;
                found.push(aside);
            }
            found
        };
        self.sweep_links()?;
        if !rubbish.is_empty() {
            // Trees of thousands of files must not hold up the start.
            std::thread::Builder::new()
                .name("image-sweep".into())
                .spawn(move || remove_all(&rubbish))
                .map_err(at("start thread for", self.root()))?;
        }
        Ok(())
    }

    fn forget_untrusted_layers(&self) -> Result<(), StoreError> {
        // Their directories become orphans and are swept as such.
        self.db().execute(
            "DELETE FROM layers WHERE durable = 0 AND boot_id <> ?1",
            [self.boot_id()],
        )?;
        Ok(())
    }

    fn known_layers(&self) -> Result<HashSet<Digest>, StoreError> {
        let db = self.db();
        let mut query = db.prepare("SELECT diff_id FROM layers")?;
        let rows = query.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|row| row?.parse().map_err(|_| StoreError::Record("diff id")))
            .collect()
    }

    fn layer_dirs(&self) -> Result<HashSet<Digest>, StoreError> {
        let path = self.root().join("layers");
        let mut found = HashSet::new();
        for entry in std::fs::read_dir(&path).map_err(at("read", &path))? {
            let entry = entry.map_err(at("read", &path))?;
            let name = entry.file_name();
            let parsed = format!("sha256:{}", name.to_string_lossy()).parse();
            if let Ok(digest) = parsed
                && entry.path().join("diff").is_dir()
            {
                found.insert(digest);
            } else if name != "l" {
                let aside = self.temp_path("orphan");
                std::fs::rename(entry.path(), &aside).map_err(at("move", &entry.path()))?;
            }
        }
        Ok(found)
    }

    fn leftovers(&self) -> Result<Vec<PathBuf>, StoreError> {
        let path = self.root().join("tmp");
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(at("read", &path))? {
            let entry = entry.map_err(at("read", &path))?;
            let partial = entry.file_name().to_string_lossy().starts_with(PARTIAL);
            if !partial || is_old(&entry) {
                // Renamed once more, so that names of this run are free.
                let aside = self.temp_path("rubbish");
                std::fs::rename(entry.path(), &aside).map_err(at("move", &entry.path()))?;
                found.push(aside);
            }
        }
        Ok(found)
    }

    /// Short links without a layer, left by an interrupted publication.
    fn sweep_links(&self) -> Result<(), StoreError> {
        let path = self.root().join("layers/l");
        let known: HashSet<String> = {
            let db = self.db();
            let mut query = db.prepare("SELECT seq FROM layers")?;
            let rows = query.query_map([], |row| row.get::<_, i64>(0))?;
            rows.map(|row| row.map(|seq| seq.to_string()))
                .collect::<Result<_, _>>()?
        };
        for entry in std::fs::read_dir(&path).map_err(at("read", &path))? {
            let entry = entry.map_err(at("read", &path))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name != points::LINK && !known.contains(name.as_ref()) {
                std::fs::remove_file(entry.path()).map_err(at("remove", &entry.path()))?;
            }
        }
        Ok(())
    }
}

/// Whether nobody has gone on with a download for so long that nobody will.
fn is_old(entry: &std::fs::DirEntry) -> bool {
    let changed = entry.metadata().and_then(|stat| stat.modified());
    let age = changed.ok().and_then(|changed| changed.elapsed().ok());
    age.is_some_and(|age| age > MAX_AGE)
}

fn remove_all(paths: &[impl AsRef<Path>]) {
    for path in paths {
        if let Err(error) = remove_tree(path.as_ref()) {
            let error = dhow_model::error::chain(&error);
            tracing::warn!(error, "cannot remove remains of interrupted work");
        }
    }
}
