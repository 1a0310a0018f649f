//! The one error that leaves this crate: a kind, Docker's words, and what
//! caused it.

use dhow_model::{ErrorKind, HasKind, error::chain};

/// A failure as a client is told it. The text is the whole `message` of the
/// answer; scripts match on it, so where Docker has a text it is Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What this crate's methods return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` that reads `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// 400: the request is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidParameter, message)
    }

    /// 404: no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// 409: its state rules that out.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// 500: the engine's own failure.
    pub fn system(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::System, message)
    }

    /// 304: it already is so.
    pub fn not_modified() -> Self {
        Self::new(ErrorKind::NotModified, "not modified")
    }

    /// `error` and its sources, as one message of its own kind.
    pub fn of<E: HasKind + 'static>(error: E) -> Self {
        Self::new(error.kind(), chain(&error))
    }

    /// The same kind with `what: ` before the message.
    pub fn context(self, what: impl std::fmt::Display) -> Self {
        Self {
            kind: self.kind,
            message: format!("{what}: {}", self.message),
        }
    }
}

impl HasKind for Error {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// Errors of effects with no words of Docker's: 500, with the whole chain.
macro_rules! system_errors {
    ($($type:ty),* $(,)?) => {$(
        impl From<$type> for Error {
            fn from(error: $type) -> Self {
                Self::system(chain(&error))
            }
        }
    )*};
}

system_errors!(
    std::io::Error,
    rusqlite::Error,
    serde_json::Error,
    tokio::task::JoinError
);
