//! `POST /commit`: a container's changes as an image.

use bollard_stubs::models::{ContainerConfig, IdResponse};
use bollard_stubs::query_parameters::CommitContainerOptions;
use dhow_image::archive::CommitSpec;
use dhow_image::tree::pack_changes;
use dhow_model::lifecycle::Request;
use dhow_model::reference::Reference;
use dhow_model::{Digest, ErrorKind, HasKind as _};
use dhow_sys::tree::Root;

use super::instructions;
use super::names::optional_reference;
use super::pull::blocking;
use crate::containers::Status;
use crate::containers::container::Container;
use crate::containers::pause;
use crate::{Error, LocalEngine, Result, clock};

impl LocalEngine {
    /// Makes an image of the container's changes. It is frozen meanwhile
    /// unless `pause` is off.
    pub async fn commit_container(
        &self,
        options: CommitContainerOptions,
        config: ContainerConfig,
    ) -> Result<IdResponse> {
        let name = options.container.clone().unwrap_or_default();
        let container = self.shared.containers.find(&name)?;
        let reference = optional_reference(options.repo.as_deref(), options.tag.as_deref())?;
        let _turn = container.operation.lock().await;
        container
            .status()
            .permits(Request::Commit, container.id.as_str())
            .map_err(Error::of)?;
        let spec = self.commit_spec(&container, &options, config, reference.as_ref())?;
        let freeze = options.pause && self.freeze(&container).await?;
        let committed = self.commit_changes(&container, spec).await;
        if freeze {
            // Thawed whatever became of the commit.
            match pause::thaw(&container).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                thawed => thawed?,
            }
        }
        let id = committed?;
        let shown = reference.map(|r| r.familiar()).unwrap_or_default();
        self.container_event(
            &container,
            "commit",
            &[
                ("comment", options.comment.as_deref().unwrap_or_default()),
                ("imageID", id.as_str()),
                ("imageRef", &shown),
            ],
        );
        if !shown.is_empty() {
            self.image_changed("tag", &id, &shown);
        }
        Ok(IdResponse { id: id.to_string() })
    }

    /// Freezes the container; false where it does not run, or ends just now.
    async fn freeze(&self, container: &Container) -> Result<bool> {
        if container.status() != Status::Running {
            return Ok(false);
        }
        match pause::freeze(container).await {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            frozen => frozen.map(|()| true),
        }
    }

    fn commit_spec(
        &self,
        container: &Container,
        options: &CommitContainerOptions,
        config: ContainerConfig,
        name: Option<&Reference>,
    ) -> Result<CommitSpec> {
        let record = container.record();
        let mut config = match config == ContainerConfig::default() {
            true => record.config.clone(),
            false => config,
        };
        instructions::apply(&mut config, options.changes.as_deref().unwrap_or_default())?;
        crate::containers::merge(&mut config, &record.config);
        let command = record.config.cmd.unwrap_or_default();
        Ok(CommitSpec {
            parent: Some(record.image),
            config: instructions::image_config(&config)?,
            author: options.author.clone().unwrap_or_default(),
            comment: options.comment.clone().unwrap_or_default(),
            created_by: command.join(" "),
            created: clock::rfc3339(clock::now()),
            names: name.into_iter().cloned().collect(),
            ..CommitSpec::default()
        })
    }

    async fn commit_changes(&self, container: &Container, spec: CommitSpec) -> Result<Digest> {
        let engine = self.clone();
        let container = self.shared.containers.find(container.id.as_str())?;
        blocking(move || {
            let changes = engine.changes_of(&container)?;
            let upper = container
                .directory(&engine.config().data_root)
                .join("upper");
            let upper = Root::open(&upper)?;
            let store = &engine.shared.images;
            store
                .commit(&spec, |out| Ok(pack_changes(&upper, &changes, out)?))
                .map_err(Error::of)
        })
        .await
    }
}
