//! All containers by id and by name, and how a person's text finds one.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, RwLock};

use dhow_model::Id;

use super::container::Container;
use crate::{Error, Result};

/// The containers of the engine.
#[derive(Default)]
pub(crate) struct Table {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    by_id: BTreeMap<String, Arc<Container>>,
    by_name: HashMap<String, Id>,
}

impl Table {
    /// Adds a container under `name`; Docker's conflict when the name is taken.
    pub fn insert(&self, name: &str, container: Arc<Container>) -> Result<()> {
        let mut inner = self.inner.write().unwrap_or_else(|p| p.into_inner());
        if let Some(holder) = inner.by_name.get(name) {
            return Err(taken(name, holder));
        }
        inner.by_name.insert(name.to_owned(), container.id.clone());
        inner
            .by_id
            .insert(container.id.as_str().to_owned(), container);
        Ok(())
    }

    /// Whether `name` is free; Docker's conflict when it is not.
    pub fn check_name(&self, name: &str) -> Result<()> {
        let inner = self.inner.read().unwrap_or_else(|p| p.into_inner());
        match inner.by_name.get(name) {
            Some(holder) => Err(taken(name, holder)),
            None => Ok(()),
        }
    }

    /// Moves a container from one name to another.
    pub fn rename(&self, id: &Id, from: &str, to: &str) -> Result<()> {
        let mut inner = self.inner.write().unwrap_or_else(|p| p.into_inner());
        if let Some(holder) = inner.by_name.get(to) {
            return Err(taken(to, holder));
        }
        inner.by_name.remove(from);
        inner.by_name.insert(to.to_owned(), id.clone());
        Ok(())
    }

    /// Forgets a container.
    pub fn remove(&self, id: &Id, name: &str) {
        let mut inner = self.inner.write().unwrap_or_else(|p| p.into_inner());
        inner.by_id.remove(id.as_str());
        if inner.by_name.get(name) == Some(id) {
            inner.by_name.remove(name);
        }
    }

    /// The container that `text` means: a whole id, a name, or the beginning
    /// of exactly one id, in that order (as dockerd decides).
    pub fn find(&self, text: &str) -> Result<Arc<Container>> {
        let inner = self.inner.read().unwrap_or_else(|p| p.into_inner());
        if let Some(container) = inner.by_id.get(text) {
            return Ok(Arc::clone(container));
        }
        let name = text.strip_prefix('/').unwrap_or(text);
        if let Some(container) = inner
            .by_name
            .get(name)
            .and_then(|id| inner.by_id.get(id.as_str()))
        {
            return Ok(Arc::clone(container));
        }
        if !text.is_empty() {
            let mut matching = inner
                .by_id
                .range::<str, _>((Bound::Included(text), Bound::Unbounded))
                .take_while(|(id, _)| id.starts_with(text));
            if let Some((_, container)) = matching.next() {
                return match matching.next() {
                    None => Ok(Arc::clone(container)),
                    Some(_) => Err(Error::invalid(format!(
                        "multiple IDs found with provided prefix: {text}"
                    ))),
                };
            }
        }
        Err(Error::not_found(format!("No such container: {text}")))
    }

    /// Every container, in no particular order.
    pub fn all(&self) -> Vec<Arc<Container>> {
        let inner = self.inner.read().unwrap_or_else(|p| p.into_inner());
        inner.by_id.values().cloned().collect()
    }
}

fn taken(name: &str, holder: &Id) -> Error {
    Error::conflict(format!(
        "Conflict. The container name \"/{name}\" is already in use by container \"{holder}\". \
         You have to remove (or rename) that container to be able to reuse that name."
    ))
}
