//! All execs by id, so that `/exec/{id}` needs no container.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use super::exec::Exec;
use crate::{Error, Result};

/// The execs of the engine.
#[derive(Default)]
pub(crate) struct Execs(RwLock<BTreeMap<String, Arc<Exec>>>);

impl Execs {
    /// Adds one.
    pub fn insert(&self, exec: Arc<Exec>) {
        let mut map = self.0.write().unwrap_or_else(|p| p.into_inner());
        map.insert(exec.id.to_string(), exec);
    }

    /// The exec whose id this is.
    pub fn find(&self, id: &str) -> Result<Arc<Exec>> {
        let map = self.0.read().unwrap_or_else(|p| p.into_inner());
        map.get(id)
            .cloned()
            .ok_or_else(|| Error::not_found(format!("No such exec instance: {id}")))
    }

    /// Forgets those of a container that is gone.
    pub fn forget(&self, container: &dhow_model::Id) {
        let mut map = self.0.write().unwrap_or_else(|p| p.into_inner());
        map.retain(|_, exec| exec.container.id != *container);
    }
}
