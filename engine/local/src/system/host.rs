//! What the machine below can do: read once when the engine opens, from `/proc`,
//! `/sys` and `/etc/os-release`.

use std::fs;
use std::path::Path;

use crate::containers::HostFacts;

/// The machine as `/info` describes it.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub name: String,
    pub kernel: String,
    pub operating_system: String,
    pub os_version: String,
    pub architecture: String,
    pub cpus: usize,
    /// Bytes.
    pub memory: i64,
    pub cgroup_version: u8,
    pub facts: HostFacts,
    pub has_app_armor: bool,
    /// Whether the kernel filters system calls.
    pub has_seccomp: bool,
    pub pids_limit: bool,
    pub cpu_quota: bool,
    pub cpuset: bool,
    pub memory_limit: bool,
}

impl Host {
    /// Looks at the running machine.
    pub fn read() -> Self {
        let uname = rustix::system::uname();
        let text = |c: &std::ffi::CStr| c.to_string_lossy().into_owned();
        let release = fs::read_to_string("/etc/os-release")
            .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
            .unwrap_or_default();
        let cpus = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN)
            .ok()
            .flatten()
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(1);
        let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        let controllers = if unified {
            fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default()
        } else {
            mounted_controllers(&fs::read_to_string("/proc/mounts").unwrap_or_default())
        };
        let has = |name: &str| controllers.split_whitespace().any(|c| c == name);
        let v1 = |file: &str| !unified && Path::new("/sys/fs/cgroup").join(file).exists();
        Self {
            name: text(uname.nodename()),
            kernel: text(uname.release()),
            operating_system: release_field(&release, "PRETTY_NAME")
                .unwrap_or_else(|| "Linux".to_owned()),
            os_version: release_field(&release, "VERSION_ID").unwrap_or_default(),
            architecture: text(uname.machine()),
            cpus,
            memory: total_memory(&fs::read_to_string("/proc/meminfo").unwrap_or_default()),
            cgroup_version: if unified { 2 } else { 1 },
            facts: HostFacts {
                cpus,
                swap_limit: if unified {
                    fs::read_to_string("/proc/swaps").is_ok()
                } else {
                    v1("memory/memory.memsw.limit_in_bytes")
                },
                oom_kill_disable: v1("memory/memory.oom_control"),
                swappiness: v1("memory/memory.swappiness"),
                blkio_weight: if unified {
                    Path::new("/sys/fs/cgroup/io.weight").exists()
                } else {
                    v1("blkio/blkio.weight") || v1("blkio/blkio.bfq.weight")
                },
                cpu_realtime: v1("cpu/cpu.rt_runtime_us"),
            },
            has_app_armor: fs::read_to_string("/sys/module/apparmor/parameters/enabled")
                .is_ok_and(|s| s.starts_with('Y')),
            has_seccomp: Path::new("/proc/sys/kernel/seccomp").exists(),
            pids_limit: has("pids"),
            cpu_quota: if unified {
                has("cpu")
            } else {
                v1("cpu/cpu.cfs_quota_us")
            },
            cpuset: has("cpuset"),
            memory_limit: has("memory"),
        }
    }

    /// What `/info` warns of, in dockerd's words where it has them.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |missing: bool, text: &str| {
            if missing {
                warnings.push(format!("WARNING: {text}"));
            }
        };
        warn(!self.memory_limit, "No memory limit support");
        warn(!self.facts.swap_limit, "No swap limit support");
        warn(!self.cpu_quota, "No cpu cfs quota support");
        warn(!self.cpuset, "No cpuset support");
        warn(!self.pids_limit, "No pids limit support");
        warn(
            !self.has_seccomp,
            "No seccomp support: containers run unconfined",
        );
        warn(
            !may_raise_limits(),
            "No CAP_SYS_RESOURCE: ulimits above the engine's own are refused, and privileged \
             containers lack what the engine lacks",
        );
        warnings
    }
}

/// Whether this process may raise resource limits (CAP_SYS_RESOURCE).
fn may_raise_limits() -> bool {
    const CAP_SYS_RESOURCE: u32 = 24;
    effective_capabilities() & (1 << CAP_SYS_RESOURCE) != 0
}

/// The capabilities this process has, as bits.
pub(crate) fn effective_capabilities() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok())
        .unwrap_or(0)
}

fn release_field(release: &str, key: &str) -> Option<String> {
    let line = release
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(line.trim_matches('"').to_owned())
}

/// The v1 controllers that are mounted, space-separated.
fn mounted_controllers(mounts: &str) -> String {
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let options = fields.nth(3)?;
            line.contains(" cgroup ").then(|| options.replace(',', " "))
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// `MemTotal` in bytes.
fn total_memory(meminfo: &str) -> i64 {
    meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<i64>().ok())
        .map_or(0, |kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_proc_and_release_files() {
        assert_eq!(
            total_memory("MemTotal:   2048 kB\nMemFree: 1 kB\n"),
            2 << 20
        );
        let release = "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n";
        assert_eq!(
            release_field(release, "PRETTY_NAME").as_deref(),
            Some("Debian GNU/Linux 12")
        );
        let mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n";
        assert!(mounted_controllers(mounts).contains("cpuacct"));
    }
}
