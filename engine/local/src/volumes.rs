//! Volumes: the verbs of `/volumes/…` on the plain local driver.

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::*;
use dhow_model::ErrorKind;

use crate::{Error, LocalEngine, Result};

fn missing<T>() -> Result<T> {
    Err(Error::new(ErrorKind::NotImplemented, "not written yet"))
}

impl LocalEngine {
    pub async fn list_volumes(
        &self,
        _options: Option<ListVolumesOptions>,
    ) -> Result<VolumeListResponse> {
        missing()
    }
    pub async fn create_volume(&self, _config: VolumeCreateRequest) -> Result<Volume> {
        missing()
    }
    pub async fn inspect_volume(&self, _name: &str) -> Result<Volume> {
        missing()
    }
    pub async fn remove_volume(
        &self,
        _name: &str,
        _options: Option<RemoveVolumeOptions>,
    ) -> Result<()> {
        missing()
    }
    pub async fn prune_volumes(
        &self,
        _options: Option<PruneVolumesOptions>,
    ) -> Result<VolumePruneResponse> {
        missing()
    }
}
