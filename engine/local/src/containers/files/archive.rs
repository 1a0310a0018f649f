//! `HEAD`, `GET` and `PUT /containers/{id}/archive`, and
//! `GET /containers/{id}/export`.

use std::sync::Arc;

use bollard_stubs::query_parameters::{DownloadFromContainerOptions, UploadToContainerOptions};
use dhow_image::tree::{ExtractOptions, Mounts, PathStat, TreeOpError, extract, pack, stat};
use dhow_model::lifecycle::Request;
use dhow_model::{ErrorKind, HasKind, Timestamp};
use dhow_runtime::spec::user;
use dhow_sys::tree::{EntryKind, Stat};

use crate::containers::ArchiveStat;
use crate::containers::container::Container;
use crate::stream::{produce, reader};
use crate::{ByteStream, Error, LocalEngine, Result};

impl LocalEngine {
    /// What is at a path of the container.
    pub async fn get_container_archive_info(&self, name: &str, path: &str) -> Result<ArchiveStat> {
        let (engine, container, path) = self.asked(name, path)?;
        tokio::task::spawn_blocking(move || {
            let place = engine.place(&container, &path)?;
            let found = stat(&place.root, place.path.as_bytes())
                .map_err(|e| missing(e, &container, &path))?;
            Ok(archive_stat(&found, &path))
        })
        .await?
    }

    /// What is at a path of the container, as a tar archive.
    pub async fn download_from_container(
        &self,
        name: &str,
        options: DownloadFromContainerOptions,
    ) -> Result<(ArchiveStat, ByteStream)> {
        let (engine, container, path) = self.asked(name, &options.path)?;
        tokio::task::spawn_blocking(move || {
            let place = engine.place(&container, &path)?;
            let found = stat(&place.root, place.path.as_bytes())
                .map_err(|e| missing(e, &container, &path))?;
            let answer = archive_stat(&found, &path);
            let name = found.name.clone();
            let stream = produce(move |out| {
                pack(
                    &place.root,
                    place.path.as_bytes(),
                    &name,
                    Mounts::Enter,
                    out,
                )
                .map_err(Error::of)
            });
            engine.container_event(&container, "archive-path", &[]);
            Ok((answer, stream))
        })
        .await?
    }

    /// Unpacks `archive`, a tar archive, compressed or not, into a directory
    /// of the container.
    pub async fn upload_to_container(
        &self,
        name: &str,
        options: UploadToContainerOptions,
        archive: ByteStream,
    ) -> Result<()> {
        let truth = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default().trim().to_lowercase();
            !matches!(text.as_str(), "" | "0" | "no" | "false" | "none")
        };
        let keep_dirs = truth(&options.no_overwrite_dir_non_dir);
        let keep_owner = truth(&options.copy_uidgid);
        let (engine, container, path) = self.asked(name, &options.path)?;
        let mut archive = reader(archive);
        tokio::task::spawn_blocking(move || {
            // The directory's own links are followed inside the container.
            let directory = format!("{}/.", path.trim_end_matches('/'));
            let place = engine.place(&container, &directory)?;
            refuse_read_only(&container, &place.mounted, &path)?;
            let owner = keep_owner.then(|| engine.owner(&container)).transpose()?;
            extract(
                &place.root,
                place.path.as_bytes(),
                &mut archive,
                ExtractOptions { keep_dirs, owner },
            )
            .map_err(|e| missing(e, &container, &path))?;
            engine.container_event(&container, "extract-to-dir", &[]);
            Ok(())
        })
        .await?
    }

    /// The container's whole tree, without what is mounted in it.
    pub async fn export_container(&self, name: &str) -> Result<ByteStream> {
        let (engine, container, _) = self.asked(name, "/")?;
        container
            .status()
            .permits(Request::Export, container.id.as_str())
            .map_err(Error::of)?;
        tokio::task::spawn_blocking(move || {
            let root = engine.tree(&container)?;
            engine.container_event(&container, "export", &[]);
            Ok(produce(move |out| {
                pack(&root, b"/", b"", Mounts::Skip, out).map_err(Error::of)
            }))
        })
        .await?
    }

    fn asked(&self, name: &str, path: &str) -> Result<(Self, Arc<Container>, String)> {
        let container = self.shared.containers.find(name)?;
        if path.is_empty() {
            return Err(Error::invalid("bad parameter: path cannot be empty"));
        }
        Ok((self.clone(), container, path.to_owned()))
    }

    /// The ids of the container's own user.
    fn owner(&self, container: &Container) -> Result<(u32, u32)> {
        let record = container.record();
        let directory = container.directory(&self.config().data_root);
        let layers = self.layers_of(&record)?;
        let files = crate::containers::prepare::Layered::new(&directory.join("upper"), &layers);
        let user = user::resolve(
            record.config.user.as_deref().unwrap_or_default(),
            &[],
            &files.read("etc/passwd"),
            &files.read("etc/group"),
        )
        .map_err(Error::of)?;
        Ok((user.uid, user.gid))
    }
}

fn refuse_read_only(
    container: &Container,
    mounted: &Option<crate::containers::record::Mounted>,
    path: &str,
) -> Result<()> {
    let record = container.record();
    let clean = dhow_model::mount::clean(path);
    let inside = |m: &&crate::containers::record::Mounted| {
        let target = &m.point.destination;
        clean == *target || clean.starts_with(&format!("{target}/"))
    };
    let mount = mounted.clone().or_else(|| {
        let list = record.mounts.iter().filter(inside);
        list.max_by_key(|m| m.point.destination.len()).cloned()
    });
    match mount {
        Some(mount) if !mount.point.writable => Err(Error::new(
            ErrorKind::Forbidden,
            "mounted volume is marked read-only",
        )),
        Some(_) => Ok(()),
        None if record.host_config.readonly_rootfs == Some(true) => Err(Error::new(
            ErrorKind::Forbidden,
            "container rootfs is marked read-only",
        )),
        None => Ok(()),
    }
}

/// Docker's text for a path that is not there.
fn missing(error: TreeOpError, container: &Container, path: &str) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::not_found(format!(
            "Could not find the file {path} in container {}",
            container.name()
        )),
        _ => Error::of(error),
    }
}

fn archive_stat(found: &PathStat, path: &str) -> ArchiveStat {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let name = match text(&found.name) {
        // The mount's own name, not that of its source.
        name if name == "/" => std::path::Path::new(path)
            .file_name()
            .map_or(name, |n| n.to_string_lossy().into_owned()),
        name => name,
    };
    let stat = &found.stat;
    let nanos = stat
        .mtime
        .saturating_mul(1_000_000_000)
        .saturating_add(i64::from(stat.mtime_nsec));
    ArchiveStat {
        name,
        size: i64::try_from(stat.size).unwrap_or(i64::MAX),
        mode: go_mode(stat),
        mtime: Timestamp::from_nanos(nanos).to_string(),
        link_target: text(&found.link_target),
    }
}

/// The bits of Go's `os.FileMode`.
fn go_mode(stat: &Stat) -> u32 {
    let kind = match stat.kind {
        EntryKind::File => 0,
        EntryKind::Dir => 1 << 31,
        EntryKind::Symlink => 1 << 27,
        EntryKind::Block => 1 << 26,
        EntryKind::Char => 1 << 26 | 1 << 21,
        EntryKind::Fifo => 1 << 25,
        EntryKind::Socket => 1 << 24,
    };
    let mut mode = kind | stat.mode & 0o777;
    for (bit, go) in [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)] {
        if stat.mode & bit != 0 {
            mode |= go;
        }
    }
    mode
}
