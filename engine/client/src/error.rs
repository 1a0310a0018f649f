//! What can go wrong between a program and the engine.

use std::io;
use std::path::PathBuf;

use dhow_model::{ErrorKind, HasKind};

use crate::context::ContextError;
use crate::endpoint::Endpoint;

/// A failed request, or a failure to find where to send it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers at the endpoint.
    #[error("cannot connect to the engine at {endpoint}")]
    Unreachable {
        /// Where it was looked for.
        endpoint: Box<Endpoint>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The socket is there, but this user may not open it.
    #[error("permission denied while connecting to the engine at {endpoint}")]
    PermissionDenied {
        /// The socket in question.
        endpoint: Box<Endpoint>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The engine answered with an error status.
    #[error("{message}")]
    Api {
        /// The HTTP status.
        status: u16,
        /// The engine's own words.
        message: String,
    },
    /// The conversation broke off or made no sense.
    #[error("{context}")]
    Broken {
        /// What was being done.
        context: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A host that cannot be understood.
    #[error("unable to parse docker host `{0}`")]
    InvalidHost(String),
    /// A host whose part before `://` means nothing.
    #[error("invalid bind address format: {0}")]
    UnknownScheme(String),
    /// A host whose name and port cannot be told apart.
    #[error("parse {text:?}: {fault}")]
    InvalidAddress {
        /// The host.
        text: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A transport this build does not have.
    #[error("unsupported transport in host `{0}`")]
    UnsupportedTransport(String),
    /// More than one `-H`.
    #[error("Specify only one -H")]
    SeveralHosts,
    /// `-H` and `--context` together.
    #[error("conflicting options: cannot specify both --host and --context")]
    HostAndContext,
    /// A context that cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A file that cannot be read or makes no sense.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that cannot be written or removed.
    #[error("cannot write {path}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// TLS material that cannot be used.
    #[error("cannot use TLS: {0}")]
    Tls(String),
    /// A credential helper program that failed.
    #[error("error getting credentials - err: {program}: {message}")]
    CredentialHelper {
        /// `docker-credential-…`
        program: String,
        /// What it said.
        message: String,
    },
}

impl Error {
    pub(crate) fn broken(
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Broken {
            context: context.into(),
            source: source.into(),
        }
    }

    pub(crate) fn unreadable(path: PathBuf, source: io::Error) -> Self {
        Self::File { path, source }
    }

    /// The HTTP status, where the engine answered at all.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the engine says that the thing named does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
}

impl HasKind for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable { .. } => ErrorKind::Unavailable,
            Self::PermissionDenied { .. } => ErrorKind::Forbidden,
            Self::Api { status, .. } => match status {
                304 => ErrorKind::NotModified,
                400 => ErrorKind::InvalidParameter,
                401 => ErrorKind::Unauthorized,
                403 => ErrorKind::Forbidden,
                404 => ErrorKind::NotFound,
                409 => ErrorKind::Conflict,
                501 => ErrorKind::NotImplemented,
                503 => ErrorKind::Unavailable,
                _ => ErrorKind::System,
            },
            Self::Context(ContextError::Unknown { .. }) => ErrorKind::NotFound,
            Self::Context(ContextError::Exists(_)) => ErrorKind::Conflict,
            Self::Context(ContextError::Malformed { .. }) => ErrorKind::System,
            Self::Context(_)
            | Self::InvalidHost(_)
            | Self::UnknownScheme(_)
            | Self::InvalidAddress { .. }
            | Self::UnsupportedTransport(_)
            | Self::SeveralHosts
            | Self::HostAndContext => ErrorKind::InvalidParameter,
            Self::Broken { .. }
            | Self::File { .. }
            | Self::Unwritable { .. }
            | Self::Tls(_)
            | Self::CredentialHelper { .. } => ErrorKind::System,
        }
    }
}
