//! A container's mounts in the words of the spec builder: volumes and binds
//! with their sources looked up, tmpfs, and the files that name the network.

use std::fs;
use std::path::{Path, PathBuf};

use dhow_model::mount::{Kind, Propagation};
use dhow_runtime::spec::mounts::{UserMount, check_propagation};

use super::made::Making;
use crate::containers::record::{Mounted, Record};
use crate::containers::view;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// What was asked for, sources checked; missing ones of `-v` are made.
    pub(super) fn mounts_of(&self, record: &Record, making: &mut Making) -> Result<Vec<UserMount>> {
        let mut list = Vec::new();
        for mounted in &record.mounts {
            let source = self.source_of(record, mounted, making)?;
            check_spreading(mounted, &source)?;
            list.push(UserMount::from_point(&mounted.point, source).map_err(Error::of)?);
        }
        for (target, options) in record.host_config.tmpfs.iter().flatten() {
            list.push(UserMount::Tmpfs {
                destination: dhow_model::mount::clean(target),
                options: options
                    .split(',')
                    .filter(|o| !o.is_empty())
                    .map(str::to_owned)
                    .collect(),
            });
        }
        Ok(list)
    }

    fn source_of(
        &self,
        record: &Record,
        mounted: &Mounted,
        making: &mut Making,
    ) -> Result<PathBuf> {
        match mounted.point.spec.kind {
            Kind::Tmpfs => Ok(PathBuf::new()),
            Kind::Volume => self.volume_source(record, mounted, making),
            Kind::Image => self.image_source(record, mounted, making),
            Kind::Bind => bind_source(mounted),
        }
    }

    /// `/etc/hosts` and its like, where no mount of the container's own covers
    /// them. A container in another's network has the other's.
    pub(super) fn network_files(
        &self,
        record: &Record,
        directory: &Path,
        mounts: &[UserMount],
    ) -> Result<Vec<UserMount>> {
        let network = view::network_name(record);
        let directory = match network.strip_prefix("container:") {
            Some(name) => {
                let other = self.shared.containers.find(name)?;
                other.directory(&self.config().data_root)
            }
            None => directory.to_owned(),
        };
        let read_only = record.host_config.readonly_rootfs == Some(true);
        let files = [
            ("resolv.conf", "/etc/resolv.conf"),
            ("hostname", "/etc/hostname"),
            ("hosts", "/etc/hosts"),
        ];
        Ok(files
            .iter()
            .filter(|(_, target)| !mounts.iter().any(|m| m.destination() == *target))
            .map(|(file, target)| UserMount::file(&directory.join(file), target, read_only))
            .collect())
    }
}

/// Mounts spread only from where the host lets them.
fn check_spreading(mounted: &Mounted, source: &Path) -> Result<()> {
    let propagation = mounted.point.propagation;
    if matches!(propagation, Propagation::Private | Propagation::RPrivate)
        || mounted.point.spec.kind != Kind::Bind
    {
        return Ok(());
    }
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    let real = fs::canonicalize(source)?;
    check_propagation(&table, &real, propagation).map_err(Error::of)
}

/// The bind's source, made where it is missing and that is allowed.
fn bind_source(mounted: &Mounted) -> Result<PathBuf> {
    let source = PathBuf::from(&mounted.host);
    if !source.exists() {
        if !mounted.point.create_source {
            return Err(Error::of(mounted.point.source_missing()));
        }
        fs::create_dir_all(&source).map_err(|e| {
            Error::system(format!(
                "error while creating mount source path '{}': mkdir {}: {e}",
                source.display(),
                source.display()
            ))
        })?;
    }
    Ok(source)
}

/// Host paths whose mounts must stay shared with the host.
pub(super) fn shared_sources(record: &Record) -> Vec<PathBuf> {
    record
        .mounts
        .iter()
        .filter(|m| {
            matches!(
                m.point.propagation,
                Propagation::Shared | Propagation::RShared
            )
        })
        .map(|m| PathBuf::from(&m.host))
        .collect()
}
