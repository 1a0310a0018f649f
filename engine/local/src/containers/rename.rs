//! `POST /containers/{id}/rename`.

use bollard_stubs::query_parameters::RenameContainerOptions;
use dhow_model::name;

use crate::db::Commit;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// Gives the container another name, running or not.
    pub async fn rename_container(
        &self,
        name: &str,
        options: RenameContainerOptions,
    ) -> Result<()> {
        let new = options.name.trim_start_matches('/').to_owned();
        if new.is_empty() || name.is_empty() {
            return Err(Error::invalid("Neither old nor new names may be empty"));
        }
        let container = self.shared.containers.find(name)?;
        let _turn = container.operation.lock().await;
        name::container(&new).map_err(Error::of)?;
        let old = container.name();
        if old == new {
            return Err(Error::invalid(
                "Renaming a container with the same name as its current name",
            ));
        }
        self.shared.containers.rename(&container.id, &old, &new)?;
        let written = container.change(&self.shared.db, Commit::Durable, |r| r.name = new.clone());
        if let Err(error) = written {
            container
                .change(&self.shared.db, Commit::Quick, |r| r.name = old.clone())
                .ok();
            self.shared.containers.rename(&container.id, &new, &old)?;
            return Err(error);
        }
        self.container_event(&container, "rename", &[("oldName", &format!("/{old}"))]);
        Ok(())
    }
}
