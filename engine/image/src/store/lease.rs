//! Keeping new content from being collected before an image names it.

use std::sync::atomic::{AtomicU64, Ordering};

use dhow_model::Digest;

use super::ImageStore;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// As long as it lives, what was ingested or found under it stays.
#[derive(Debug)]
pub struct Lease {
    store: ImageStore,
    key: u64,
}

impl ImageStore {
    /// A lease for one piece of work: a pull, a load, a commit.
    pub fn lease(&self) -> Lease {
        let key = NEXT.fetch_add(1, Ordering::Relaxed);
        self.leases().insert(key, Default::default());
        Lease {
            store: self.clone(),
            key,
        }
    }

    /// Everything any live lease holds.
    pub(super) fn leased(&self) -> std::collections::HashSet<Digest> {
        self.leases().values().flatten().cloned().collect()
    }

    fn leases(
        &self,
    ) -> std::sync::MutexGuard<'_, std::collections::HashMap<u64, std::collections::HashSet<Digest>>>
    {
        self.inner.leases.lock().unwrap_or_else(|p| p.into_inner())
    }
}

impl Lease {
    /// Keeps the blob or layer `digest`, present or to come. What is found
    /// after this call stays found.
    pub fn hold(&self, digest: &Digest) {
        if let Some(held) = self.store.leases().get_mut(&self.key) {
            held.insert(digest.clone());
        }
        // A collection that began earlier does not know of this yet: let it
        // take away what it is about to, before anyone looks.
        drop(self.store.publishing());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.store.leases().remove(&self.key);
    }
}
