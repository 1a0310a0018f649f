//! Removing images and names, by the rules of `docker rmi`.

use std::collections::HashSet;

use dhow_model::{Digest, reference::Reference};
use rusqlite::{Connection, params};

use super::ImageError;
use super::lookup::resolve;
use super::names::{names_of, remove_name};
use super::record::children;
use crate::store::{ImageStore, StoreError};

/// A container that uses an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUser {
    /// The image it was made from.
    pub image: Digest,
    /// The container's id.
    pub container: String,
    /// Whether it runs (or is paused or restarting).
    pub running: bool,
}

/// How an image is removed.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemoveOptions {
    /// Removes it although it has several names, or stopped containers use it.
    pub force: bool,
    /// Keeps parents that nothing else needs.
    pub no_prune: bool,
}

/// One thing that was removed, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// A name.
    Untagged {
        /// As people know it.
        name: String,
        /// The image that had it.
        image: Digest,
    },
    /// An image.
    Image(Digest),
    /// A layer, by chain id, that no image has any more.
    Layer(Digest),
}

impl ImageStore {
    /// Removes the image or the name that `word` means.
    pub fn remove(
        &self,
        word: &str,
        options: RemoveOptions,
        users: &[ImageUser],
    ) -> Result<Vec<Removed>, ImageError> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let mut removal = Removal {
            db: &tx,
            users,
            removed: Vec::new(),
            freed: HashSet::new(),
        };
        removal.word(word, options)?;
        let (removed, freed) = (removal.removed, removal.freed);
        tx.commit()?;
        drop(db);
        // Only what was this image's: layers that an interrupted pull left
        // are there for the next one.
        if !freed.is_empty() {
            self.collect_if(|digest| freed.contains(digest))?;
        }
        Ok(removed)
    }
}

/// Why an image cannot go.
struct Conflict {
    hard: bool,
    used: bool,
    why: String,
}

impl Conflict {
    fn error(self, id: &Digest) -> ImageError {
        let (image, why) = (id.short().to_owned(), self.why);
        if self.hard {
            ImageError::Hard { image, why }
        } else {
            ImageError::Soft { image, why }
        }
    }
}

/// Which reasons count.
#[derive(Clone, Copy)]
struct Mask {
    names: bool,
    stopped: bool,
}

struct Removal<'a> {
    db: &'a Connection,
    users: &'a [ImageUser],
    removed: Vec<Removed>,
    /// Blobs and layers that may have lost their last holder.
    freed: HashSet<Digest>,
}

impl Removal<'_> {
    fn word(&mut self, word: &str, options: RemoveOptions) -> Result<(), ImageError> {
        let id = resolve(self.db, word)?;
        let names = names_of(self.db, &id)?;
        let mut quiet = false;
        if id.as_str().starts_with(word) || id.hex().starts_with(word) {
            if single(&names) {
                // Its names go with it; they are no reason to keep it.
                let mask = Mask {
                    names: false,
                    stopped: !options.force,
                };
                if let Some(conflict) = self.conflict(&id, mask)? {
                    return Err(conflict.error(&id));
                }
                for name in &names {
                    self.untag(&id, name)?;
                }
            }
        } else {
            if !options.force && single(&names) {
                self.refuse_if_used(word, &id)?;
            }
            let name = Reference::parse_normalized(word)?.with_default_tag();
            if !self.name(&id, &name)? {
                return Ok(());
            }
            quiet = true;
        }
        self.image(&id, options.force, !options.no_prune, quiet)
    }

    /// The last name of an image in use goes only by force, since nobody would
    /// find the image again.
    fn refuse_if_used(&self, word: &str, id: &Digest) -> Result<(), ImageError> {
        match self.users.iter().find(|user| user.image == *id) {
            None => Ok(()),
            Some(user) => Err(ImageError::NameInUse {
                reference: word.to_owned(),
                container: short(&user.container).to_owned(),
                image: id.short().to_owned(),
            }),
        }
    }

    /// Takes a name away, and with the last tag of a repository its digests;
    /// true if no name is left.
    fn name(&mut self, id: &Digest, name: &Reference) -> Result<bool, ImageError> {
        self.untag(id, name)?;
        let mut left = names_of(self.db, id)?;
        if name.digest().is_none() {
            let same = |other: &Reference| other.name() == name.name();
            if !left.iter().any(|n| n.digest().is_none() && same(n)) {
                for digest in left.iter().filter(|n| same(n)) {
                    self.untag(id, digest)?;
                }
                left.retain(|n| !same(n));
            }
        }
        Ok(left.is_empty())
    }

    fn untag(&mut self, id: &Digest, name: &Reference) -> Result<(), ImageError> {
        remove_name(self.db, name)?;
        // Where both were given, it is the digest that named the image.
        let shown = match name.digest() {
            Some(digest) => name.with_digest(digest.clone()),
            None => name.clone(),
        };
        self.removed.push(Removed::Untagged {
            name: shown.familiar(),
            image: id.clone(),
        });
        Ok(())
    }

    /// Removes the image itself with all its names, then, if asked, parents
    /// that nothing needs any more.
    fn image(
        &mut self,
        id: &Digest,
        force: bool,
        prune: bool,
        quiet: bool,
    ) -> Result<(), ImageError> {
        let mask = Mask {
            names: !force,
            stopped: !force,
        };
        if let Some(conflict) = self.conflict(id, mask)? {
            if quiet && (conflict.used || !self.dangling(id)?) {
                return Ok(());
            }
            return Err(conflict.error(id));
        }
        for name in names_of(self.db, id)? {
            self.untag(id, &name)?;
        }
        let parent: Option<String> = self.db.query_row(
            "SELECT parent FROM images WHERE id = ?1",
            [id.as_str()],
            |row| row.get(0),
        )?;
        let chain = self.chain(id)?;
        self.free(id)?;
        self.db
            .execute("DELETE FROM images WHERE id = ?1", [id.as_str()])?;
        self.removed.push(Removed::Image(id.clone()));
        for chain_id in chain.into_iter().rev() {
            if !self.chain_used(&chain_id)? {
                self.removed.push(Removed::Layer(chain_id));
            }
        }
        let Some(parent) = parent.filter(|_| prune) else {
            return Ok(());
        };
        let parent: Digest = parent.parse().map_err(|_| StoreError::Record("image id"))?;
        if self.exists(&parent)? {
            self.image(&parent, false, true, true)?;
        }
        Ok(())
    }

    /// Remembers what image `id` holds.
    fn free(&mut self, id: &Digest) -> Result<(), ImageError> {
        let mut query = self.db.prepare_cached(
            "SELECT diff_id FROM image_layers WHERE image = ?1
             UNION SELECT b.digest FROM image_layers l JOIN layer_blobs b USING (diff_id)
                 WHERE l.image = ?1
             UNION SELECT digest FROM image_manifests WHERE image = ?1
             UNION SELECT ?1",
        )?;
        let rows = query.query_map([id.as_str()], |row| row.get::<_, String>(0))?;
        for row in rows {
            let digest = row?.parse().map_err(|_| StoreError::Record("digest"))?;
            self.freed.insert(digest);
        }
        Ok(())
    }

    fn conflict(&self, id: &Digest, mask: Mask) -> Result<Option<Conflict>, ImageError> {
        if !children(self.db, id)?.is_empty() {
            return Ok(Some(Conflict {
                hard: true,
                used: false,
                why: "image has dependent child images".into(),
            }));
        }
        let user = |running: bool| {
            let mut users = self.users.iter();
            users.find(|user| user.image == *id && user.running == running)
        };
        if let Some(user) = user(true) {
            let container = short(&user.container);
            return Ok(Some(Conflict {
                hard: true,
                used: true,
                why: format!("image is being used by running container {container}"),
            }));
        }
        if mask.names && !names_of(self.db, id)?.is_empty() {
            return Ok(Some(Conflict {
                hard: false,
                used: false,
                why: "image is referenced in multiple repositories".into(),
            }));
        }
        if let Some(user) = user(false).filter(|_| mask.stopped) {
            let container = short(&user.container);
            return Ok(Some(Conflict {
                hard: false,
                used: true,
                why: format!("image is being used by stopped container {container}"),
            }));
        }
        Ok(None)
    }

    fn dangling(&self, id: &Digest) -> Result<bool, ImageError> {
        Ok(names_of(self.db, id)?.is_empty() && children(self.db, id)?.is_empty())
    }

    fn exists(&self, id: &Digest) -> Result<bool, ImageError> {
        let mut query = self
            .db
            .prepare_cached("SELECT 1 FROM images WHERE id = ?1")?;
        Ok(query.exists([id.as_str()])?)
    }

    fn chain(&self, id: &Digest) -> Result<Vec<Digest>, ImageError> {
        let mut query = self.db.prepare_cached(
            "SELECT chain_id FROM image_layers WHERE image = ?1 ORDER BY position",
        )?;
        let rows = query.query_map([id.as_str()], |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(row?.parse().map_err(|_| StoreError::Record("chain id"))?))
            .collect()
    }

    fn chain_used(&self, chain_id: &Digest) -> Result<bool, ImageError> {
        let used: bool = self.db.query_row(
            "SELECT EXISTS (SELECT 1 FROM image_layers WHERE chain_id = ?1)
                 OR EXISTS (SELECT 1 FROM pins WHERE chain_id = ?1)",
            params![chain_id.as_str()],
            |row| row.get(0),
        )?;
        Ok(used)
    }
}

/// Whether all names are in one repository, with at most one tag.
fn single(names: &[Reference]) -> bool {
    if names.len() <= 1 {
        return true;
    }
    let tags: Vec<_> = names.iter().filter(|n| n.digest().is_none()).collect();
    if tags.len() > 1 {
        return false;
    }
    let repository = tags.first().copied().unwrap_or(&names[0]).name();
    names.iter().all(|name| name.name() == repository)
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
