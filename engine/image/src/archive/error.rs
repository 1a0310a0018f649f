//! What can be wrong with an archive of images.

use std::io;

use dhow_model::{Digest, ErrorKind, HasKind};

use crate::image::ImageError;
use crate::layer::{LayerError, UnpackError};
use crate::store::StoreError;
use crate::tar::TarError;

/// Why images were not saved, loaded, imported or committed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The archive could not be read as one.
    #[error("invalid archive")]
    Tar(#[from] TarError),
    /// A name in the archive leads out of it.
    #[error("invalid archive")]
    Name(#[source] UnpackError),
    /// Compressed in a way that cannot be read.
    #[error("invalid archive")]
    Compression(#[source] UnpackError),
    /// Neither Docker's nor OCI's layout.
    #[error("invalid archive: it holds neither manifest.json nor index.json, nor images of old")]
    Unknown,
    /// A name for an image that is not in the archive.
    #[error("invalid target ID: {0}")]
    Target(String),
    /// An image that is its own parent, or has more of them than images have.
    #[error("invalid archive: the parents of {0} have no end")]
    Lineage(String),
    /// A file that a manifest names is not there, or not of the right kind.
    #[error("invalid archive: {0} is missing or of the wrong kind")]
    Missing(String),
    /// A blob whose content is not what its name says.
    #[error("invalid archive: blob {name} has digest {actual}")]
    Digest {
        /// By its name.
        name: String,
        /// By its content.
        actual: Digest,
    },
    /// A layer that is not the one the configuration lists.
    #[error("invalid diffID for layer {position}: expected {expected:?}, got {actual:?}")]
    DiffId {
        /// Which layer, the lowest being 0.
        position: usize,
        /// By the configuration.
        expected: String,
        /// By its content.
        actual: String,
    },
    /// More small files, or larger ones, than any images have.
    #[error("invalid archive: too many or too large documents")]
    TooMuch,
    /// No image for this machine.
    #[error("archive holds no image for {0}")]
    Platform(String),
    /// An image the archive describes is wrong, or one to save is not there.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A layer cannot be taken in.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Packing the tree of a container failed.
    #[error(transparent)]
    Tree(#[from] crate::tree::TreeOpError),
    /// The receiver failed or went away.
    #[error("writing archive")]
    Write(#[source] io::Error),
}

impl HasKind for ArchiveError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Image(error) => error.kind(),
            Self::Layer(LayerError::Unpack(error)) => error.kind(),
            Self::Layer(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Tree(error) => error.kind(),
            Self::Write(_) => ErrorKind::Cancelled,
            _ => ErrorKind::InvalidParameter,
        }
    }
}
