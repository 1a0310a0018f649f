//! A container's mounts in the words of the spec builder: volumes and binds
//! with their sources looked up, tmpfs, and the files that name the network.

use std::fs;
use std::path::{Path, PathBuf};

use dhow_model::mount::{Kind, Propagation};
use dhow_runtime::spec::mounts::{UserMount, check_propagation};

use crate::containers::record::{Mounted, Record};
use crate::containers::view;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// What was asked for, sources checked; missing ones of `-v` are made.
    pub(super) fn mounts_of(&self, record: &Record) -> Result<Vec<UserMount>> {
        let mut list = Vec::new();
        for mounted in &record.mounts {
            let source = self.source_of(mounted)?;
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

    fn source_of(&self, mounted: &Mounted) -> Result<PathBuf> {
        let source = match mounted.point.spec.kind {
            Kind::Volume => self.volume_directory(&mounted.point.name),
            _ => PathBuf::from(&mounted.host),
        };
        match mounted.point.spec.kind {
            Kind::Tmpfs => return Ok(PathBuf::new()),
            Kind::Bind if !source.exists() => {
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
            _ => {}
        }
        let subpath = mounted
            .point
            .spec
            .volume
            .as_ref()
            .map(|v| v.subpath.as_str());
        match subpath.filter(|s| !s.is_empty()) {
            None => Ok(source),
            Some(subpath) => within(&source, subpath),
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

/// A directory inside a volume, never beyond it.
fn within(volume: &Path, subpath: &str) -> Result<PathBuf> {
    let path = volume.join(subpath);
    let missing = |e: std::io::Error| {
        let why = match e.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            _ => e.to_string(),
        };
        Error::system(format!("cannot access path {}: {why}", path.display()))
    };
    let real = fs::canonicalize(&path).map_err(missing)?;
    let root = fs::canonicalize(volume).map_err(missing)?;
    if real.starts_with(&root) {
        Ok(real)
    } else {
        Err(Error::system(format!(
            "subpath {subpath:?} of volume leaves the volume"
        )))
    }
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
