//! What can go wrong with a container's tree.

use std::io;

use dhow_model::{ErrorKind, HasKind};

use crate::layer::UnpackError;

/// Why a tree could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TreeOpError {
    /// Nothing is there.
    #[error("lstat /{}: no such file or directory", String::from_utf8_lossy(.0))]
    NotFound(Vec<u8>),
    /// Something is there, but not a directory.
    #[error("extraction point is not a directory")]
    NotDirectory,
    /// Reading an entry failed.
    #[error("{what} /{}", String::from_utf8_lossy(.path))]
    Read {
        /// What was being done.
        what: &'static str,
        /// To which entry.
        path: Vec<u8>,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The tree is deeper than can be handled.
    #[error("/{} is nested too deeply", String::from_utf8_lossy(.0))]
    TooDeep(Vec<u8>),
    /// The upper directory was written by an overlay with features that make
    /// it depend on the layers below.
    #[error("/{} cannot be read apart from its lower layers", String::from_utf8_lossy(.0))]
    Redirected(Vec<u8>),
    /// A name that would mean a whiteout in a layer.
    #[error("file name /{} cannot be stored in a layer", String::from_utf8_lossy(.0))]
    WhiteoutName(Vec<u8>),
    /// The receiver of the archive failed or went away.
    #[error("writing archive")]
    Write(#[source] io::Error),
    /// The archive to unpack is wrong or could not be written.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// No thread to unpack with.
    #[error("unpacking thread")]
    Thread(#[source] io::Error),
}

impl HasKind for TreeOpError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::NotDirectory => ErrorKind::InvalidParameter,
            Self::Unpack(error) => error.kind(),
            _ => ErrorKind::System,
        }
    }
}

/// For `map_err`: `what` was being done to `path`.
pub(super) fn reading(what: &'static str, path: &[u8]) -> impl FnOnce(io::Error) -> TreeOpError {
    let path = path.to_vec();
    move |source| TreeOpError::Read { what, path, source }
}

/// `dir` and `name` as a path.
pub(super) fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    match (dir, name) {
        (b"", name) => name.to_vec(),
        (dir, b"") => dir.to_vec(),
        (dir, name) => [dir, b"/", name].concat(),
    }
}
