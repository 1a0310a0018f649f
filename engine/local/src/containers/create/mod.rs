//! `POST /containers/create`: check everything, complete it the way dockerd
//! does, and only then make something.

mod defaults;
mod logging;
mod merge;
mod mounts;
mod validate;

use std::sync::Arc;

use bollard_stubs::models::{
    ContainerConfig, ContainerCreateBody, ContainerCreateResponse, HostConfig, NetworkingConfig,
};
use bollard_stubs::query_parameters::CreateContainerOptions;
use dhow_model::{ErrorKind, Id, name};

use super::container::Container;
use super::record::{Record, State};
use crate::db::Commit;
use crate::{Error, LocalEngine, Result, clock};

pub(crate) use merge::merge;
pub(crate) use validate::{check_resources, health_config, restart_policy};

/// How often another random name is tried before the id is the name.
const NAME_TRIES: u32 = 6;

impl LocalEngine {
    /// Makes a container that does not run yet. Nothing is left behind when it
    /// fails.
    pub async fn create_container(
        &self,
        options: Option<CreateContainerOptions>,
        body: ContainerCreateBody,
    ) -> Result<ContainerCreateResponse> {
        let engine = self.clone();
        // The work outlives a client that hangs up: half a container is worse
        // than one nobody asked about any more.
        tokio::task::spawn_blocking(move || engine.create(options.unwrap_or_default(), body))
            .await?
    }

    fn create(
        &self,
        options: CreateContainerOptions,
        body: ContainerCreateBody,
    ) -> Result<ContainerCreateResponse> {
        let asked_name = options
            .name
            .map(|n| n.trim_start_matches('/').to_owned())
            .filter(|n| !n.is_empty());
        if let Some(asked) = &asked_name {
            name::container(asked).map_err(Error::of)?;
            self.shared.containers.check_name(asked)?;
        }
        let (mut config, mut host, networking) = split(body);
        let image_name = config.image.clone().unwrap_or_default();
        let image = self.image_to_run(&image_name, &options.platform)?;
        let mut warnings = image.warnings;
        merge::merge(&mut config, &image.config);
        let (path, args) =
            merge::command(&config).ok_or_else(|| Error::invalid("no command specified"))?;

        let engine_config = self.config();
        defaults::complete(&mut config, &mut host, &engine_config, &self.shared.host);
        warnings.extend(validate::validate(
            &mut config,
            &mut host,
            &self.shared.host.support,
        )?);
        logging::check(host.log_config.as_ref())?;
        self.resolve_shared(&mut host)?;
        super::network::check(&host, networking.as_ref())?;
        self.check_links(&host)?;
        super::prepare::check_security(&host, &self.shared.host)?;
        warnings.extend(super::prepare::security_warnings(&host, &self.shared.host));
        super::prepare::check_devices(&host)?;
        super::ports::check(&config, &host)?;

        let id = new_id()?;
        defaults::host_name(&mut config, &host, &id, &self.shared.host.name);
        let mounts = self.resolve_mounts(&config, &host)?;
        let mut record = Record {
            id: id.clone(),
            name: String::new(),
            created: clock::now(),
            image: image.id,
            layers: image.layers,
            config,
            host_config: host,
            networking,
            path,
            args,
            mounts,
            state: State::default(),
        };

        let container = self.reserve(&mut record, asked_name)?;
        if let Err(error) = self.make(&container, &record) {
            self.unmake(&container, &record);
            return Err(error);
        }
        self.container_event(&container, "create", &[]);
        Ok(ContainerCreateResponse {
            id: id.to_string(),
            warnings,
        })
    }

    /// Enters the container in the table under the name asked for, or under a
    /// random one that is free.
    fn reserve(&self, record: &mut Record, asked: Option<String>) -> Result<Arc<Container>> {
        let random_name = |attempt| -> Result<String> {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).map_err(|e| Error::system(e.to_string()))?;
            Ok(name::random(u64::from_le_bytes(bytes), attempt))
        };
        for attempt in 0..NAME_TRIES {
            record.name = match &asked {
                Some(name) => name.clone(),
                None => random_name(attempt)?,
            };
            let container = Arc::new(Container::new(record.clone()));
            match self
                .shared
                .containers
                .insert(&record.name, Arc::clone(&container))
            {
                Ok(()) => return Ok(container),
                Err(error) if asked.is_some() => return Err(error),
                Err(_) => {}
            }
        }
        record.name = record.id.short().to_owned();
        let container = Arc::new(Container::new(record.clone()));
        self.shared
            .containers
            .insert(&record.name, Arc::clone(&container))?;
        Ok(container)
    }

    /// The container's directory, its volumes, and last its row: from then on
    /// it exists.
    fn make(&self, container: &Container, record: &Record) -> Result<()> {
        let directory = container.directory(&self.config().data_root);
        super::volumes::make_writable_layer(&directory)?;
        self.shared
            .images
            .pin(record.id.as_str(), &record.image)
            .map_err(Error::of)?;
        for mounted in &record.mounts {
            if let Some(image) = mounted.image() {
                let owner = mounted.pin_owner(&record.id);
                self.shared.images.pin(&owner, &image).map_err(Error::of)?;
            }
        }
        let layers = self.layers_of(record)?;
        super::prepare::Layered::new(&directory.join("upper"), &layers)
            .make_working_directory(record.config.working_dir.as_deref().unwrap_or_default())?;
        self.make_volumes(container, record)?;
        let commit = if record.auto_remove() {
            Commit::Quick
        } else {
            Commit::Durable
        };
        let text = serde_json::to_string(record)?;
        self.shared
            .db
            .put_container(record.id.as_str(), &record.name, &text, commit)
    }

    /// Takes back what [`Self::make`] did.
    fn unmake(&self, container: &Container, record: &Record) {
        self.shared.containers.remove(&record.id, &record.name);
        self.unpin_layers(record);
        let directory = container.directory(&self.config().data_root);
        if let Err(error) = std::fs::remove_dir_all(&directory)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(directory = %directory.display(), %error, "cannot be deleted");
        }
        self.remove_new_volumes(record);
    }

    /// Lets go of the layers of its image and of those it mounts.
    pub(super) fn unpin_layers(&self, record: &Record) {
        let mounted = record.mounts.iter().filter(|m| m.image().is_some());
        let owners = mounted.map(|m| m.pin_owner(&record.id));
        for owner in owners.chain([record.id.to_string()]) {
            if let Err(error) = self.shared.images.unpin(&owner) {
                tracing::warn!(container = %record.id, %error, "its layers stay pinned");
            }
        }
    }

    /// Names become ids, so that what is shared stays shared when the other
    /// container is renamed. Whose network does not exist is only told when
    /// the container starts, as dockerd does.
    fn resolve_shared(&self, host: &mut HostConfig) -> Result<()> {
        let modes = [
            (&mut host.pid_mode, true),
            (&mut host.ipc_mode, true),
            (&mut host.network_mode, false),
        ];
        for (mode, required) in modes {
            let Some(name) = mode.as_deref().and_then(|m| m.strip_prefix("container:")) else {
                continue;
            };
            match self.shared.containers.find(name) {
                Ok(other) => *mode = Some(format!("container:{}", other.id)),
                Err(error) if required => return Err(Error::invalid(error.to_string())),
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// A fresh id.
pub(crate) fn new_id() -> Result<Id> {
    loop {
        let mut random = [0; 32];
        getrandom::fill(&mut random)
            .map_err(|e| Error::new(ErrorKind::System, format!("no randomness: {e}")))?;
        if let Some(id) = Id::from_random(random) {
            return Ok(id);
        }
    }
}

/// The request's three parts: what the image may complete, what concerns the
/// host, and the network.
fn split(body: ContainerCreateBody) -> (ContainerConfig, HostConfig, Option<NetworkingConfig>) {
    let config = ContainerConfig {
        hostname: body.hostname,
        domainname: body.domainname,
        user: body.user,
        attach_stdin: body.attach_stdin,
        attach_stdout: body.attach_stdout,
        attach_stderr: body.attach_stderr,
        exposed_ports: body.exposed_ports,
        tty: body.tty,
        open_stdin: body.open_stdin,
        stdin_once: body.stdin_once,
        env: body.env,
        cmd: body.cmd,
        healthcheck: body.healthcheck,
        args_escaped: body.args_escaped,
        image: body.image,
        volumes: body.volumes,
        working_dir: body.working_dir,
        entrypoint: body.entrypoint,
        network_disabled: body.network_disabled,
        on_build: body.on_build,
        labels: body.labels,
        stop_signal: body.stop_signal,
        stop_timeout: body.stop_timeout,
        shell: body.shell,
    };
    (
        config,
        body.host_config.unwrap_or_default(),
        body.networking_config,
    )
}
