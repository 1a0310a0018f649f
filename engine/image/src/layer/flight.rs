//! Layers being fetched right now, so that nobody fetches one twice.

use std::collections::HashSet;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use dhow_model::Digest;

use crate::store::ImageStore;

/// Someone else is at it. Wait, then begin again: by then the layer is there,
/// or the other one failed and it is your turn.
#[derive(Debug)]
pub struct InFlight {
    store: ImageStore,
    digests: [Digest; 2],
}

/// The right to fetch a layer; given up when dropped.
#[derive(Debug)]
pub(super) struct Flight {
    store: ImageStore,
    digests: [Digest; 2],
}

impl Flight {
    /// Takes blob and layer for oneself, or tells whom to wait for.
    pub fn begin(store: &ImageStore, blob: &Digest, diff_id: &Digest) -> Result<Self, InFlight> {
        let digests = [blob.clone(), diff_id.clone()];
        let store = store.clone();
        let mut flights = flights(&store);
        if digests.iter().any(|d| flights.contains(d)) {
            drop(flights);
            return Err(InFlight { store, digests });
        }
        flights.extend(digests.iter().cloned());
        drop(flights);
        Ok(Self { store, digests })
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut flights = flights(&self.store);
        for digest in &self.digests {
            flights.remove(digest);
        }
        drop(flights);
        self.store.inner.landed.notify_all();
    }
}

impl InFlight {
    /// Waits until the other one is done; false if `timeout` passed first. Not
    /// to be called by a thread that itself has an ingest to finish.
    pub fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut flights = flights(&self.store);
        while self.digests.iter().any(|d| flights.contains(d)) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return false;
            };
            flights = match self.store.inner.landed.wait_timeout(flights, left) {
                Ok((flights, _)) => flights,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        true
    }
}

fn flights(store: &ImageStore) -> MutexGuard<'_, HashSet<Digest>> {
    store
        .inner
        .flights
        .lock()
        .unwrap_or_else(|p| p.into_inner())
}
