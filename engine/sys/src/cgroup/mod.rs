//! Control groups in the three layouts there are: version 2 alone, version 1
//! alone, and the hybrid of version 1 controllers with an empty version 2
//! tree. A container's cgroup is one path that exists in every hierarchy.
//!
//! Making the cgroup and its first limits is the OCI runtime's work; here it is
//! watched, measured, changed, frozen, emptied and removed.

mod devices;
mod limits;
mod oom;
mod stats;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use devices::{DeviceKind, DeviceRule};
pub use limits::{LimitError, Limits};
pub use oom::OomWatch;
pub use stats::{BlockIo, BlockIoEntry, Cpu, Memory, Pids, Stats};

/// How the kernel's controllers are mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Version 1 controllers only.
    V1,
    /// Version 1 controllers, and a version 2 tree without any.
    Hybrid,
    /// Version 2 only.
    V2,
}

/// Where the hierarchies are mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchies {
    /// Version 1: mount point and its controllers (`cpu`, `cpuacct`, …).
    v1: Vec<(PathBuf, Vec<String>)>,
    /// The version 2 tree.
    v2: Option<PathBuf>,
}

/// One cgroup, which need not exist (any more).
#[derive(Debug, Clone)]
pub struct Cgroup {
    hierarchies: Hierarchies,
    /// Below each mount point, without leading slash.
    path: PathBuf,
}

const PROCS: &str = "cgroup.procs";

impl Hierarchies {
    /// Reads the calling process's mount table.
    pub fn detect() -> io::Result<Self> {
        Ok(Self::parse(&fs::read_to_string("/proc/self/mountinfo")?))
    }

    fn parse(mountinfo: &str) -> Self {
        let mut found = Self {
            v1: Vec::new(),
            v2: None,
        };
        for line in mountinfo.lines() {
            let Some((mount, filesystem)) = line.split_once(" - ") else {
                continue;
            };
            let mut fields = filesystem.split(' ');
            let kind = fields.next().unwrap_or_default();
            let (root, point) = match mount.split(' ').collect::<Vec<_>>()[..] {
                [_, _, _, root, point, ..] => (root, PathBuf::from(point)),
                _ => continue,
            };
            // A bind of some inner cgroup is not the hierarchy.
            if root != "/" {
                continue;
            }
            match kind {
                "cgroup2" if found.v2.is_none() => found.v2 = Some(point),
                "cgroup" => {
                    let options = fields.nth(1).unwrap_or_default();
                    let flag = |option: &&str| !matches!(*option, "rw" | "ro" | "xattr");
                    let names: Vec<String> =
                        options.split(',').filter(flag).map(str::to_owned).collect();
                    if !found.v1.iter().any(|(_, known)| *known == names) {
                        found.v1.push((point, names));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// The layout these mounts make.
    pub fn layout(&self) -> Layout {
        let controllers = self
            .v1
            .iter()
            .any(|(_, names)| names.iter().any(|name| !name.starts_with("name=")));
        match (controllers, &self.v2) {
            (true, Some(_)) => Layout::Hybrid,
            (false, Some(_)) => Layout::V2,
            (_, None) => Layout::V1,
        }
    }

    /// Whether limits of `controller` (version 1 name, such as `memory`) can
    /// be set at all.
    pub fn has_controller(&self, controller: &str) -> bool {
        match (self.layout(), &self.v2) {
            (Layout::V2, Some(root)) => {
                let name = match controller {
                    "cpuacct" => "cpu",
                    "blkio" => "io",
                    other => other,
                };
                // Freezer and device rules need no controller in version 2.
                matches!(name, "freezer" | "devices")
                    || fs::read_to_string(root.join("cgroup.controllers"))
                        .is_ok_and(|all| all.split_whitespace().any(|c| c == name))
            }
            _ => self.v1_root(controller).is_some(),
        }
    }

    /// Whether swap is accounted for, so that it can be limited.
    pub fn has_swap_accounting(&self) -> bool {
        match (self.layout(), &self.v2) {
            // The root has no such file, so ask any cgroup below it.
            (Layout::V2, Some(root)) => fs::read_dir(root).is_ok_and(|entries| {
                entries
                    .flatten()
                    .any(|entry| entry.path().join("memory.swap.max").exists())
            }),
            _ => self
                .v1_root("memory")
                .is_some_and(|root| root.join("memory.memsw.limit_in_bytes").exists()),
        }
    }

    /// The cgroup at `path`, absolute within each hierarchy.
    pub fn cgroup(&self, path: &str) -> Cgroup {
        Cgroup {
            hierarchies: self.clone(),
            path: PathBuf::from(path.trim_start_matches('/')),
        }
    }

    fn v1_root(&self, controller: &str) -> Option<&Path> {
        let has = |(_, names): &&(PathBuf, Vec<String>)| names.iter().any(|n| n == controller);
        self.v1.iter().find(has).map(|(root, _)| root.as_path())
    }
}

impl Cgroup {
    /// The layout it lives in.
    pub fn layout(&self) -> Layout {
        self.hierarchies.layout()
    }

    /// Whether it exists anywhere.
    pub fn exists(&self) -> bool {
        self.directories().any(|dir| dir.is_dir())
    }

    /// Makes it in every hierarchy where it is not, without limits.
    pub fn create(&self) -> io::Result<()> {
        for dir in self.directories() {
            fs::create_dir_all(dir)?;
        }
        Ok(())
    }

    /// Moves a process into it, in every hierarchy where it exists; 0 is the
    /// caller. Fails if it exists nowhere.
    pub fn add(&self, pid: u32) -> io::Result<()> {
        let mut joined = false;
        for dir in self.directories() {
            match fs::write(dir.join(PROCS), pid.to_string()) {
                Ok(()) => joined = true,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        match joined {
            true => Ok(()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// All processes in it and in cgroups below it.
    pub fn pids(&self) -> io::Result<Vec<u32>> {
        let mut pids = Vec::new();
        if let Some(dir) = self.population() {
            collect(&dir, &mut pids)?;
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }

    /// Stops all its processes where they are, and waits until they stand.
    pub fn freeze(&self) -> io::Result<()> {
        match self.freezer() {
            Freezer::V2(dir) => {
                fs::write(dir.join("cgroup.freeze"), "1")?;
                let frozen = || {
                    fs::read_to_string(dir.join("cgroup.events"))
                        .map(|events| value_of(&events, "frozen") == Some(1))
                };
                wait_for(frozen)
            }
            Freezer::V1(dir) => {
                let file = dir.join("freezer.state");
                // The kernel may have to be asked again while processes fork.
                wait_for(|| {
                    fs::write(&file, "FROZEN")?;
                    Ok(fs::read_to_string(&file)?.trim() == "FROZEN")
                })
            }
            Freezer::None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Lets them go on.
    pub fn thaw(&self) -> io::Result<()> {
        match self.freezer() {
            Freezer::V2(dir) => fs::write(dir.join("cgroup.freeze"), "0"),
            Freezer::V1(dir) => fs::write(dir.join("freezer.state"), "THAWED"),
            Freezer::None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Kills everything in it, frozen or not, and waits until it is empty of
    /// all but zombies; gives up with `TimedOut` after `patience`.
    pub fn kill(&self, patience: Duration) -> io::Result<()> {
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_micros(200);
        loop {
            let pids = self.pids()?;
            if pids.iter().all(|pid| is_zombie(*pid)) {
                return Ok(());
            }
            if self.layout() != Layout::V2 || self.kill_all_at_once().is_err() {
                for pid in pids {
                    // Gone already, or reused by a process outside: asking the
                    // kernel for membership again closes most of that window.
                    if let Ok(process) = crate::pidfd::PidFd::open(pid)
                        && self.pids()?.contains(&pid)
                    {
                        let _ = process.signal(libc::SIGKILL);
                    }
                }
                let _ = self.thaw();
            }
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Removes it and all cgroups below it, from every hierarchy; it must be
    /// empty. Waits a little for the kernel to let go of dead processes.
    pub fn remove(&self) -> io::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(2);
        for dir in self.directories() {
            let mut pause = Duration::from_micros(500);
            loop {
                match remove_tree(&dir) {
                    Ok(()) => break,
                    Err(e) if e.kind() == io::ErrorKind::NotFound => break,
                    Err(e) if e.raw_os_error() == Some(libc::EBUSY) => {
                        if Instant::now() > deadline {
                            return Err(e);
                        }
                        std::thread::sleep(pause);
                        pause = (pause * 2).min(Duration::from_millis(50));
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(())
    }

    /// Removes it where nothing is in or below it; says nothing of the rest.
    pub fn remove_if_empty(&self) -> io::Result<()> {
        self.directories()
            .filter(|dir| dir.is_dir())
            .try_for_each(fs::remove_dir)
    }

    /// What it used so far. Controllers that are missing leave zeros.
    pub fn stats(&self) -> Stats {
        stats::read(self)
    }

    /// Changes limits: all of them, or, when the kernel refuses one, none.
    pub fn update(&self, limits: &Limits) -> Result<(), LimitError> {
        limits::apply(self, limits)
    }

    /// Restricts devices in version 2, where rules are no files: the last rule
    /// that fits decides, and what none allows is refused. In version 1 the
    /// OCI runtime writes the rules.
    pub fn restrict_devices(&self, rules: &[DeviceRule]) -> io::Result<()> {
        devices::attach(self, rules)
    }

    /// Watches for processes killed for want of memory.
    pub fn watch_oom(&self) -> io::Result<OomWatch> {
        OomWatch::new(self)
    }

    /// The most memory it has had, in bytes; version 2 keeps it since Linux
    /// 5.19.
    pub fn memory_peak(&self) -> Option<u64> {
        stats::memory_peak(self)
    }

    /// How often the kernel killed one of its processes for want of memory.
    pub fn oom_kills(&self) -> u64 {
        oom::kills(self)
    }

    /// Its directory in the hierarchy of a version 1 controller.
    fn v1_dir(&self, controller: &str) -> Option<PathBuf> {
        let root = self.hierarchies.v1_root(controller)?;
        Some(root.join(&self.path))
    }

    fn v2_dir(&self) -> Option<PathBuf> {
        Some(self.hierarchies.v2.as_ref()?.join(&self.path))
    }

    /// Its directories in all hierarchies.
    fn directories(&self) -> impl Iterator<Item = PathBuf> + '_ {
        let v1 = self.hierarchies.v1.iter().map(|(root, _)| root);
        v1.chain(&self.hierarchies.v2)
            .map(|root| root.join(&self.path))
    }

    /// A directory whose `cgroup.procs` tells who is in it.
    fn population(&self) -> Option<PathBuf> {
        match self.layout() {
            Layout::V2 => self.v2_dir(),
            _ => ["freezer", "pids", "memory", "devices", "cpu"]
                .iter()
                .filter_map(|controller| self.v1_dir(controller))
                .find(|dir| dir.is_dir()),
        }
    }

    fn freezer(&self) -> Freezer {
        match (self.layout(), self.v1_dir("freezer"), self.v2_dir()) {
            (Layout::V2, _, Some(dir)) => Freezer::V2(dir),
            (_, Some(dir), _) => Freezer::V1(dir),
            _ => Freezer::None,
        }
    }

    fn kill_all_at_once(&self) -> io::Result<()> {
        let dir = self.v2_dir().ok_or(io::ErrorKind::Unsupported)?;
        fs::write(dir.join("cgroup.kill"), "1")
    }
}

enum Freezer {
    V1(PathBuf),
    V2(PathBuf),
    None,
}

fn wait_for(mut reached: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut pause = Duration::from_micros(100);
    while !reached()? {
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    Ok(())
}

fn collect(dir: &Path, pids: &mut Vec<u32>) -> io::Result<()> {
    match fs::read_to_string(dir.join(PROCS)) {
        Ok(text) => pids.extend(text.lines().filter_map(|line| line.parse::<u32>().ok())),
        Err(e) if is_gone(&e) => return Ok(()),
        // A threaded cgroup tells its processes only at its root.
        Err(e) if e.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
        Err(e) => return Err(e),
    }
    for child in children(dir) {
        collect(&child, pids)?;
    }
    Ok(())
}

fn children(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

fn remove_tree(dir: &Path) -> io::Result<()> {
    match fs::remove_dir(dir) {
        Err(e) if e.raw_os_error() == Some(libc::EBUSY) => {
            for child in children(dir) {
                remove_tree(&child)?;
            }
            fs::remove_dir(dir)
        }
        result => result,
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV))
}

fn is_zombie(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        // The name may hold anything, but no parenthesis follows it.
        Ok(stat) => stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
        Err(_) => true,
    }
}

/// The number after `key` in a table of `key value` lines.
fn value_of(table: &str, key: &str) -> Option<u64> {
    let mut values = table
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| *name == key);
    values.next()?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests;
