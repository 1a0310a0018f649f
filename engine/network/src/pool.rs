//! Namespaces made ahead of time.
//!
//! Making one takes the kernel milliseconds and a lock that all network
//! changes share, so it happens between starts: one thread of the caller's runs
//! [`NamespacePool::keep_full`].

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use dhow_sys::nft::Changes;

use crate::Error;
use crate::bridge::{Attached, Bridge, lock};
use crate::endpoint::EndpointRequest;
use crate::namespace::Namespace;

/// A veth pair usually goes with its namespace; after this it is deleted.
const GRACE: Duration = Duration::from_millis(500);
/// A container that just got its namespace is being started; making the next
/// one can wait for that, unless the pool runs dry.
const SETTLE: Duration = Duration::from_millis(15);
/// Legacy iptables tells nobody of its changes, so they are looked for.
const LEGACY_INTERVAL: Duration = Duration::from_secs(60);
/// How long to wait after something failed before it is tried again.
const AFTER_ERROR: Duration = Duration::from_secs(5);

/// Namespaces ready for containers.
pub struct NamespacePool {
    bridge: Arc<Bridge>,
    target: usize,
    shelf: Mutex<Shelf>,
    changed: Condvar,
}

#[derive(Default)]
struct Shelf {
    ready: VecDeque<Namespace>,
    closed: bool,
}

impl NamespacePool {
    /// An empty pool that wants to hold `target` namespaces.
    pub fn new(bridge: Arc<Bridge>, target: usize) -> Self {
        Self {
            bridge,
            target,
            shelf: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub fn bridge(&self) -> &Arc<Bridge> {
        &self.bridge
    }

    /// A container's network: a namespace from the pool with the request's
    /// ports published.
    pub fn attach(&self, request: &EndpointRequest) -> Result<Attached, Error> {
        let namespace = self.take()?;
        self.bridge.attach(namespace, request).map_err(|refused| {
            lock(&self.shelf).ready.push_front(refused.namespace);
            refused.error
        })
    }

    /// Gives a container's ports and address back.
    pub fn detach(&self, endpoint: &str) -> Result<(), Error> {
        let result = self.bridge.detach(endpoint);
        self.changed.notify_all();
        result
    }

    /// A namespace from the pool; made on the spot if there is none.
    pub fn take(&self) -> Result<Namespace, Error> {
        let ready = lock(&self.shelf).ready.pop_front();
        self.changed.notify_all();
        match ready {
            Some(namespace) => Ok(namespace),
            None => self.bridge.make_namespace(),
        }
    }

    /// How many are ready.
    pub fn ready(&self) -> usize {
        lock(&self.shelf).ready.len()
    }

    /// Makes namespaces until the pool is full; returns how many were made.
    pub fn refill(&self) -> Result<usize, Error> {
        let mut made = 0;
        loop {
            {
                let shelf = lock(&self.shelf);
                if shelf.closed || shelf.ready.len() >= self.target {
                    return Ok(made);
                }
            }
            let namespace = self.bridge.make_namespace()?;
            let mut shelf = lock(&self.shelf);
            if shelf.closed {
                self.bridge.discard(namespace);
                return Ok(made);
            }
            shelf.ready.push_back(namespace);
            made += 1;
        }
    }

    /// Keeps the pool full and the bridge swept until [`Self::close`].
    pub fn keep_full(&self) {
        loop {
            let filled = self.refill().map(|_| ());
            let swept = self.bridge.sweep(GRACE).map(|_| ());
            let pause = match filled.and(swept) {
                Ok(()) => self.bridge.has_leaving().then_some(GRACE),
                Err(error) => {
                    tracing::warn!(
                        error = dhow_model::error::chain(&error),
                        "network upkeep failed"
                    );
                    Some(AFTER_ERROR)
                }
            };
            let shelf = lock(&self.shelf);
            if shelf.closed {
                return;
            }
            if shelf.ready.len() < self.target && pause.is_none() {
                continue;
            }
            let shelf = match pause {
                Some(pause) => {
                    let waited = self.changed.wait_timeout(shelf, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(shelf);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
            let plenty = shelf.ready.len() * 2 >= self.target;
            drop(shelf);
            if plenty {
                thread::sleep(SETTLE);
            }
        }
    }

    /// Follows what other programs make of the rule set, until
    /// [`Self::close`]: one that has forwarded packets dropped from now on must
    /// not cut containers off that run already.
    pub fn watch_firewall(&self) {
        let closed = || lock(&self.shelf).closed;
        let changes = match Changes::listen() {
            Ok(changes) => changes,
            Err(error) => {
                let error = dhow_model::error::chain(&error);
                tracing::warn!(error, "changes of firewall rules are not followed");
                return;
            }
        };
        // What changed before this was listening.
        self.bridge.pass_foreign_chains(closed);
        while !closed() {
            if let Err(error) = changes.wait(LEGACY_INTERVAL) {
                let error = dhow_model::error::chain(&error);
                tracing::warn!(error, "changes of firewall rules are not heard");
                thread::sleep(AFTER_ERROR);
            }
            self.bridge.pass_foreign_chains(closed);
        }
    }

    /// Ends [`Self::keep_full`] and [`Self::watch_firewall`], and lets go of
    /// all namespaces.
    pub fn close(&self) {
        let mut shelf = lock(&self.shelf);
        shelf.closed = true;
        for namespace in shelf.ready.drain(..) {
            self.bridge.discard(namespace);
        }
        self.changed.notify_all();
    }
}
