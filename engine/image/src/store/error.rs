//! What can go wrong with the store itself.

use std::io;
use std::path::{Path, PathBuf};

use dhow_model::{Digest, ErrorKind, HasKind};

/// A failure of the store's own files or database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file operation failed.
    #[error("{what} {}", path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The database failed.
    #[error("image database")]
    Database(#[from] rusqlite::Error),
    /// The database was written by a newer engine.
    #[error("image database has version {found}, this engine knows {known}")]
    Newer {
        /// What it says.
        found: u32,
        /// What this code can read.
        known: u32,
    },
    /// Another process has the store open.
    #[error("image store {} is in use by another engine", .0.display())]
    InUse(PathBuf),
    /// A blob that should be there is not.
    #[error("blob {0} is missing")]
    MissingBlob(Digest),
    /// A blob is longer than anything of its kind can be.
    #[error("blob {0} is too large ({1} bytes)")]
    TooLarge(Digest, u64),
    /// A layer is neither unpacked nor can it be.
    #[error("layer {0} is missing and no blob of it is left to unpack")]
    MissingLayer(Digest),
    /// The content of a record makes no sense.
    #[error("image database holds an invalid {0}")]
    Record(&'static str),
}

impl HasKind for StoreError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::System
    }
}

/// For `map_err`: `what` was being done to `path`.
pub(crate) fn at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { what, path, source }
}
