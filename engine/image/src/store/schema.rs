//! The database's tables and their versions.

use std::path::Path;

use rusqlite::Connection;

use super::StoreError;

/// What this code reads and writes.
const VERSION: u32 = 1;

const TABLES: &str = "
-- One row per image; the id is the digest of its configuration.
CREATE TABLE images (
    id TEXT PRIMARY KEY,
    parent TEXT,
    -- When the image came to be here, and when it last got a name, in
    -- nanoseconds since 1970.
    added INTEGER NOT NULL,
    tagged INTEGER NOT NULL,
    manifest TEXT,
    manifest_type TEXT
) STRICT;

-- Its layers, lowest first.
CREATE TABLE image_layers (
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    diff_id TEXT NOT NULL,
    chain_id TEXT NOT NULL,
    PRIMARY KEY (image, position)
) STRICT;
CREATE INDEX image_layers_chain ON image_layers (chain_id);
CREATE INDEX image_layers_diff ON image_layers (diff_id);

-- Manifests and indexes that lead to it, by the digest they were fetched as.
CREATE TABLE image_manifests (
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    PRIMARY KEY (image, digest)
) STRICT;

-- Names: `repository:tag` and `repository@digest`.
CREATE TABLE names (
    repository TEXT NOT NULL,
    tag TEXT,
    digest TEXT,
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    CHECK ((tag IS NULL) <> (digest IS NULL))
) STRICT;
CREATE UNIQUE INDEX names_tag ON names (repository, tag) WHERE tag IS NOT NULL;
CREATE UNIQUE INDEX names_digest ON names (repository, digest) WHERE digest IS NOT NULL;
CREATE INDEX names_image ON names (image);

-- Unpacked layers. `durable` is set once they are known to be on disk.
CREATE TABLE layers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    diff_id TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    durable INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Blobs that unpack to a layer. Kept when the unpacked layer is not.
CREATE TABLE layer_blobs (
    diff_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    unpacked_size INTEGER NOT NULL,
    PRIMARY KEY (diff_id, digest)
) STRICT;

-- Layers that someone outside the store (a container) stands on.
CREATE TABLE pins (
    owner TEXT NOT NULL,
    position INTEGER NOT NULL,
    diff_id TEXT NOT NULL,
    chain_id TEXT NOT NULL,
    PRIMARY KEY (owner, position)
) STRICT;
CREATE INDEX pins_chain ON pins (chain_id);
";

/// Opens the database, making or upgrading its tables.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let mut db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    let found: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        0 => {
            let tx = db.transaction()?;
            tx.execute_batch(TABLES)?;
            tx.pragma_update(None, "user_version", VERSION)?;
            tx.commit()?;
        }
        VERSION => {}
        found => {
            return Err(StoreError::Newer {
                found,
                known: VERSION,
            });
        }
    }
    Ok(db)
}
