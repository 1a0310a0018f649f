//! What is on disk below the store's root, and how it is opened.
//!
//! ```text
//! blobs/sha256/<hex>   whole and verified, or not there
//! layers/<hex>/diff    an unpacked layer, named by its diff id
//! layers/l/<n>         short link to ../<hex>/diff, for mount options
//! init/diff            mount points for images that lack them
//! tmp/                 work in progress; swept at open, but for
//! tmp/partial-<hex>    the first bytes of a blob, for the next attempt
//! images.db            images, names, layers, pins
//! ```
//!
//! Blobs are on disk (`fdatasync`) before they are acknowledged. Unpacked
//! layers are not: they carry the boot they were written in until a sync of the
//! whole file system has passed, and after a power cut they are unpacked again
//! from their blobs.

mod blobs;
mod error;
mod gc;
mod lease;
mod points;
mod schema;
mod settle;
mod sweep;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use dhow_model::Digest;
use rusqlite::Connection;
use rustix::fs::FlockOperation;
use rustix::io::Errno;

pub(crate) use blobs::sha256;
pub use error::StoreError;
pub(crate) use error::at;
pub use gc::Collected;
pub use lease::Lease;

/// How long the lock of a store that was just closed may linger: a thread of
/// its last user may still be writing to the disk.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Tells one boot of the machine from another. Layers written in an
    /// earlier boot and not known to be on disk are not trusted.
    pub boot_id: String,
}

impl OpenOptions {
    /// With the kernel's own boot id.
    pub fn this_boot() -> io::Result<Self> {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        Ok(Self {
            boot_id: boot_id.trim().to_owned(),
        })
    }
}

/// The image store. Cheap to clone; all clones are the same store.
#[derive(Debug, Clone)]
pub struct ImageStore {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    root: PathBuf,
    boot_id: String,
    db: Mutex<Connection>,
    /// Held while a file is made visible or collected.
    publish: Mutex<()>,
    next_temp: AtomicU64,
    leases: Mutex<HashMap<u64, HashSet<Digest>>>,
    /// Digests of blobs and layers that someone is fetching right now.
    pub(crate) flights: Mutex<HashSet<Digest>>,
    pub(crate) landed: Condvar,
    settling: AtomicBool,
    /// One engine per store: the lock lives as long as the store is open.
    _lock: File,
}

impl ImageStore {
    /// Opens the store at `root`, making it if there is none. Everything half
    /// done when it was last used is taken back.
    pub fn open(root: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        for dir in ["blobs/sha256", "layers/l", "tmp"] {
            let path = root.join(dir);
            std::fs::create_dir_all(&path).map_err(at("create", &path))?;
        }
        // Layers are made in `tmp`, several at once. A hint: without it they
        // only get in each other's way.
        let tmp = root.join("tmp");
        let tmp = File::open(&tmp).map_err(at("open", &tmp))?;
        let _ = dhow_sys::tree::spread_directories(tmp.as_fd());
        let lock = lock(root)?;
        let db = schema::open(&root.join("images.db"))?;
        let store = Self {
            inner: Arc::new(Inner {
                root: root.to_owned(),
                boot_id: options.boot_id,
                db: Mutex::new(db),
                publish: Mutex::new(()),
                next_temp: AtomicU64::new(0),
                leases: Mutex::default(),
                flights: Mutex::default(),
                landed: Condvar::new(),
                settling: AtomicBool::new(false),
                _lock: lock,
            }),
        };
        store.sweep()?;
        store.make_mount_points()?;
        Ok(store)
    }

    /// Where the store is.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    pub(crate) fn db(&self) -> MutexGuard<'_, Connection> {
        // A panic while the connection was held rolled its transaction back.
        self.inner.db.lock().unwrap_or_else(|p| p.into_inner())
    }

    pub(crate) fn publishing(&self) -> MutexGuard<'_, ()> {
        self.inner.publish.lock().unwrap_or_else(|p| p.into_inner())
    }

    pub(crate) fn boot_id(&self) -> &str {
        &self.inner.boot_id
    }

    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.inner.root.join("blobs/sha256").join(digest.hex())
    }

    pub(crate) fn layer_path(&self, diff_id: &Digest) -> PathBuf {
        self.inner.root.join("layers").join(diff_id.hex())
    }

    pub(crate) fn partial_path(&self, digest: &Digest) -> PathBuf {
        let name = format!("{}{}", sweep::PARTIAL, digest.hex());
        self.inner.root.join("tmp").join(name)
    }

    /// A new name in `tmp`, gone at the next open if nobody moves it away.
    pub(crate) fn temp_path(&self, what: &str) -> PathBuf {
        let number = self.inner.next_temp.fetch_add(1, Ordering::Relaxed);
        let name = format!("{what}-{}-{number}", std::process::id());
        self.inner.root.join("tmp").join(name)
    }
}

/// Keeps a second engine away from the same store.
fn lock(root: &Path) -> Result<File, StoreError> {
    let path = root.join("lock");
    let file = File::create(&path).map_err(at("create", &path))?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::WOULDBLOCK) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(Errno::WOULDBLOCK) => return Err(StoreError::InUse(root.to_owned())),
            Err(error) => return Err(at("lock", &path)(error.into())),
        }
    }
}

/// Moves `from` to a name in `tmp` and removes it there, so that it is gone at
/// once for everyone who looks.
pub(crate) fn discard(store: &ImageStore, from: &Path) -> Result<(), StoreError> {
    let aside = store.temp_path("trash");
    match std::fs::rename(from, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at("move", from)(error)),
    }
    remove_tree(&aside)
}

/// Removes `path` and all below it, however deep.
pub(crate) fn remove_tree(path: &Path) -> Result<(), StoreError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let parent = File::open(parent).map_err(at("open", parent))?;
    let name = std::os::unix::ffi::OsStrExt::as_bytes(name);
    dhow_sys::tree::remove(parent.as_fd(), name).map_err(at("remove", path))
}
