//! What can go wrong with volumes, in Docker's words.

use std::io;
use std::path::PathBuf;

use dhow_model::{ErrorKind, HasKind};
use dhow_sys::tree::TreeError;

use crate::name::InvalidVolumeName;
use crate::options::InvalidVolumeOption;

/// Why an operation on a volume failed.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// There is no volume of this name.
    #[error("get {0}: no such volume")]
    NotFound(String),
    /// Containers have it; the caller knows which.
    #[error("remove {name}: volume is in use - [{}]", .containers.join(", "))]
    InUse {
        /// The volume.
        name: String,
        /// The containers' ids.
        containers: Vec<String>,
    },
    /// Something is mounted on it, and would be emptied with it.
    #[error("remove {0}: volume has active mounts")]
    Mounted(String),
    /// Its name.
    #[error("create {name}: {reason}")]
    Name {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        reason: InvalidVolumeName,
    },
    /// Its options.
    #[error("create {name}: {reason}")]
    Option {
        /// The volume.
        name: String,
        /// What is wrong with them.
        reason: InvalidVolumeOption,
    },
    /// Its description on disk cannot be read.
    #[error("error while unmarshaling volume options for volume: {name}")]
    Metadata {
        /// The volume.
        name: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The image's content could not be copied in.
    #[error("cannot copy image content into volume {name}")]
    Fill {
        /// The volume.
        name: String,
        /// The entry that failed.
        #[source]
        source: TreeError,
    },
    /// The file system.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

impl HasKind for VolumeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::InUse { .. } => ErrorKind::Conflict,
            Self::Name { .. } | Self::Option { .. } => ErrorKind::InvalidParameter,
            Self::Mounted(_) | Self::Metadata { .. } | Self::Fill { .. } | Self::Io { .. } => {
                ErrorKind::System
            }
        }
    }
}

/// Wraps what the system answered.
pub(crate) fn io_error(
    what: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> VolumeError {
    let path = path.into();
    move |source| VolumeError::Io { what, path, source }
}
