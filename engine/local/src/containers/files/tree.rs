//! Reaching a container's tree from outside: through its first process while
//! it runs, through a mount of its own that nobody else sees while it does not.

use std::path::{Path, PathBuf};

use dhow_model::mount::Kind;
use dhow_sys::overlay::Overlay;
use dhow_sys::tree::Root;

use crate::containers::container::Container;
use crate::containers::record::{Mounted, Record};
use crate::{Error, LocalEngine, Result};

/// A place in a container's tree.
pub(super) struct Place {
    pub root: Root,
    /// Below `root`.
    pub path: String,
    /// The mount the place lies in, of a container that is not running.
    pub mounted: Option<Mounted>,
}

impl LocalEngine {
    /// The container's root directory. Blocks.
    pub(crate) fn tree(&self, container: &Container) -> Result<Root> {
        let record = container.record();
        match record.state.pid {
            Some(pid) if record.state.status.has_process() => {
                Root::open(Path::new(&format!("/proc/{pid}/root")))
                    .map_err(|e| Error::system(format!("the container's root: {e}")))
            }
            _ => self.resting_tree(&record),
        }
    }

    fn resting_tree(&self, record: &Record) -> Result<Root> {
        let directory = self
            .config()
            .data_root
            .join("containers")
            .join(record.id.as_str());
        let (upper, work) = (directory.join("upper"), directory.join("work"));
        let layers = self.layers_of(record)?;
        if layers.is_empty() {
            return Ok(Root::open(&upper)?);
        }
        let overlay = Overlay {
            lower: &layers,
            writable: Some((&upper, &work)),
        };
        let mount = overlay
            .detached()
            .map_err(|e| Error::system(format!("cannot mount the container's root: {e}")))?;
        Ok(Root::from_fd(mount))
    }

    /// Where `path` of the container is. Mounts of a container that is not
    /// running are not there, so a path inside one leads to its source.
    pub(super) fn place(&self, container: &Container, path: &str) -> Result<Place> {
        let record = container.record();
        if !record.state.status.has_process()
            && let Some((mounted, rest)) = covering(&record.mounts, path)
        {
            if let Some(root) = self.own_tree(&record, &mounted)? {
                return Ok(Place {
                    root,
                    path: rest,
                    mounted: Some(mounted),
                });
            }
            let host = PathBuf::from(&mounted.host);
            let is_dir = std::fs::metadata(&host).is_ok_and(|m| m.is_dir());
            let (root, path) = match (is_dir, host.parent(), host.file_name()) {
                (false, Some(parent), Some(name)) => {
                    (parent.to_owned(), name.to_string_lossy().into_owned())
                }
                _ => (host.clone(), rest),
            };
            return Ok(Place {
                root: Root::open(&root)
                    .map_err(|e| Error::system(format!("{}: {e}", root.display())))?,
                path,
                mounted: Some(mounted),
            });
        }
        Ok(Place {
            root: self.tree(container)?,
            path: path.to_owned(),
            mounted: None,
        })
    }

    /// The root of a mount that is nowhere on the host: an image, or a volume
    /// that is a file system of its own.
    fn own_tree(&self, record: &Record, mounted: &Mounted) -> Result<Option<Root>> {
        match mounted.point.spec.kind {
            Kind::Volume => {
                let volume = self.shared.volumes.get(&mounted.point.name);
                self.mounted_volume(&volume.map_err(Error::of)?)
            }
            Kind::Image => {
                let lower = self.mounted_image_layers(record, mounted)?;
                let overlay = Overlay {
                    lower: &lower,
                    writable: None,
                };
                let mount = match lower.as_slice() {
                    [only] => return Ok(Some(Root::open(only)?)),
                    _ => overlay.detached(),
                };
                let mount =
                    mount.map_err(|e| Error::system(format!("cannot mount the image: {e}")))?;
                Ok(Some(Root::from_fd(mount)))
            }
            Kind::Bind | Kind::Tmpfs => Ok(None),
        }
    }
}

/// The innermost mount that `path` lies in, and what is left of the path.
fn covering(mounts: &[Mounted], path: &str) -> Option<(Mounted, String)> {
    let clean = dhow_model::mount::clean(path);
    let tail = if path.ends_with('/') || path.ends_with("/.") {
        "/."
    } else {
        ""
    };
    mounts
        .iter()
        .filter(|m| m.point.spec.kind != Kind::Tmpfs)
        .filter_map(|m| {
            let rest = clean.strip_prefix(&m.point.destination)?;
            (rest.is_empty() || rest.starts_with('/')).then_some((m, rest))
        })
        .max_by_key(|(m, _)| m.point.destination.len())
        .map(|(m, rest)| {
            let below = format!("{}{rest}", subpath(m));
            (
                m.clone(),
                format!("/{}{tail}", below.trim_start_matches('/')),
            )
        })
}

/// The part of a volume or an image that is mounted, if it is only a part.
fn subpath(mounted: &Mounted) -> &str {
    let spec = &mounted.point.spec;
    let volume = spec.volume.as_ref().map(|v| v.subpath.as_str());
    let image = spec.image.as_ref().map(|i| i.subpath.as_str());
    volume.or(image).unwrap_or_default()
}
