//! Finding the image that a word means, by Docker's rules.

use dhow_model::{
    Digest,
    reference::{AnyReference, Reference},
};
use rusqlite::{Connection, OptionalExtension};

use super::ImageError;
use super::names::by_name;
use crate::store::{ImageStore, StoreError};

impl ImageStore {
    /// The image `word` means: a full id, a name, or the beginning of an id
    /// that no other image's begins with, in this order.
    pub fn resolve(&self, word: &str) -> Result<Digest, ImageError> {
        resolve(&self.db(), word)
    }
}

pub(super) fn resolve(db: &Connection, word: &str) -> Result<Digest, ImageError> {
    match AnyReference::parse(word)? {
        AnyReference::Digest(digest) => {
            let found = db
                .query_row(
                    "SELECT 1 FROM images WHERE id = ?1",
                    [digest.as_str()],
                    |_| Ok(()),
                )
                .optional()?;
            match found {
                Some(()) => Ok(digest),
                None => Err(ImageError::NotFound(digest.to_string())),
            }
        }
        AnyReference::Named(reference) => {
            if let Some(id) = by_name(db, &reference)? {
                return Ok(id);
            }
            match by_prefix(db, word)? {
                Some(id) => Ok(id),
                None => Err(not_found(reference)),
            }
        }
    }
}

pub(super) fn not_found(reference: Reference) -> ImageError {
    ImageError::NotFound(reference.with_default_tag().familiar())
}

/// The only image whose id begins with `word`. Several are none, as with
/// Docker, whose text then is that of an unknown name.
fn by_prefix(db: &Connection, word: &str) -> Result<Option<Digest>, StoreError> {
    let digits = word.strip_prefix("sha256:").unwrap_or(word);
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if digits.is_empty() || digits.len() > 64 || !digits.bytes().all(hex) {
        return Ok(None);
    }
    let from = format!("sha256:{digits}");
    // The first text that does not begin with it: `g` follows all digits.
    let to = format!("sha256:{digits}g");
    let mut query =
        db.prepare_cached("SELECT id FROM images WHERE id >= ?1 AND id < ?2 LIMIT 2")?;
    let found: Vec<String> = query
        .query_map([from, to], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    match found.as_slice() {
        [only] => Ok(Some(
            only.parse().map_err(|_| StoreError::Record("image id"))?,
        )),
        _ => Ok(None),
    }
}
