//! What is mounted in a container: what every container needs, what it was
//! asked to have, and in which order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dhow_model::mount::{Kind, Point, Propagation};
use dhow_model::{ErrorKind, HasKind};
use oci_spec::runtime::{Mount, MountBuilder};
use serde::{Deserialize, Serialize};

mod propagation;

pub use propagation::check_propagation;

/// How far a mount cannot be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadOnly {
    /// It can.
    #[default]
    No,
    /// It cannot, what is mounted below it can.
    Shallow,
    /// Nothing below it can either.
    Recursive,
}

/// A mount asked for, with its source looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserMount {
    /// A file or directory of the host: a bind, a volume, `/etc/hosts`.
    Bind {
        /// The host's path.
        source: PathBuf,
        /// The container's path.
        destination: String,
        /// How far it cannot be written.
        read_only: ReadOnly,
        /// How mounts spread.
        propagation: Propagation,
        /// Whether the source's own submounts come along.
        recursive: bool,
    },
    /// Memory.
    Tmpfs {
        /// The container's path.
        destination: String,
        /// As `mount -o` takes them; they override the defaults.
        options: Vec<String>,
    },
}

/// Where `/dev/shm` comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shm {
    /// There is none.
    None,
    /// A tmpfs of this many bytes.
    Private(i64),
    /// That of the host or of another container.
    Bind(PathBuf),
}

impl Default for Shm {
    fn default() -> Self {
        Self::Private(64 << 20)
    }
}

/// A mount that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMountPlan {
    /// A tmpfs option nobody knows.
    #[error("invalid tmpfs option [{0:?}]")]
    TmpfsOption(String),
    /// Contradicting options of a read-only bind.
    #[error("mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive")]
    ReadOnlyConflict,
    /// Mounts cannot spread from where they do not.
    #[error("path {path} is mounted on {mounted_on} but it is not a {needed} mount")]
    Propagation {
        /// The source.
        path: String,
        /// The mount it is on.
        mounted_on: String,
        /// `shared` or `shared or slave`.
        needed: &'static str,
    },
    /// No mount holds the source, which cannot be.
    #[error("Can't find mount point of {0}")]
    NoMountPoint(String),
}

impl HasKind for InvalidMountPlan {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl UserMount {
    /// The mount of a checked [`Point`]; `source` is where its volume, image or
    /// bind is on the host.
    pub fn from_point(point: &Point, source: PathBuf) -> Result<Self, InvalidMountPlan> {
        let destination = point.destination.clone();
        if point.spec.kind == Kind::Tmpfs {
            let options = point.spec.tmpfs_options().unwrap_or_default();
            return Ok(Self::Tmpfs {
                destination,
                options,
            });
        }
        let bind = point.spec.bind.clone().unwrap_or_default();
        let read_only = match (
            point.writable,
            bind.read_only_non_recursive,
            bind.read_only_force_recursive,
        ) {
            (true, ..) => ReadOnly::No,
            (false, true, true) => return Err(InvalidMountPlan::ReadOnlyConflict),
            (false, true, false) => ReadOnly::Shallow,
            (false, false, _) => ReadOnly::Recursive,
        };
        Ok(Self::Bind {
            source,
            destination,
            read_only,
            propagation: point.propagation,
            recursive: !bind.non_recursive,
        })
    }

    /// A file the engine makes for the container, such as `/etc/hosts`.
    pub fn file(source: &Path, destination: &str, read_only: bool) -> Self {
        Self::Bind {
            source: source.to_owned(),
            destination: destination.to_owned(),
            read_only: match read_only {
                true => ReadOnly::Shallow,
                false => ReadOnly::No,
            },
            propagation: Propagation::RPrivate,
            recursive: true,
        }
    }

    /// The container's path.
    pub fn destination(&self) -> &str {
        match self {
            Self::Bind { destination, .. } | Self::Tmpfs { destination, .. } => destination,
        }
    }
}

/// What [`build`] decides by.
pub(super) struct Wishes<'a> {
    pub mounts: &'a [UserMount],
    pub shm: &'a Shm,
    pub init: Option<&'a Path>,
    pub read_only_root: bool,
    pub privileged: bool,
    pub writable_cgroups: bool,
}

/// Where the init program is mounted.
pub(super) const INIT: &str = "/sbin/docker-init";

/// Where the cgroup tree is mounted.
pub(super) const CGROUP: &str = "/sys/fs/cgroup";

/// Every place where a hierarchy of cgroup v1 may be mounted, and the tree
/// itself first. Those that are not there are passed over.
pub(super) fn cgroup_v1_paths() -> impl Iterator<Item = String> {
    const HIERARCHIES: &[&str] = &[
        "blkio",
        "cpu",
        "cpu,cpuacct",
        "cpuacct",
        "cpuset",
        "devices",
        "freezer",
        "hugetlb",
        "memory",
        "misc",
        "net_cls",
        "net_cls,net_prio",
        "net_prio",
        "perf_event",
        "pids",
        "rdma",
        "systemd",
        "unified",
    ];
    let below = HIERARCHIES.iter().map(|name| format!("{CGROUP}/{name}"));
    std::iter::once(CGROUP.to_owned()).chain(below)
}

/// All mounts in the order they are made.
pub(super) fn build(wishes: &Wishes<'_>) -> Result<Vec<Mount>, InvalidMountPlan> {
    let mut asked: Vec<&UserMount> = wishes.mounts.iter().collect();
    // What lies deeper comes later, so that nothing is hidden.
    asked.sort_by_key(|mount| depth(mount.destination()));
    let taken: BTreeSet<&str> = asked.iter().map(|mount| mount.destination()).collect();
    let hidden =
        |path: &str| taken.contains(path) || (taken.contains("/dev") && path.starts_with("/dev/"));

    let mut mounts = Vec::new();
    for (destination, kind, options) in ESSENTIAL {
        if hidden(destination) {
            continue;
        }
        let keep = |option: &str| {
            let writable = match *destination {
                "/sys" => wishes.privileged,
                CGROUP => wishes.writable_cgroups,
                _ => false,
            };
            option != "ro" || !writable
        };
        let mut options: Vec<&str> = options
            .iter()
            .copied()
            .filter(|option| keep(option))
            .collect();
        let privileged_sys = wishes.privileged && destination.starts_with("/sys");
        if wishes.read_only_root
            && !privileged_sys
            && !ALWAYS_WRITABLE.contains(destination)
            && !options.contains(&"ro")
        {
            options.push("ro");
        }
        mounts.push(entry(destination, kind, kind.as_ref(), &options));
    }
    if !hidden("/dev/shm") {
        mounts.extend(shm(wishes.shm));
    }
    if let Some(init) = wishes.init {
        mounts.push(entry(INIT, "bind", init, &["bind", "ro"]));
    }
    for mount in asked {
        mounts.push(mount.to_oci()?);
    }
    Ok(mounts)
}

/// One mount of the OCI spec.
pub(super) fn entry(destination: &str, kind: &str, source: &Path, options: &[&str]) -> Mount {
    let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
    MountBuilder::default()
        .destination(destination)
        .typ(kind)
        .source(source)
        .options(options)
        .build()
        .expect("every field has a default")
}

/// The propagation the root mount needs, so that what spreads can spread and
/// nothing else does.
pub(super) fn root_propagation(mounts: &[UserMount]) -> Option<&'static str> {
    let all = mounts.iter().filter_map(|mount| match mount {
        UserMount::Bind { propagation, .. } => Some(*propagation),
        UserMount::Tmpfs { .. } => None,
    });
    let mut needed = Some("private");
    for propagation in all {
        match propagation {
            Propagation::Shared | Propagation::RShared => return Some("shared"),
            // Always recursive; the runtime knows the short word only.
            Propagation::Slave | Propagation::RSlave => needed = Some("slave"),
            Propagation::Private | Propagation::RPrivate => {}
        }
    }
    needed
}

impl UserMount {
    fn to_oci(&self) -> Result<Mount, InvalidMountPlan> {
        match self {
            Self::Bind {
                source,
                destination,
                read_only,
                propagation,
                recursive,
            } => {
                let mut options = vec![if *recursive { "rbind" } else { "bind" }];
                match read_only {
                    ReadOnly::No => {}
                    ReadOnly::Shallow => options.push("ro"),
                    ReadOnly::Recursive => options.push("rro"),
                }
                options.push(propagation.as_str());
                Ok(entry(destination, "bind", source, &options))
            }
            Self::Tmpfs {
                destination,
                options,
            } => {
                let options = tmpfs_options(options)?;
                let options: Vec<&str> = options.iter().map(String::as_str).collect();
                Ok(entry(destination, "tmpfs", "tmpfs".as_ref(), &options))
            }
        }
    }
}

/// The defaults of a tmpfs overridden by what was asked: the last word on each
/// matter counts.
fn tmpfs_options(asked: &[String]) -> Result<Vec<String>, InvalidMountPlan> {
    let asked = asked.iter().flat_map(|options| options.split(','));
    let mut seen = BTreeSet::new();
    let mut merged = Vec::new();
    for option in TMPFS
        .iter()
        .copied()
        .chain(asked)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        if matches!(option, "" | "defaults") {
            continue;
        }
        let matter = match option.split_once('=') {
            Some((key, _)) if TMPFS_KEYS.contains(&key) => key,
            Some((key, _)) => return Err(InvalidMountPlan::TmpfsOption(key.to_owned())),
            None => flag_matter(option)
                .ok_or_else(|| InvalidMountPlan::TmpfsOption(option.to_owned()))?,
        };
        if seen.insert(matter) {
            merged.push(option.to_owned());
        }
    }
    merged.reverse();
    Ok(merged)
}

const TMPFS: &[&str] = &["noexec", "nosuid", "nodev", "rprivate"];
const TMPFS_KEYS: &[&str] = &[
    "size",
    "mode",
    "uid",
    "gid",
    "nr_inodes",
    "nr_blocks",
    "mpol",
];

/// What a flag is about, so that `exec` and `noexec` override each other.
fn flag_matter(flag: &str) -> Option<&str> {
    match flag {
        "ro" | "rw" => Some("ro"),
        "atime" | "noatime" => Some("atime"),
        "diratime" | "nodiratime" => Some("diratime"),
        "relatime" | "norelatime" => Some("relatime"),
        "strictatime" | "nostrictatime" => Some("strictatime"),
        "exec" | "noexec" => Some("exec"),
        "suid" | "nosuid" => Some("suid"),
        "dev" | "nodev" => Some("dev"),
        "sync" | "async" => Some("sync"),
        "dirsync" => Some("dirsync"),
        "private" | "rprivate" | "slave" | "rslave" | "shared" | "rshared" | "unbindable"
        | "runbindable" => Some("propagation"),
        _ => None,
    }
}

fn shm(shm: &Shm) -> Option<Mount> {
    match shm {
        Shm::None => None,
        Shm::Private(size) => {
            let size = format!("size={size}");
            let options = ["nosuid", "noexec", "nodev", "mode=1777", &size];
            Some(entry("/dev/shm", "tmpfs", "shm".as_ref(), &options))
        }
        Shm::Bind(source) => Some(entry("/dev/shm", "bind", source, &["rbind", "rprivate"])),
    }
}

fn depth(path: &str) -> usize {
    path.split('/').filter(|part| !part.is_empty()).count()
}

/// What every container has: place, type, options.
const ESSENTIAL: &[(&str, &str, &[&str])] = &[
    ("/proc", "proc", &["nosuid", "noexec", "nodev"]),
    (
        "/dev",
        "tmpfs",
        &["nosuid", "strictatime", "mode=755", "size=65536k"],
    ),
    (
        "/dev/pts",
        "devpts",
        &[
            "nosuid",
            "noexec",
            "newinstance",
            "ptmxmode=0666",
            "mode=0620",
            "gid=5",
        ],
    ),
    ("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
    (CGROUP, "cgroup", &["ro", "nosuid", "noexec", "nodev"]),
    ("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
];

/// Writable even under a read-only root.
const ALWAYS_WRITABLE: &[&str] = &["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"];

#[cfg(test)]
mod tests;
