//! Why a request of the page's came to nothing, as the page is told.

use serde::Serialize;

use crate::engine::{Why, find};

/// No answer of the engine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Why, as a word.
    pub failure: Kind,
    /// Why, as a sentence.
    pub message: String,
}

/// Why, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// No engine answered, or its answer broke off.
    Unreachable,
    /// It is there, but not for this person.
    Denied,
    /// The page took its request back, or has been replaced.
    Cancelled,
    /// The bridge does not carry such a thing.
    Invalid,
}

impl Failure {
    /// What the client says.
    pub fn of(error: &dhow_client::Error) -> Self {
        let (why, message) = find::reason(error);
        let failure = match why {
            Why::Denied => Kind::Denied,
            _ => Kind::Unreachable,
        };
        Self { failure, message }
    }

    pub fn broken(error: std::io::Error) -> Self {
        Self {
            failure: Kind::Unreachable,
            message: format!("the connection broke off: {error}"),
        }
    }

    pub fn unreachable(message: String) -> Self {
        Self {
            failure: Kind::Unreachable,
            message,
        }
    }

    pub fn cancelled() -> Self {
        Self {
            failure: Kind::Cancelled,
            message: "the request was taken back".to_owned(),
        }
    }

    pub fn invalid(message: String) -> Self {
        Self {
            failure: Kind::Invalid,
            message,
        }
    }
}
