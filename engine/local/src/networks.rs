//! Networks as far as they are there: the three built-in ones.

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::*;
use dhow_model::ErrorKind;

use crate::{Error, LocalEngine, Result};

fn missing<T>() -> Result<T> {
    Err(Error::new(ErrorKind::NotImplemented, "not written yet"))
}

impl LocalEngine {
    pub async fn list_networks(
        &self,
        _options: Option<ListNetworksOptions>,
    ) -> Result<Vec<NetworkInspect>> {
        missing()
    }
    pub async fn inspect_network(
        &self,
        _name: &str,
        _options: Option<InspectNetworkOptions>,
    ) -> Result<NetworkInspect> {
        missing()
    }
    pub async fn prune_networks(
        &self,
        _options: Option<PruneNetworksOptions>,
    ) -> Result<NetworkPruneResponse> {
        missing()
    }
}
