//! The names of images: tags, and digests they were pulled by.

use dhow_model::{Digest, reference::Reference};
use rusqlite::{Connection, OptionalExtension, params};

use super::ImageError;
use crate::store::{ImageStore, StoreError};

impl ImageStore {
    /// Gives image `id` the name `reference` (`latest` if it has no tag),
    /// taking it from another image if need be. Returns the whole name.
    pub fn tag(&self, id: &Digest, reference: &Reference) -> Result<Reference, ImageError> {
        if reference.digest().is_some() {
            return Err(ImageError::TagWithDigest);
        }
        if reference.familiar_name() == "sha256" {
            return Err(ImageError::AmbiguousTag);
        }
        let reference = reference.clone().with_default_tag();
        let mut db = self.db();
        let tx = db.transaction()?;
        require(&tx, id)?;
        put_name(&tx, id, &reference)?;
        tx.commit()?;
        Ok(reference)
    }

    /// All names of image `id`, tags before digests, in order.
    pub fn names(&self, id: &Digest) -> Result<Vec<Reference>, ImageError> {
        Ok(names_of(&self.db(), id)?)
    }

    /// The image called `reference` exactly; a digest decides over a tag.
    pub fn named(&self, reference: &Reference) -> Result<Option<Digest>, ImageError> {
        Ok(by_name(&self.db(), reference)?)
    }
}

fn require(db: &Connection, id: &Digest) -> Result<(), ImageError> {
    let found = db
        .query_row("SELECT 1 FROM images WHERE id = ?1", [id.as_str()], |_| {
            Ok(())
        })
        .optional()?;
    found.ok_or_else(|| ImageError::NotFound(id.to_string()))
}

/// Adds a name with a tag or a digest, or moves it here.
pub(super) fn put_name(
    db: &Connection,
    id: &Digest,
    reference: &Reference,
) -> Result<(), StoreError> {
    let reference = reference.clone().with_default_tag();
    remove_name(db, &reference)?;
    let digest = reference.digest().map(Digest::as_str);
    // The database's check: one of the two, and the digest says more.
    let tag = match digest {
        Some(_) => None,
        None => reference.tag(),
    };
    db.execute(
        "INSERT INTO names (repository, tag, digest, image) VALUES (?1, ?2, ?3, ?4)",
        params![reference.name(), tag, digest, id.as_str()],
    )?;
    db.execute(
        "UPDATE images SET tagged = ?2 WHERE id = ?1",
        params![id.as_str(), super::record::now()],
    )?;
    Ok(())
}

/// Takes a name away; whether there was one.
pub(super) fn remove_name(db: &Connection, reference: &Reference) -> Result<bool, StoreError> {
    let removed = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => db.execute(
            "DELETE FROM names WHERE repository = ?1 AND digest = ?2",
            params![reference.name(), digest.as_str()],
        )?,
        (None, Some(tag)) => db.execute(
            "DELETE FROM names WHERE repository = ?1 AND tag = ?2",
            params![reference.name(), tag],
        )?,
        (None, None) => 0,
    };
    Ok(removed > 0)
}

pub(super) fn by_name(
    db: &Connection,
    reference: &Reference,
) -> Result<Option<Digest>, StoreError> {
    let get = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    let reference = reference.clone().with_default_tag();
    let found = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => db
            .prepare_cached("SELECT image FROM names WHERE repository = ?1 AND digest = ?2")?
            .query_row(params![reference.name(), digest.as_str()], get),
        (None, tag) => db
            .prepare_cached("SELECT image FROM names WHERE repository = ?1 AND tag = ?2")?
            .query_row(params![reference.name(), tag], get),
    };
    let found = found.optional()?;
    found
        .map(|id| id.parse().map_err(|_| StoreError::Record("image id")))
        .transpose()
}

pub(super) fn names_of(db: &Connection, id: &Digest) -> Result<Vec<Reference>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT repository, tag, digest FROM names WHERE image = ?1
         ORDER BY tag IS NULL, repository, tag, digest",
    )?;
    let rows = query.query_map([id.as_str()], |row| {
        let repository: String = row.get(0)?;
        let tag: Option<String> = row.get(1)?;
        let digest: Option<String> = row.get(2)?;
        Ok((repository, tag, digest))
    })?;
    rows.map(|row| {
        let (repository, tag, digest) = row?;
        name(&repository, tag.as_deref(), digest.as_deref())
    })
    .collect()
}

pub(super) fn name(
    repository: &str,
    tag: Option<&str>,
    digest: Option<&str>,
) -> Result<Reference, StoreError> {
    let text = match (tag, digest) {
        (Some(tag), _) => format!("{repository}:{tag}"),
        (None, Some(digest)) => format!("{repository}@{digest}"),
        (None, None) => return Err(StoreError::Record("name")),
    };
    Reference::parse_canonical(&text).map_err(|_| StoreError::Record("name"))
}
