//! What can be said about the engine, as the page and the tray get it.

use serde::Serialize;

/// The engine, as far as the app knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum EngineState {
    /// Nothing is known yet.
    Looking,
    /// It was started, and has not answered yet.
    Starting,
    /// It answered.
    Up {
        /// Its version.
        version: String,
        /// The newest version of the API that it speaks.
        api: String,
    },
    /// The one that we started has ended, and is started again.
    Restarting {
        /// The how manieth start it will be.
        attempt: u32,
        /// How long that takes from when it was said.
        seconds: u64,
    },
    /// Nobody answers.
    Unreachable {
        /// Why, as a word.
        why: Why,
        /// Why, as a sentence.
        message: String,
        /// What can be offered.
        start: Option<Offer>,
    },
}

/// Why nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nobody listens.
    NotRunning,
    /// The socket is there, but not for this person.
    Denied,
    /// Something answers, but no engine.
    Refused,
    /// Somebody listens and says nothing.
    Silent,
    /// The engine that we started has ended.
    Ended,
    /// The person did not give the password.
    Declined,
    /// What says where the engine is makes no sense.
    Misconfigured,
}

/// How an engine could be started here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launch {
    /// Not at all: it is elsewhere, or none came with the app.
    Impossible,
    /// Just so.
    Direct,
    /// After the system's own dialog asked for a password.
    AsksForPassword,
}

/// What a person can be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offer {
    /// To start the engine.
    Direct,
    /// To start it after a password.
    AsksForPassword,
}

impl Launch {
    /// What can be offered.
    pub fn offer(self) -> Option<Offer> {
        match self {
            Self::Impossible => None,
            Self::Direct => Some(Offer::Direct),
            Self::AsksForPassword => Some(Offer::AsksForPassword),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_gets_plain_words() {
        let state = EngineState::Unreachable {
            why: Why::NotRunning,
            message: "m".into(),
            start: Some(Offer::AsksForPassword),
        };
        assert_eq!(
            serde_json::to_string(&state).unwrap(),
            r#"{"state":"unreachable","why":"not-running","message":"m","start":"asks-for-password"}"#
        );
    }
}
