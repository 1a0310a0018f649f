//! Making, finding, filling and removing volumes on disk.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use dhow_model::Timestamp;
use dhow_sys::tree::{self, Root};
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use serde::{Deserialize, Serialize};

use crate::error::{VolumeError, io_error};
use crate::name::check_name;
use crate::options::{MountPlan, check_options};
use crate::{fill, usage};

/// The name of the only driver.
pub const DRIVER: &str = "local";

const DATA: &str = "_data";
const METADATA: &str = "volume.json";
const FILLING: &str = "filling";
const NEW: &str = ".new-";
const GONE: &str = ".gone-";

/// All volumes of an engine. Cheap to share: it holds no state but a counter,
/// and every operation is safe beside every other.
#[derive(Debug)]
pub struct VolumeStore {
    root: PathBuf,
    next: AtomicU64,
}

/// What a new volume shall be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Creation {
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Options of the driver.
    pub options: BTreeMap<String, String>,
    /// Now.
    pub created_at: Option<Timestamp>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Where its content is on the host.
    pub mountpoint: PathBuf,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The driver options it was made with.
    pub options: BTreeMap<String, String>,
    /// When it was made; `None` for directories that someone else put there.
    pub created_at: Option<Timestamp>,
}

impl Volume {
    /// What has to be mounted on [`Volume::mountpoint`] while containers use
    /// it; `None` for a plain one.
    pub fn mount_plan(&self) -> Option<MountPlan> {
        MountPlan::of(&self.options)
    }
}

impl VolumeStore {
    /// Opens the store at `root`, which is made if need be, and clears away
    /// what an interrupted engine left half done.
    pub fn open(root: &Path) -> Result<Self, VolumeError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o701)
            .create(root)
            .map_err(io_error("create", root))?;
        let store = Self {
            root: root.to_owned(),
            next: AtomicU64::new(0),
        };
        for name in store.names()? {
            if name.starts_with(NEW) || name.starts_with(GONE) {
                store.erase(&name)?;
            }
        }
        Ok(store)
    }

    /// Makes a volume. One of that name that is there already is returned as
    /// it is, as Docker does.
    pub fn create(&self, name: &str, creation: &Creation) -> Result<Volume, VolumeError> {
        check_name(name).map_err(|reason| VolumeError::Name {
            name: name.to_owned(),
            reason,
        })?;
        if let Some(volume) = self.find(name)? {
            return Ok(volume);
        }
        check_options(&creation.options).map_err(|reason| VolumeError::Option {
            name: name.to_owned(),
            reason,
        })?;
        let new = self.aside(NEW);
        let made = self
            .make(&new, creation)
            .and_then(|()| self.publish(&new, name));
        match made {
            Ok(true) => {}
            // Someone else made it at the same moment.
            Ok(false) => self.erase_path(&new)?,
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.erase_path(&new);
                return Err(error);
            }
        }
        self.get(name)
    }

    /// The volume of this name.
    pub fn get(&self, name: &str) -> Result<Volume, VolumeError> {
        self.find(name)?
            .ok_or_else(|| VolumeError::NotFound(name.to_owned()))
    }

    /// All volumes, by name.
    pub fn list(&self) -> Result<Vec<Volume>, VolumeError> {
        let mut names = self.names()?;
        names.sort_unstable();
        let mut volumes = Vec::new();
        for name in names {
            volumes.extend(self.find(&name)?);
        }
        Ok(volumes)
    }

    /// Removes a volume and its content. That nobody uses it, and that nothing
    /// is mounted on it any more, is for the caller to see to; a mount the
    /// engine can see is refused, since its content would be lost.
    pub fn remove(&self, name: &str) -> Result<(), VolumeError> {
        let volume = self.get(name)?;
        if is_mount_root(&volume.mountpoint)? {
            return Err(VolumeError::Mounted(name.to_owned()));
        }
        let path = self.root.join(name);
        let gone = self.aside(GONE);
        match fs::rename(&path, &gone) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(VolumeError::NotFound(name.to_owned()));
            }
            Err(error) => return Err(io_error("remove", path)(error)),
        }
        sync(&self.root)?;
        self.erase_path(&gone)
    }

    /// Copies what `source` holds into the volume, and makes the volume's
    /// directory what `source` itself is, if the volume is empty. Says whether
    /// it did. A copy that was interrupted is done over.
    pub fn fill(&self, name: &str, source: &Root) -> Result<bool, VolumeError> {
        let data = self.get(name)?.mountpoint;
        let target = Root::open(&data).map_err(io_error("open", &data))?;
        self.fill_tree(name, &target, source)
    }

    /// The same for a volume that is another file system: `target` is its root.
    pub fn fill_tree(&self, name: &str, target: &Root, source: &Root) -> Result<bool, VolumeError> {
        let data = &self.get(name)?.mountpoint;
        let marker = self.root.join(name).join(FILLING);
        let interrupted = marker.try_exists().map_err(io_error("look at", &marker))?;
        if interrupted {
            tree::empty(target.fd()).map_err(io_error("empty", data))?;
        } else if !tree::read_dir(target.fd())
            .map_err(io_error("list", data))?
            .is_empty()
        {
            return Ok(false);
        }
        File::create(&marker).map_err(io_error("create", &marker))?;
        sync(&self.root.join(name))?;
        fill::copy(source.fd(), target).map_err(|source| VolumeError::Fill {
            name: name.to_owned(),
            source,
        })?;
        // The root of a mount that is attached nowhere is only a handle.
        let directory = OFlags::RDONLY | OFlags::DIRECTORY;
        target
            .open_in(b".", directory, Mode::empty())
            .and_then(|opened| tree::sync_file_system(opened.as_fd()))
            .map_err(io_error("sync", data))?;
        fs::remove_file(&marker).map_err(io_error("remove", &marker))?;
        sync(&self.root.join(name))?;
        Ok(true)
    }

    /// How many bytes the volume's files hold.
    pub fn usage(&self, name: &str) -> Result<u64, VolumeError> {
        let volume = self.get(name)?;
        usage::measure(&volume.mountpoint).map_err(io_error("measure", &volume.mountpoint))
    }

    fn find(&self, name: &str) -> Result<Option<Volume>, VolumeError> {
        if check_name(name).is_err() {
            return Ok(None);
        }
        let path = self.root.join(name);
        let mountpoint = path.join(DATA);
        if !mountpoint.is_dir() {
            return Ok(None);
        }
        let file = path.join(METADATA);
        let creation = match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|source| VolumeError::Metadata {
                name: name.to_owned(),
                source,
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Creation::default(),
            Err(error) => return Err(io_error("read", file)(error)),
        };
        Ok(Some(Volume {
            name: name.to_owned(),
            mountpoint,
            labels: creation.labels,
            options: creation.options,
            created_at: creation.created_at,
        }))
    }

    /// Everything of a volume under a name nobody sees.
    fn make(&self, new: &Path, creation: &Creation) -> Result<(), VolumeError> {
        let dir = |path: &Path, mode| {
            let made = DirBuilder::new().mode(mode).create(path);
            made.map_err(io_error("create", path))
        };
        dir(new, 0o701)?;
        let data = new.join(DATA);
        dir(&data, 0o755)?;
        // The process's umask must not decide what a container may do.
        let mode = rustix::fs::Mode::from_raw_mode(0o755);
        rustix::fs::chmod(&data, mode).map_err(|e| io_error("chmod", &data)(e.into()))?;
        let file = new.join(METADATA);
        let text = serde_json::to_vec(creation).expect("maps of strings are JSON");
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut opened| {
                opened.write_all(&text)?;
                opened.sync_all()
            })
            .map_err(io_error("write", &file))?;
        sync(new)
    }

    /// Gives it its name; `false` where the name is taken.
    fn publish(&self, new: &Path, name: &str) -> Result<bool, VolumeError> {
        let path = self.root.join(name);
        match rustix::fs::renameat_with(CWD, new, CWD, &path, RenameFlags::NOREPLACE) {
            Ok(()) => sync(&self.root).map(|()| true),
            Err(rustix::io::Errno::EXIST | rustix::io::Errno::NOTEMPTY) => Ok(false),
            Err(error) => Err(io_error("create", path)(error.into())),
        }
    }

    fn names(&self) -> Result<Vec<String>, VolumeError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(io_error("list", &self.root))? {
            let entry = entry.map_err(io_error("list", &self.root))?;
            // Names that are no text are not ours.
            names.extend(entry.file_name().into_string());
        }
        Ok(names)
    }

    fn aside(&self, prefix: &str) -> PathBuf {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.root
            .join(format!("{prefix}{}-{next}", std::process::id()))
    }

    fn erase_path(&self, path: &Path) -> Result<(), VolumeError> {
        match path.file_name().and_then(|name| name.to_str()) {
            Some(name) => self.erase(name),
            None => Ok(()),
        }
    }

    fn erase(&self, name: &str) -> Result<(), VolumeError> {
        let path = self.root.join(name);
        let root = File::open(&self.root).map_err(io_error("open", &self.root))?;
        tree::remove(root.as_fd(), name.as_bytes()).map_err(io_error("remove", path))
    }
}

/// Whether something is mounted exactly here.
fn is_mount_root(path: &Path) -> Result<bool, VolumeError> {
    dhow_sys::mount::is_mount_root(path).map_err(io_error("look at", path))
}

/// Makes renames and creations in a directory last.
fn sync(dir: &Path) -> Result<(), VolumeError> {
    File::open(dir)
        .and_then(|opened| opened.sync_all())
        .map_err(io_error("sync", dir))
}
