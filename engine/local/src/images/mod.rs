//! Images: the verbs of `/images/…`, `/distribution/…` and `/commit`, joining
//! the store and the registries.

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::*;
use dhow_model::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::{ByteStream, Error, JsonStream, LocalEngine, Result};

mod progress;
mod pull;
mod push;
mod remote;
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

fn missing<T>() -> Result<T> {
    Err(Error::new(ErrorKind::NotImplemented, "not written yet"))
}

impl LocalEngine {
    pub async fn list_images(
        &self,
        _options: Option<ListImagesOptions>,
    ) -> Result<Vec<ImageSummary>> {
        missing()
    }
    /// `from_src` set: `docker import` of `archive` (`-`) or of a URL.
    pub async fn import_archive(
        &self,
        _options: CreateImageOptions,
        _archive: ByteStream,
    ) -> Result<JsonStream<Progress>> {
        missing()
    }
    pub async fn inspect_image(
        &self,
        _name: &str,
        _options: Option<InspectImageOptions>,
    ) -> Result<ImageInspect> {
        missing()
    }
    pub async fn image_history(
        &self,
        _name: &str,
        _options: Option<ImageHistoryOptions>,
    ) -> Result<Vec<ImageHistoryResponseItem>> {
        missing()
    }
    pub async fn tag_image(&self, _name: &str, _options: TagImageOptions) -> Result<()> {
        missing()
    }
    pub async fn remove_image(
        &self,
        _name: &str,
        _options: Option<RemoveImageOptions>,
    ) -> Result<Vec<ImageDeleteResponseItem>> {
        missing()
    }
    pub async fn prune_images(
        &self,
        _options: Option<PruneImagesOptions>,
    ) -> Result<ImagePruneResponse> {
        missing()
    }
    /// `docker save` of one or several names.
    pub async fn export_images(&self, _options: ExportImagesOptions) -> Result<ByteStream> {
        missing()
    }
    /// `docker load`.
    pub async fn import_image(
        &self,
        _options: ImportImageOptions,
        _quiet: bool,
        _archive: ByteStream,
    ) -> Result<JsonStream<Progress>> {
        missing()
    }
    pub async fn commit_container(
        &self,
        _options: CommitContainerOptions,
        _config: ContainerConfig,
    ) -> Result<IdResponse> {
        missing()
    }
}
