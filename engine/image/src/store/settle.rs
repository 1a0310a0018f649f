//! Making unpacked layers durable, later.

use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dhow_model::error::chain;

use super::{ImageStore, Inner, StoreError, at};

/// How long after the last image the disk is left alone.
const DELAY: Duration = Duration::from_secs(5);

impl ImageStore {
    /// Waits until all layers unpacked so far are on disk and remembers it.
    pub fn settle(&self) -> Result<(), StoreError> {
        let last: Option<i64> =
            self.db()
                .query_row("SELECT max(seq) FROM layers WHERE durable = 0", [], |row| {
                    row.get(0)
                })?;
        let Some(last) = last else { return Ok(()) };
        let root = File::open(self.root()).map_err(at("open", self.root()))?;
        dhow_sys::tree::sync_file_system(root.as_fd()).map_err(at("sync", self.root()))?;
        self.db().execute(
            "UPDATE layers SET durable = 1 WHERE seq <= ?1 AND durable = 0",
            [last],
        )?;
        Ok(())
    }

    /// Has [`Self::settle`] done soon, by a thread that does not keep the store
    /// open.
    pub(crate) fn settle_soon(&self) {
        if self.inner.settling.swap(true, Ordering::SeqCst) {
            return;
        }
        let store = std::sync::Arc::downgrade(&self.inner);
        let thread = std::thread::Builder::new().name("image-settle".into());
        if thread.spawn(move || settle_after_delay(&store)).is_err() {
            // Out of threads: the layers stay recorded as of this boot.
            self.inner.settling.store(false, Ordering::SeqCst);
        }
    }
}

fn settle_after_delay(store: &Weak<Inner>) {
    std::thread::sleep(DELAY);
    let Some(inner) = store.upgrade() else { return };
    inner.settling.store(false, Ordering::SeqCst);
    if let Err(error) = (ImageStore { inner }).settle() {
        tracing::warn!(error = chain(&error), "cannot make layers durable yet");
    }
}
