//! `POST /containers/{id}/update`.

use bollard_stubs::models::{ContainerUpdateBody, ContainerUpdateResponse};

use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// Changes limits and restart policy, of a running container at once.
    pub async fn update_container(
        &self,
        _name: &str,
        _body: ContainerUpdateBody,
    ) -> Result<ContainerUpdateResponse> {
        Err(Error::system("not written yet"))
    }
}
