//! The daemon's configuration file, as `/dhow/config` shows and changes it.
//! The daemon knows it; here is what is said about it.

use dhow_local::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whoever has the file. What is done here may wait for the disk.
pub trait Configuration: Send + Sync {
    /// The file and what is in effect.
    fn describe(&self) -> Result<ConfigDescription, Error>;

    /// Checks a new text and, unless `dry`, puts it in the file's place and
    /// what can be reloaded in effect.
    ///
    /// # Errors
    ///
    /// 400 for a text that no start would accept; 409 where the file is not
    /// the one that the change was made to. Nothing is written then.
    fn change(&self, change: ConfigChange, dry: bool) -> Result<ConfigOutcome, Error>;
}

/// `GET /dhow/config`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConfigDescription {
    /// Where the file is, or would be.
    pub path: String,
    /// What it says; empty where there is none.
    pub text: String,
    /// The text's digest; empty where there is no file.
    pub version: String,
    /// Whether the file can be replaced.
    pub writable: bool,
    /// Every key that can be set.
    pub keys: Vec<ConfigKey>,
}

/// One key of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConfigKey {
    /// Dots are the file's nesting: `proxies.http-proxy`.
    pub name: String,
    /// What it takes.
    pub kind: KeyKind,
    /// Whether a change takes effect without a restart of the engine.
    pub live: bool,
    /// Whether a flag says it, so that the file must not.
    pub flag: bool,
    /// What is in effect, without passwords.
    pub value: Option<Value>,
    /// What it is for, in a line.
    pub help: String,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// `true` or `false`.
    Flag,
    Text,
    /// An integer.
    Number,
    /// Of texts.
    List,
    /// From texts to anything.
    Map,
}

/// `PUT /dhow/config`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ConfigChange {
    /// The whole new text.
    pub text: String,
    /// The version of the text that was changed; empty if there was no file.
    #[serde(default)]
    pub version: String,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConfigOutcome {
    /// The new text's version.
    pub version: String,
    /// Keys that changed and are in effect; when dry, that would be.
    pub live: Vec<String>,
    /// Keys of which the running engine has something else until it is
    /// restarted.
    pub restart: Vec<String>,
}
