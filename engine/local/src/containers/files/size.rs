//! How large a container is.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use crate::containers::container::Container;
use crate::{LocalEngine, Result};

impl LocalEngine {
    /// The bytes in the container's own files, and those with its image's.
    pub(crate) async fn sizes(&self, container: &Arc<Container>) -> Result<(i64, i64)> {
        let upper = container.directory(&self.config().data_root).join("upper");
        let image = container.read(|r| r.image.clone());
        let images = self.shared.images.clone();
        tokio::task::spawn_blocking(move || {
            let own = tree_size(&upper, &mut HashSet::new());
            let below = images.image(&image).map_or(0, |i| i.size());
            let below = i64::try_from(below).unwrap_or(i64::MAX);
            Ok((own, own.saturating_add(below)))
        })
        .await?
    }
}

/// The lengths of all files below `directory`; a file with several names
/// counts once, what vanishes meanwhile not at all.
fn tree_size(directory: &Path, seen: &mut HashSet<u64>) -> i64 {
    let mut total = 0_i64;
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else {
            continue;
        };
        if meta.is_dir() {
            total = total.saturating_add(tree_size(&entry.path(), seen));
        } else if meta.nlink() == 1 || seen.insert(meta.ino()) {
            total = total.saturating_add(i64::try_from(meta.len()).unwrap_or(i64::MAX));
        }
    }
    total
}
