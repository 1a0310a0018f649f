//! Volumes: the verbs of `/volumes/…` on the plain local driver.

use std::collections::{BTreeMap, HashMap};

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::*;
use dhow_model::{Filters, Timestamp};
use dhow_volume::{Creation, VolumeError};

use crate::{Error, LocalEngine, Result, clock};

impl LocalEngine {
    /// The volumes that pass the filters.
    pub async fn list_volumes(
        &self,
        options: Option<ListVolumesOptions>,
    ) -> Result<VolumeListResponse> {
        let filters = Filters::from_map(options.and_then(|o| o.filters).unwrap_or_default());
        filters
            .validate(&["dangling", "driver", "label", "name"])
            .map_err(Error::of)?;
        let only_dangling = match filters.contains("dangling") {
            true => Some(filters.boolean("dangling", false).map_err(Error::of)?),
            false => None,
        };
        let engine = self.clone();
        let list = tokio::task::spawn_blocking(move || engine.shared.volumes.list()).await?;
        let list = list
            .map_err(Error::of)?
            .into_iter()
            .map(wire)
            .filter(|volume| {
                filters.matches_pattern("name", &volume.name)
                    && filters.matches_exactly("driver", &volume.driver)
                    && filters.matches_labels("label", &volume.labels)
                    && only_dangling.is_none_or(|d| d == self.volume_users(&volume.name).is_empty())
            })
            .collect();
        Ok(VolumeListResponse {
            volumes: Some(list),
            warnings: None,
        })
    }

    /// Makes a volume; one of that name that is there already is the answer.
    pub async fn create_volume(&self, config: VolumeCreateRequest) -> Result<Volume> {
        let driver = config.driver.as_deref().unwrap_or_default();
        if !matches!(driver, "" | "local") {
            return Err(Error::not_found(format!(
                "error looking up volume plugin {driver}: plugin {driver:?} not found"
            )));
        }
        if config.cluster_volume_spec.is_some() {
            return Err(Error::invalid("this node is not a swarm manager"));
        }
        let name = match config.name.filter(|n| !n.is_empty()) {
            Some(name) => name,
            None => crate::containers::new_id()?.to_string(),
        };
        let sorted = |map: Option<HashMap<String, String>>| -> BTreeMap<_, _> {
            map.unwrap_or_default().into_iter().collect()
        };
        let creation = Creation {
            labels: sorted(config.labels),
            options: sorted(config.driver_opts),
            created_at: Some(Timestamp::from_nanos(clock::now())),
        };
        let engine = self.clone();
        tokio::task::spawn_blocking(move || engine.ensure_volume(&name, &creation))
            .await?
            .map(wire)
    }

    /// One volume.
    pub async fn inspect_volume(&self, name: &str) -> Result<Volume> {
        let engine = self.clone();
        let name = name.to_owned();
        let volume = tokio::task::spawn_blocking(move || engine.shared.volumes.get(&name)).await?;
        volume.map(wire).map_err(Error::of)
    }

    /// Removes a volume that no container has; with `force` one that is not
    /// there is no error.
    pub async fn remove_volume(
        &self,
        name: &str,
        options: Option<RemoveVolumeOptions>,
    ) -> Result<()> {
        let force = options.is_some_and(|o| o.force);
        let engine = self.clone();
        let name = name.to_owned();
        let removed = tokio::task::spawn_blocking(move || engine.delete_volume(&name)).await?;
        match removed {
            Err(VolumeError::NotFound(_)) if force => Ok(()),
            result => result.map_err(Error::of),
        }
    }

    /// Removes volumes no container has: anonymous ones, or with the filter
    /// `all` named ones as well.
    pub async fn prune_volumes(
        &self,
        options: Option<PruneVolumesOptions>,
    ) -> Result<VolumePruneResponse> {
        let filters = Filters::from_map(options.and_then(|o| o.filters).unwrap_or_default());
        filters
            .validate(&["all", "label", "label!"])
            .map_err(Error::of)?;
        let all = filters.boolean("all", false).map_err(Error::of)?;
        let engine = self.clone();
        tokio::task::spawn_blocking(move || {
            let mut deleted = Vec::new();
            let mut reclaimed = 0_u64;
            for volume in engine.shared.volumes.list().map_err(Error::of)? {
                let labels: HashMap<_, _> = volume.labels.clone().into_iter().collect();
                let anonymous = volume.labels.contains_key(ANONYMOUS);
                let chosen = (all || anonymous)
                    && filters.matches_labels("label", &labels)
                    && filters.spares_labels("label!", &labels);
                if !chosen || !engine.volume_users(&volume.name).is_empty() {
                    continue;
                }
                let size = engine.shared.volumes.usage(&volume.name).unwrap_or(0);
                if engine.delete_volume(&volume.name).is_ok() {
                    deleted.push(volume.name);
                    reclaimed += size;
                }
            }
            engine.daemon_event(
                EventMessageTypeEnum::VOLUME,
                "prune",
                "",
                &[("reclaimed", &reclaimed.to_string())],
            );
            Ok(VolumePruneResponse {
                volumes_deleted: Some(deleted),
                space_reclaimed: Some(i64::try_from(reclaimed).unwrap_or(i64::MAX)),
            })
        })
        .await?
    }

    /// All volumes with how large they are and how many containers have them.
    pub(crate) async fn volumes_with_usage(&self) -> Result<Vec<Volume>> {
        let engine = self.clone();
        tokio::task::spawn_blocking(move || {
            let list = engine.shared.volumes.list().map_err(Error::of)?;
            Ok(list
                .into_iter()
                .map(|volume| {
                    let size = engine.shared.volumes.usage(&volume.name).unwrap_or(0);
                    let users = engine.volume_users(&volume.name).len();
                    let mut volume = wire(volume);
                    volume.usage_data = Some(VolumeUsageData {
                        size: i64::try_from(size).unwrap_or(i64::MAX),
                        ref_count: users as i64,
                    });
                    volume
                })
                .collect())
        })
        .await?
    }

    /// Makes a volume that is not there yet, and tells so. Blocks.
    pub(crate) fn ensure_volume(
        &self,
        name: &str,
        creation: &Creation,
    ) -> Result<dhow_volume::Volume> {
        if let Ok(there) = self.shared.volumes.get(name) {
            let differs = !creation.options.is_empty() && creation.options != there.options;
            if differs {
                return Err(Error::conflict(format!(
                    "create {name}: conflict: volume name must be unique: a volume by the name \
                     {name:?} with other options is already there"
                )));
            }
            return Ok(there);
        }
        let volume = self
            .shared
            .volumes
            .create(name, creation)
            .map_err(Error::of)?;
        self.volume_event("create", name);
        Ok(volume)
    }

    /// Removes a volume unless a container has it. Blocks.
    pub(crate) fn delete_volume(&self, name: &str) -> Result<(), VolumeError> {
        self.shared.volumes.get(name)?;
        let users = self.volume_users(name);
        if !users.is_empty() {
            return Err(VolumeError::InUse {
                name: name.to_owned(),
                containers: users,
            });
        }
        self.shared.volumes.remove(name)?;
        self.volume_event("destroy", name);
        Ok(())
    }

    /// The ids of the containers that have the volume, running or not.
    fn volume_users(&self, name: &str) -> Vec<String> {
        let all = self.shared.containers.all();
        all.iter()
            .filter(|c| c.read(|r| r.mounts.iter().any(|m| m.is_volume(name))))
            .map(|c| c.id.to_string())
            .collect()
    }

    pub(crate) fn volume_event(&self, action: &str, name: &str) {
        self.daemon_event(
            EventMessageTypeEnum::VOLUME,
            action,
            name,
            &[("driver", "local")],
        );
    }
}

/// The label that tells volumes nobody named.
pub(crate) const ANONYMOUS: &str = "com.docker.volume.anonymous";

fn wire(volume: dhow_volume::Volume) -> Volume {
    Volume {
        name: volume.name,
        driver: dhow_volume::DRIVER.to_owned(),
        mountpoint: volume.mountpoint.display().to_string(),
        created_at: volume.created_at.map(|t| clock::rfc3339(t.nanos())),
        labels: volume.labels.into_iter().collect(),
        scope: Some(VolumeScopeEnum::LOCAL),
        options: volume.options.into_iter().collect(),
        ..Default::default()
    }
}
