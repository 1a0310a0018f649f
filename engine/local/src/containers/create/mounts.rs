//! Which mounts a container gets, out of `--volumes-from`, `-v`, `--mount` and
//! the image's `VOLUME`s, and in which precedence: dockerd's
//! `registerMountPoints`.

use std::path::Path;

use bollard_stubs::models::{ContainerConfig, HostConfig, Mount, MountType};
use dhow_model::mount::{
    BindOptions, ImageOptions, InvalidMount, Kind, Point, Propagation, Spec, TmpfsOptions,
    VolumeOptions, check_tmpfs_destination, clean, parse_volumes_from,
};

use crate::containers::record::Mounted;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// The container's mounts. Volumes get their names here; nothing is made.
    pub(super) fn resolve_mounts(
        &self,
        config: &ContainerConfig,
        host: &HostConfig,
    ) -> Result<Vec<Mounted>> {
        let mut list = Vec::new();
        for text in host.volumes_from.iter().flatten() {
            let (name, writable) = parse_volumes_from(text).map_err(Error::of)?;
            // Not "not found": clients would take the image for what is missing.
            let other = self.shared.containers.find(name);
            let other = other.map_err(|e| Error::invalid(e.to_string()))?;
            for mut mounted in other.read(|r| r.mounts.clone()) {
                mounted.point.writable &= writable;
                mounted.anonymous = false;
                put(&mut list, mounted);
            }
        }

        let driver = host.volume_driver.as_deref().unwrap_or_default();
        let mut own: Vec<Point> = Vec::new();
        for text in host.binds.iter().flatten() {
            own.push(Point::from_bind(text, driver).map_err(Error::of)?);
        }
        for mount in host.mounts.iter().flatten() {
            own.push(spec(mount)?.check().map_err(Error::of)?);
        }
        let mut taken: Vec<String> = Vec::new();
        for target in host.tmpfs.iter().flat_map(|t| t.keys()) {
            check_tmpfs_destination(target).map_err(Error::of)?;
            taken.push(clean(target));
        }
        for point in own {
            if taken.contains(&point.destination) {
                return Err(Error::of(InvalidMount::Duplicate(point.destination)));
            }
            taken.push(point.destination.clone());
            put(&mut list, self.resolve(point)?);
        }

        for target in config.volumes.iter().flatten() {
            // Below the container's root, however it is written.
            let destination = clean(&format!("/{target}"));
            if taken.contains(&destination)
                || list.iter().any(|m| m.point.destination == destination)
            {
                continue;
            }
            let spec = Spec {
                kind: Kind::Volume,
                target: destination,
                ..Spec::default()
            };
            let point = spec.check().map_err(Error::of)?;
            put(&mut list, self.resolve(point)?);
        }
        // Parents before children, whatever order they were given in.
        list.sort_by(|a, b| a.point.destination.cmp(&b.point.destination));
        Ok(list)
    }

    fn resolve(&self, mut point: Point) -> Result<Mounted> {
        let mut anonymous = false;
        let host = match point.spec.kind {
            Kind::Bind => {
                if !point.create_source && !Path::new(&point.source).exists() {
                    return Err(Error::of(point.source_missing()));
                }
                point.source.clone()
            }
            Kind::Volume => {
                let driver = point.spec.volume.as_ref().map(|v| v.driver.as_str());
                if let Some(driver) = driver.filter(|d| !matches!(*d, "" | "local")) {
                    let create = match point.name.as_str() {
                        "" => String::new(),
                        name => format!("create {name}: "),
                    };
                    return Err(Error::not_found(format!(
                        "{create}error looking up volume plugin {driver}: plugin {driver:?} not \
                         found"
                    )));
                }
                if point.name.is_empty() {
                    anonymous = true;
                    point.name = super::new_id()?.to_string();
                }
                self.check_volume_name(&point.name)?;
                self.volume_directory(&point.name).display().to_string()
            }
            Kind::Tmpfs => String::new(),
            Kind::Image => {
                // Not "not found": clients would pull the container's image.
                let image = self.shared.images.get(&point.source);
                let image = image.map_err(|e| Error::invalid(Error::of(e).to_string()))?;
                point.name = std::mem::take(&mut point.source);
                image.id.to_string()
            }
        };
        Ok(Mounted {
            point,
            host,
            anonymous,
        })
    }
}

/// Adds a mount; a later one at the same place wins.
fn put(list: &mut Vec<Mounted>, mounted: Mounted) {
    list.retain(|m| m.point.destination != mounted.point.destination);
    list.push(mounted);
}

/// The API's mount in the model's words.
fn spec(mount: &Mount) -> Result<Spec> {
    let kind = match mount.typ {
        Some(MountType::BIND) => Kind::Bind,
        Some(MountType::VOLUME) => Kind::Volume,
        Some(MountType::TMPFS) => Kind::Tmpfs,
        Some(MountType::IMAGE) => Kind::Image,
        Some(MountType::CLUSTER) => return Err(unknown("cluster")),
        Some(MountType::NPIPE) => return Err(unknown("npipe")),
        None => return Err(unknown("")),
    };
    let bind = mount.bind_options.as_ref().map(|o| -> Result<_> {
        let propagation = o.propagation.map(|p| p.to_string()).unwrap_or_default();
        Ok(BindOptions {
            propagation: Propagation::parse(&propagation).map_err(Error::of)?,
            non_recursive: o.non_recursive.unwrap_or(false),
            create_mountpoint: o.create_mountpoint.unwrap_or(false),
            read_only_non_recursive: o.read_only_non_recursive.unwrap_or(false),
            read_only_force_recursive: o.read_only_force_recursive.unwrap_or(false),
        })
    });
    let map = |m: &Option<std::collections::HashMap<String, String>>| {
        m.iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    Ok(Spec {
        kind,
        source: mount.source.clone().unwrap_or_default(),
        target: mount.target.clone().unwrap_or_default(),
        read_only: mount.read_only.unwrap_or(false),
        consistency: mount.consistency.clone().unwrap_or_default(),
        bind: bind.transpose()?,
        volume: mount.volume_options.as_ref().map(|o| VolumeOptions {
            no_copy: o.no_copy.unwrap_or(false),
            labels: map(&o.labels),
            driver: o
                .driver_config
                .as_ref()
                .and_then(|d| d.name.clone())
                .unwrap_or_default(),
            driver_options: o
                .driver_config
                .as_ref()
                .map(|d| map(&d.options))
                .unwrap_or_default(),
            subpath: o.subpath.clone().unwrap_or_default(),
        }),
        tmpfs: mount.tmpfs_options.as_ref().map(|o| TmpfsOptions {
            size_bytes: o.size_bytes.unwrap_or(0),
            mode: o.mode.and_then(|m| u32::try_from(m).ok()).unwrap_or(0),
            options: o.options.clone().unwrap_or_default(),
        }),
        image: mount.image_options.as_ref().map(|o| ImageOptions {
            subpath: o.subpath.clone().unwrap_or_default(),
        }),
    })
}

fn unknown(kind: &str) -> Error {
    Error::of(InvalidMount::UnknownKind(kind.to_owned()))
}
