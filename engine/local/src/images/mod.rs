//! Images: the verbs of `/images/…`, `/distribution/…` and `/commit`, joining
//! the store and the registries.

use serde::{Deserialize, Serialize};

mod archive;
mod commit;
mod import;
mod inspect;
mod instructions;
mod list;
mod names;
mod pattern;
mod progress;
mod pull;
mod push;
mod remote;
mod remove;
mod run;

pub(crate) use remote::{config as registry_config, registry};

/// What a client sends along to speak for itself at a registry. The whole of
/// Docker's type, of which the specification lists only a part.
pub use dhow_registry::Credentials as AuthConfig;

/// One line of a pull, push, load or import: Docker's `JSONMessage`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    #[serde(rename = "progressDetail", skip_serializing_if = "Option::is_none")]
    pub progress_detail: Option<ProgressDetail>,
    /// The bar as text, `[==>   ]  1.2MB/3.4MB`, for clients of old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(rename = "errorDetail", skip_serializing_if = "Option::is_none")]
    pub error_detail: Option<ProgressError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aux: Option<serde_json::Value>,
}

/// How far a step is, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressDetail {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// Why a stream ended early.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressError {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    pub message: String,
}

/// The answer to `POST /auth`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthStatus {
    /// `Login Succeeded`.
    pub status: String,
    /// A token to keep instead of the password; empty when there is none.
    pub identity_token: String,
}

/// The decoded `X-Registry-Auth` header; `None` where the client sent none.
pub type RegistryAuth = Option<AuthConfig>;
