//! What can go wrong with a registry, in Docker's words where it has some.
//!
//! `Display` is one link: print with `dhow_model::error::chain` for the whole.

use dhow_model::{Digest, ErrorKind, HasKind};

use crate::failure::Failure;
use crate::refusal::Refusal;

/// An operation on a registry that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No usable answer to a request.
    #[error("{method} {url:?}")]
    Request {
        /// As Go prints it: `Get`, `Head`.
        method: &'static str,
        /// Without query and user, which may hold secrets.
        url: String,
        /// Why.
        #[source]
        failure: Failure,
    },
    /// The registry refused, and nothing more can be made of it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such tag or digest.
    #[error("manifest for {reference} not found")]
    ManifestUnknown {
        /// Short form with tag or digest.
        reference: String,
        /// What the registry said.
        #[source]
        refusal: Refusal,
    },
    /// There is no such repository.
    #[error("repository {name} not found")]
    NameUnknown {
        /// Short form.
        name: String,
        /// What the registry said.
        #[source]
        refusal: Refusal,
    },
    /// The repository is closed to the caller, or there is none.
    #[error(
        "pull access denied for {name}, repository does not exist or may require 'docker login'"
    )]
    PullDenied {
        /// Short form.
        name: String,
        /// What the registry said.
        #[source]
        refusal: Refusal,
    },
    /// An index without an entry for the platform wanted.
    #[error("no matching manifest for {platform} in the manifest list entries")]
    NoMatchingPlatform {
        /// As Docker prints it: `linux/arm/v7`.
        platform: String,
    },
    /// Docker's oldest manifest format.
    #[error(
        "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been \
         removed. Suggest the author of {reference} to upgrade the image to the OCI Format or \
         Docker Image manifest v2, schema 2. More information at \
         https://docs.docker.com/go/deprecated-image-specs/"
    )]
    Schema1 {
        /// The long form.
        reference: String,
    },
    /// A manifest of something that is no image.
    #[error("unsupported media type {0}")]
    UnsupportedMediaType(String),
    /// A manifest whose config is that of a plugin, a chart, a policy.
    #[error("Encountered remote {media_type:?}({class}) when fetching")]
    NotAnImage {
        /// The config's media type.
        media_type: String,
        /// `plugin`, or `unknown`.
        class: &'static str,
    },
    /// A manifest that can't be read.
    #[error("invalid manifest {digest}")]
    InvalidManifest {
        /// Which.
        digest: Digest,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A config that can't be read.
    #[error("invalid image config {digest}")]
    InvalidConfig {
        /// Which.
        digest: Digest,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// More bytes than a manifest, config or answer may have.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What was read.
        what: String,
        /// The bound.
        limit: u64,
    },
    /// The manifest is not the one asked for.
    #[error("manifest verification failed for digest {0}")]
    ManifestMismatch(Digest),
    /// The config is not the one asked for.
    #[error("image config verification failed for digest {0}")]
    ConfigMismatch(Digest),
    /// The blob is not the one asked for.
    #[error("filesystem layer verification failed for digest {0}")]
    BlobMismatch(Digest),
    /// The blob is not as long as its descriptor says.
    #[error("blob {digest} is not of its {expected} bytes: the registry has {found}")]
    BlobSize {
        /// Which.
        digest: Digest,
        /// What the descriptor says.
        expected: u64,
        /// What the registry says.
        found: u64,
    },
    /// The blob is nowhere to be had.
    #[error("unknown blob")]
    BlobUnknown {
        /// Which; Docker doesn't print it.
        digest: Digest,
    },
    /// Push: the source gave other bytes than announced.
    #[error("reading {digest} for the push")]
    Source {
        /// Which blob.
        digest: Digest,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An address that no file can be fetched from.
    #[error("{0}")]
    DownloadAddress(String),
    /// A server that has a file not, or not for us.
    #[error("failed to GET {url} with status {status}: {said}")]
    Download {
        /// Without query and user, which may hold secrets.
        url: String,
        /// Number and phrase.
        status: String,
        /// The beginning of what it answered.
        said: String,
        /// What the status says of the request.
        kind: ErrorKind,
    },
    /// A registry name that is no host.
    #[error("invalid registry host {0:?}")]
    InvalidHost(String),
    /// Wrong name or password at login.
    #[error("login attempt to {url} failed with status: {status}")]
    Login {
        /// The address tried.
        url: String,
        /// Number and phrase.
        status: String,
        /// Whether it was 401 or 403, not some other fault.
        denied: bool,
    },
    /// A search whose limit is out of range.
    #[error("limit {0} is outside the range of [1, 100]")]
    SearchLimit(i64),
    /// A search the index didn't answer.
    #[error("Unexpected status code {0}")]
    SearchStatus(u16),
    /// A term with a scheme in it.
    #[error("invalid repository name (ex: \"registry.domain.tld/myrepos\")")]
    SearchTerm,
}

impl Error {
    /// The refusal behind this error, if the registry spoke at all.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal)
            | Self::ManifestUnknown { refusal, .. }
            | Self::NameUnknown { refusal, .. }
            | Self::PullDenied { refusal, .. }
            | Self::Request {
                failure: Failure::Refused(refusal),
                ..
            } => Some(refusal),
            _ => None,
        }
    }

    /// Whether the same request may well succeed in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Request { failure, .. } => failure.is_passing(),
            Self::Refused(refusal) => matches!(refusal.status(), 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether a short request is worth repeating at once: not where patience
    /// ran out, and not where the registry says that it was asked too often.
    pub(crate) fn is_hiccup(&self) -> bool {
        match self {
            Self::Request { failure, .. } => matches!(failure, Failure::Cut | Failure::Reset),
            Self::Refused(refusal) => matches!(refusal.status(), 500 | 502..=504),
            _ => false,
        }
    }

    /// Whether the server was not reached, or didn't speak the protocol.
    pub(crate) fn is_transport(&self) -> bool {
        matches!(self, Self::Request { failure, .. } if failure.is_transport())
    }
}

impl HasKind for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::ManifestUnknown { .. }
            | Self::NameUnknown { .. }
            | Self::PullDenied { .. }
            | Self::NoMatchingPlatform { .. }
            | Self::BlobUnknown { .. } => ErrorKind::NotFound,
            Self::Schema1 { .. }
            | Self::UnsupportedMediaType(_)
            | Self::NotAnImage { .. }
            | Self::InvalidManifest { .. }
            | Self::InvalidConfig { .. }
            | Self::InvalidHost(_)
            | Self::DownloadAddress(_)
            | Self::SearchLimit(_)
            | Self::SearchTerm => ErrorKind::InvalidParameter,
            Self::Download { kind, .. } => *kind,
            Self::Login { denied: true, .. } => ErrorKind::Unauthorized,
            Self::Request {
                failure: Failure::NoCredentials,
                ..
            } => ErrorKind::Unauthorized,
            Self::SearchStatus(_) => ErrorKind::Unavailable,
            Self::Refused(refusal)
            | Self::Request {
                failure: Failure::Refused(refusal),
                ..
            } => match (refusal.code(), refusal.status()) {
                (Some("DENIED"), _) => ErrorKind::Forbidden,
                (Some("UNAUTHORIZED"), _) | (None, 401) => ErrorKind::Unauthorized,
                (None, 403) => ErrorKind::Forbidden,
                (_, 404) => ErrorKind::NotFound,
                (_, 429 | 503) => ErrorKind::Unavailable,
                _ => ErrorKind::System,
            },
            _ => ErrorKind::System,
        }
    }
}
