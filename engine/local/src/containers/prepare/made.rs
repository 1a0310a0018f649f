//! The mounts that the shim makes for the spec to bind: images, volumes that
//! are file systems of their own, places inside volumes and images.

use std::collections::{BTreeSet, HashMap};
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dhow_model::mount::Kind;
use dhow_runtime::protocol::{Lender, Made, MadeMount};
use dhow_sys::mount::call::MountCall;
use dhow_volume::Volume;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::containers::record::{Mounted, Record};
use crate::{Error, LocalEngine, Result};

/// Where volumes are mounted, below a container's run directory.
const VOLUMES: &str = "volumes";
/// Where everything else is.
const MOUNTS: &str = "mounts";

/// The list as it grows.
pub(super) struct Making {
    run_directory: PathBuf,
    pub made: Vec<MadeMount>,
}

impl Making {
    pub fn new(run_directory: &Path) -> Self {
        Self {
            run_directory: run_directory.to_owned(),
            made: Vec::new(),
        }
    }

    /// Has `what` made, and says where it will be.
    pub fn add(&mut self, what: Made) -> PathBuf {
        let number = self.made.len().to_string();
        self.put(what, self.run_directory.join(MOUNTS).join(number))
    }

    /// Has a volume mounted, once, where other shims can find it by its name.
    pub fn add_volume(&mut self, name: &str, what: Made) -> PathBuf {
        let target = volume_target(&self.run_directory, name);
        match self.made.iter().any(|made| made.target == target) {
            true => target,
            false => self.put(what, target),
        }
    }

    fn put(&mut self, what: Made, target: PathBuf) -> PathBuf {
        self.made.push(MadeMount {
            what,
            target: target.clone(),
        });
        target
    }
}

/// Whose turn it is to mount a volume, by its name.
#[derive(Debug, Default)]
pub(crate) struct VolumeTurns(std::sync::Mutex<HashMap<String, Arc<Mutex<()>>>>);

impl VolumeTurns {
    async fn take(&self, name: String) -> OwnedMutexGuard<()> {
        let turn = {
            let mut all = self.0.lock().unwrap_or_else(|p| p.into_inner());
            // Those that nobody has or waits for.
            all.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(all.entry(name).or_default())
        };
        turn.lock_owned().await
    }
}

impl LocalEngine {
    /// What has to be mounted for this volume to be there; `None` for a plain
    /// one. Looks up the host that it names, and so may block.
    pub(in crate::containers) fn volume_call(&self, volume: &Volume) -> Result<Option<MountCall>> {
        let Some(plan) = volume.mount_plan() else {
            return Ok(None);
        };
        let Some(host) = plan.host().map(str::to_owned) else {
            return Ok(Some(plan.call()));
        };
        let address = (host.as_str(), 0)
            .to_socket_addrs()
            .ok()
            .and_then(|mut addresses| addresses.next())
            .ok_or_else(|| {
                Error::system(format!(
                    "error while mounting volume '{}': error resolving passed in network volume \
                     address: lookup {host}: no such host",
                    volume.mountpoint.display()
                ))
            })?;
        Ok(Some(plan.with_address(address.ip()).call()))
    }

    /// The turns of a start that mounts volumes, held until they are mounted:
    /// two at once would mount one volume twice, and not share it.
    pub(in crate::containers) async fn mounting_turns(
        &self,
        record: &Record,
    ) -> Vec<OwnedMutexGuard<()>> {
        let volumes = record
            .mounts
            .iter()
            .filter(|m| m.point.spec.kind == Kind::Volume);
        // In one order for all, so that none waits for another in a circle.
        let names: BTreeSet<String> = volumes
            .filter_map(|m| self.shared.volumes.get(&m.point.name).ok())
            .filter(|volume| volume.mount_plan().is_some())
            .map(|volume| volume.name)
            .collect();
        let mut turns = Vec::new();
        for name in names {
            turns.push(self.shared.volume_turns.take(name).await);
        }
        turns
    }

    /// The volume as the spec binds it.
    pub(super) fn volume_source(
        &self,
        record: &Record,
        mounted: &Mounted,
        making: &mut Making,
    ) -> Result<PathBuf> {
        let name = &mounted.point.name;
        let volume = self.shared.volumes.get(name).map_err(Error::of)?;
        let named = volume.mountpoint.clone();
        let root = match self.volume_call(&volume)? {
            None => named.clone(),
            Some(call) => {
                let lenders = self.lenders(record, name);
                making.add_volume(
                    name,
                    Made::Volume {
                        call,
                        named: named.clone(),
                        lenders,
                    },
                )
            }
        };
        let subpath = mounted.point.spec.volume.as_ref();
        let subpath = subpath.map(|v| v.subpath.clone()).unwrap_or_default();
        Ok(inside(root, subpath, named, making))
    }

    /// The image as the spec binds it.
    pub(super) fn image_source(
        &self,
        record: &Record,
        mounted: &Mounted,
        making: &mut Making,
    ) -> Result<PathBuf> {
        let lower = self.mounted_image_layers(record, mounted)?;
        let root = making.add(Made::Image { lower });
        let subpath = mounted.point.spec.image.as_ref();
        let subpath = subpath.map(|i| i.subpath.clone()).unwrap_or_default();
        Ok(inside(root.clone(), subpath, root, making))
    }

    /// The directories of a mounted image's layers, top first: without the
    /// mount points that a container's own image is completed by.
    pub(in crate::containers) fn mounted_image_layers(
        &self,
        record: &Record,
        mounted: &Mounted,
    ) -> Result<Vec<PathBuf>> {
        let owner = mounted.pin_owner(&record.id);
        let images = &self.shared.images;
        let mut layers = images.pinned_rootfs(&owner).map_err(Error::of)?;
        layers.pop();
        Ok(layers.into_iter().map(|layer| layer.path).collect())
    }

    /// The shims that have the volume mounted.
    fn lenders(&self, record: &Record, volume: &str) -> Vec<Lender> {
        let all = self.shared.containers.all();
        let has_it = |other: &Record| {
            let mut mounts = other.mounts.iter();
            other.id != record.id
                && other.state.status.counts_as_running()
                && mounts.any(|m| m.is_volume(volume))
        };
        all.iter()
            .filter(|other| other.read(has_it))
            .filter_map(|other| {
                let pid = other.shim_slot().as_ref()?.pid()?;
                let path = volume_target(&self.run_directory(&other.id), volume);
                Some(Lender { pid, path })
            })
            .collect()
    }
}

/// What the spec binds: `root`, or a place in it.
fn inside(root: PathBuf, subpath: String, named: PathBuf, making: &mut Making) -> PathBuf {
    if subpath.is_empty() {
        return root;
    }
    making.add(Made::Inside {
        root,
        subpath,
        named,
    })
}

fn volume_target(run_directory: &Path, name: &str) -> PathBuf {
    run_directory.join(VOLUMES).join(name)
}
