//! `GET /system/df`: what takes room, in the newest version's form; the HTTP
//! face turns it into older ones.

use std::collections::HashMap;

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::{DataUsageOptions, ListContainersOptions, ListImagesOptions};
use serde::Serialize;
use serde_json::Value;

use crate::containers::Status;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// What takes room on the disk: all kinds, or those in `_type`; the lists
    /// themselves only when `verbose`.
    pub async fn df(&self, options: Option<DataUsageOptions>) -> Result<SystemDataUsageResponse> {
        let options = options.unwrap_or_default();
        let types = options._type.unwrap_or_default();
        const KNOWN: &[&str] = &["container", "image", "volume", "build-cache"];
        if let Some(unknown) = types.iter().find(|t| !KNOWN.contains(&t.as_str())) {
            return Err(Error::invalid(format!("unknown object type: {unknown}")));
        }
        let wanted = |kind: &str| types.is_empty() || types.iter().any(|t| t == kind);
        let verbose = options.verbose;
        let mut answer = SystemDataUsageResponse::default();
        if wanted("image") {
            answer.image_usage = Some(self.images_usage(verbose).await?);
        }
        if wanted("container") {
            answer.container_usage = Some(self.containers_usage(verbose).await?);
        }
        if wanted("volume") {
            answer.volume_usage = Some(self.volumes_usage(verbose).await?);
        }
        if wanted("build-cache") {
            answer.build_cache_usage = Some(BuildCacheDiskUsage {
                active_count: Some(0),
                total_count: Some(0),
                reclaimable: Some(0),
                total_size: Some(0),
                items: Some(Vec::new()),
            });
        }
        Ok(answer)
    }

    async fn images_usage(&self, verbose: bool) -> Result<ImagesDiskUsage> {
        let list = self
            .list_images(Some(ListImagesOptions {
                all: false,
                shared_size: true,
                ..Default::default()
            }))
            .await?;
        let mut uses: HashMap<String, i64> = HashMap::new();
        for container in self.shared.containers.all() {
            *uses
                .entry(container.read(|r| r.image.to_string()))
                .or_default() += 1;
        }
        let list: Vec<ImageSummary> = list
            .into_iter()
            .map(|mut image| {
                image.containers = uses.get(&image.id).copied().unwrap_or(0);
                image
            })
            .collect();
        let images = self.shared.images.clone();
        let total = tokio::task::spawn_blocking(move || -> Result<i64> {
            let all = images.images().map_err(Error::of)?;
            let mut layers = HashMap::new();
            for image in &all {
                for layer in &image.layers {
                    layers.insert(layer.chain_id.clone(), layer.size);
                }
            }
            Ok(i64::try_from(layers.values().sum::<u64>()).unwrap_or(i64::MAX))
        })
        .await??;
        let used: i64 = list
            .iter()
            .filter(|image| image.containers > 0)
            // What only this image has: dockerd counts it so.
            .map(|image| image.size - image.shared_size.max(0))
            .sum();
        Ok(ImagesDiskUsage {
            active_count: Some(list.iter().filter(|i| i.containers > 0).count() as i64),
            total_count: Some(list.len() as i64),
            reclaimable: Some((total - used).max(0)),
            total_size: Some(total),
            items: items(&list, verbose)?,
        })
    }

    async fn containers_usage(&self, verbose: bool) -> Result<ContainersDiskUsage> {
        let list = self
            .list_containers(Some(ListContainersOptions {
                all: true,
                size: true,
                ..Default::default()
            }))
            .await?;
        let is_up = |c: &&ContainerSummary| {
            let state = c.state.map(|s| s.to_string()).unwrap_or_default();
            Status::parse(&state).is_some_and(Status::counts_as_running)
        };
        let size = |c: &ContainerSummary| c.size_rw.unwrap_or(0);
        Ok(ContainersDiskUsage {
            active_count: Some(list.iter().filter(is_up).count() as i64),
            total_count: Some(list.len() as i64),
            reclaimable: Some(list.iter().filter(|c| !is_up(c)).map(size).sum()),
            total_size: Some(list.iter().map(size).sum()),
            items: items(&list, verbose)?,
        })
    }

    async fn volumes_usage(&self, verbose: bool) -> Result<VolumesDiskUsage> {
        let list = self.volumes_with_usage().await?;
        let data = |v: &Volume| {
            let usage = v.usage_data.as_ref();
            (
                usage.map_or(0, |u| u.size),
                usage.map_or(0, |u| u.ref_count),
            )
        };
        let used = |v: &&Volume| data(v).1 > 0;
        Ok(VolumesDiskUsage {
            active_count: Some(list.iter().filter(used).count() as i64),
            total_count: Some(list.len() as i64),
            reclaimable: Some(list.iter().filter(|v| !used(v)).map(|v| data(v).0).sum()),
            total_size: Some(list.iter().map(|v| data(v).0).sum()),
            items: items(&list, verbose)?,
        })
    }
}

fn items(list: &[impl Serialize], verbose: bool) -> Result<Option<Vec<Value>>> {
    if !verbose {
        return Ok(None);
    }
    let values = list.iter().map(serde_json::to_value);
    Ok(Some(values.collect::<Result<_, _>>()?))
}
