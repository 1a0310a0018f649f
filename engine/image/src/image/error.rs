//! What can be wrong with an image or its name.

use dhow_model::{Digest, ErrorKind, HasKind, reference::InvalidReference};

use crate::layer::LayerError;
use crate::store::StoreError;

/// Why something cannot be done with an image. Texts are Docker's.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// No image by that name or id.
    #[error("No such image: {0}")]
    NotFound(String),
    /// Not a name at all.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// A tag is to be made, and the name has a digest.
    #[error("refusing to create a tag with a digest reference")]
    TagWithDigest,
    /// A repository called like a digest algorithm.
    #[error("refusing to create an ambiguous tag using digest algorithm as name")]
    AmbiguousTag,
    /// The last name of an image that a container uses.
    #[error(
        "conflict: unable to remove repository reference {reference:?} (must force) - container {container} is using its referenced image {image}"
    )]
    NameInUse {
        /// The name as it was given.
        reference: String,
        /// Short id of the container.
        container: String,
        /// Short id of the image.
        image: String,
    },
    /// The image stays, whatever is said.
    #[error("conflict: unable to delete {image} (cannot be forced) - {why}")]
    Hard {
        /// Short id of the image.
        image: String,
        /// The reason.
        why: String,
    },
    /// The image stays unless forced.
    #[error("conflict: unable to delete {image} (must be forced) - {why}")]
    Soft {
        /// Short id of the image.
        image: String,
        /// The reason.
        why: String,
    },
    /// A document that is not what it is said to be.
    #[error("invalid {0}")]
    Document(&'static str, #[source] serde_json::Error),
    /// A document that contradicts itself or another one.
    #[error("invalid {0}")]
    Nonsense(&'static str),
    /// A manifest that leads to another configuration.
    #[error("manifest names configuration {named}, but the configuration is {actual}")]
    WrongConfig {
        /// By the manifest.
        named: Digest,
        /// What came.
        actual: Digest,
    },
    /// A layer of a new image is not there.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ImageError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl HasKind for ImageError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Reference(_) | Self::TagWithDigest | Self::AmbiguousTag => {
                ErrorKind::InvalidParameter
            }
            Self::NameInUse { .. } | Self::Hard { .. } | Self::Soft { .. } => ErrorKind::Conflict,
            Self::Document(..) | Self::Nonsense(_) | Self::WrongConfig { .. } => {
                ErrorKind::InvalidParameter
            }
            Self::Layer(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}
