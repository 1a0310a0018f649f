//! What can be wrong with a layer.

use std::io;

use dhow_model::{Digest, ErrorKind, HasKind, digest::InvalidDigest};
use dhow_sys::tree::TreeError;

use crate::store::StoreError;
use crate::tar::TarError;

/// Why a layer was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The bytes are not those the digest was made of.
    #[error("filesystem layer verification failed for digest {expected}")]
    Digest {
        /// What the manifest says.
        expected: Digest,
        /// What came.
        actual: Digest,
        /// Some of the bytes were kept from an earlier attempt. They are gone
        /// now, so that trying again starts anew.
        resumed: bool,
    },
    /// More or fewer bytes than the manifest says.
    #[error("layer {digest} has {actual} bytes or more, its manifest says {expected}")]
    TooLong {
        /// Which blob.
        digest: Digest,
        /// Its size by the manifest.
        expected: u64,
        /// How many came.
        actual: u64,
    },
    /// The stream ended early. What came is kept for the next attempt.
    #[error("layer {digest} ended after {actual} of {expected} bytes")]
    TooShort {
        /// Which blob.
        digest: Digest,
        /// Its size by the manifest.
        expected: u64,
        /// How many came.
        actual: u64,
    },
    /// The unpacked content is not what the image's configuration lists.
    #[error("layers from manifest don't match image configuration: {actual} instead of {expected}")]
    DiffId {
        /// What the configuration says.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// The content cannot be unpacked.
    #[error("failed to register layer")]
    Unpack(#[from] UnpackError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread could not be started or died.
    #[error("layer thread")]
    Thread(#[source] io::Error),
}

impl HasKind for LayerError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::System
    }
}

/// Why the content of a layer or archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The compressed stream is damaged.
    #[error("decompressing")]
    Decompress(#[source] io::Error),
    /// Not a tar archive, or a damaged one.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// A name that leads out of the root.
    #[error("{:?} is outside of {}", String::from_utf8_lossy(.0), .1)]
    Outside(Vec<u8>, &'static str),
    /// A name no file can have.
    #[error("invalid file name {:?}", String::from_utf8_lossy(.0))]
    Name(Vec<u8>),
    /// An attribute with meaning to the engine's own file systems.
    #[error("{:?} sets forbidden attribute {:?}", String::from_utf8_lossy(.0), String::from_utf8_lossy(.1))]
    Attribute(Vec<u8>, Vec<u8>),
    /// Writing the tree failed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Writing the content of a file failed.
    #[error("write {}", String::from_utf8_lossy(.0))]
    Write(Vec<u8>, #[source] io::Error),
    /// Going on would fill the disk.
    #[error("no space left for {0}: the unpacked content would fill the disk")]
    NoRoom(&'static str),
    /// A digest of another algorithm than the store verifies.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// Preparing the root failed.
    #[error("prepare {0}")]
    Root(&'static str, #[source] io::Error),
}

impl HasKind for UnpackError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Write(..) | Self::NoRoom(_) | Self::Root(..) => ErrorKind::System,
            Self::Tree(TreeError::Io { .. }) => ErrorKind::System,
            _ => ErrorKind::InvalidParameter,
        }
    }
}
