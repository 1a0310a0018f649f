//! What the machine below can do: read once when the engine opens, from `/proc`,
//! `/sys` and `/etc/os-release`.

use std::fs;
use std::path::Path;

use dhow_runtime::spec::resources::Support;

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
    pub support: Support,
    pub has_app_armor: bool,
    /// Whether the kernel filters system calls.
    pub has_seccomp: bool,
    /// What this process may hand on to containers.
    pub capabilities: Vec<oci_spec::runtime::Capability>,
    /// Paths to hide that depend on the machine.
    pub masked_paths: Vec<String>,
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
            support: Support {
                memory_limit: has("memory"),
                swap_limit: if unified {
                    Path::new("/proc/swaps").exists()
                } else {
                    v1("memory/memory.memsw.limit_in_bytes")
                },
                memory_reservation: has("memory"),
                memory_swappiness: v1("memory/memory.swappiness"),
                oom_kill_disable: v1("memory/memory.oom_control"),
                pids_limit: has("pids"),
                cpu_shares: has("cpu"),
                cpu_cfs: if unified {
                    has("cpu")
                } else {
                    v1("cpu/cpu.cfs_quota_us")
                },
                cpuset: has("cpuset"),
                cpus: list_of("/sys/devices/system/cpu/online"),
                mems: list_of("/sys/devices/system/node/online"),
                cpu_count: cpus,
                blkio_weight: if unified {
                    has("io")
                } else {
                    v1("blkio/blkio.weight") || v1("blkio/blkio.bfq.weight")
                },
                blkio_weight_device: v1("blkio/blkio.weight_device"),
                blkio_read_bps: unified && has("io") || v1("blkio/blkio.throttle.read_bps_device"),
                blkio_write_bps: unified && has("io")
                    || v1("blkio/blkio.throttle.write_bps_device"),
                blkio_read_iops: unified && has("io")
                    || v1("blkio/blkio.throttle.read_iops_device"),
                blkio_write_iops: unified && has("io")
                    || v1("blkio/blkio.throttle.write_iops_device"),
            },
            has_app_armor: super::app_armor::is_supported(),
            has_seccomp: Path::new("/proc/sys/kernel/seccomp").exists(),
            capabilities: dhow_runtime::spec::capability::from_mask(effective_capabilities()),
            masked_paths: thermal_throttle_paths(),
        }
    }

    /// The machine as the spec builder needs to know it.
    pub fn for_specs(&self) -> dhow_runtime::spec::Host {
        dhow_runtime::spec::Host {
            architecture: dhow_model::Platform::host().architecture().to_owned(),
            kernel: kernel_numbers(&self.kernel),
            capabilities: self.capabilities.clone(),
            unified_cgroups: self.cgroup_version == 2,
            masked_paths: self.masked_paths.clone(),
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
        warn(!self.support.memory_limit, "No memory limit support");
        warn(!self.support.swap_limit, "No swap limit support");
        warn(!self.support.cpu_cfs, "No cpu cfs quota support");
        warn(!self.support.cpuset, "No cpuset support");
        warn(!self.support.pids_limit, "No pids limit support");
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

/// Counters that tell what else the processors are doing:
/// dockerd hides them as well.
fn thermal_throttle_paths() -> Vec<String> {
    let cpus = fs::read_dir("/sys/devices/system/cpu")
        .into_iter()
        .flatten();
    let mut paths: Vec<String> = cpus
        .flatten()
        .map(|cpu| cpu.path().join("thermal_throttle"))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    paths.sort();
    paths
}

/// The first two numbers of a release such as `6.18.44-x`.
fn kernel_numbers(release: &str) -> (u32, u32) {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// A list such as `0-3`; one where the kernel does not say.
fn list_of(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    match text.trim() {
        "" => "0".to_owned(),
        list => list.to_owned(),
    }
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
