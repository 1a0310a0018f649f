//! What can be wrong with a context, in Docker's words: scripts match them.

use std::path::PathBuf;

/// Why a context cannot be made, found, packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// No name given.
    #[error("context name cannot be empty")]
    NoName,
    /// The name that stands for flags and environment.
    #[error("\"default\" is a reserved context name")]
    Reserved,
    /// Characters that a name does not have.
    #[error(
        "context name {0:?} is invalid, names are validated against regexp \"^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$\""
    )]
    BadName(String),
    /// The name is taken.
    #[error("context {0:?} already exists")]
    Exists(String),
    /// A context that is not in the store.
    #[error("context {name:?}: context not found: open {}: no such file or directory", path.display())]
    Unknown {
        /// The name asked for.
        name: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// A file of the store that makes no sense.
    #[error("parsing {}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// An address, or TLS material, that cannot be an endpoint's.
    #[error("invalid docker endpoint options: {0}")]
    Options(String),
    /// A host that cannot be connected to.
    #[error("unable to apply docker endpoint options: {0}")]
    Host(String),
    /// An archive that holds something other than one context.
    #[error("{0}")]
    Archive(String),
}
