//! Limits held against what the kernel can limit: Docker's own order of
//! checks, its warnings and its refusals.

use std::collections::BTreeSet;

use dhow_model::{ErrorKind, HasKind};

use super::Resources;

/// What this host can limit, in Docker's terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Support {
    /// Memory.
    pub memory_limit: bool,
    /// Memory and swap together.
    pub swap_limit: bool,
    /// Memory that is taken away last.
    pub memory_reservation: bool,
    /// The inclination to swap.
    pub memory_swappiness: bool,
    /// Stopping instead of killing when memory runs out.
    pub oom_kill_disable: bool,
    /// The number of tasks.
    pub pids_limit: bool,
    /// Shares of processor time.
    pub cpu_shares: bool,
    /// Quotas of processor time.
    pub cpu_cfs: bool,
    /// Sets of processors and memory nodes.
    pub cpuset: bool,
    /// The processors there are, as `0-3`.
    pub cpus: String,
    /// The memory nodes there are.
    pub mems: String,
    /// How many processors there are.
    pub cpu_count: usize,
    /// Weights of block IO.
    pub blkio_weight: bool,
    /// The same for single devices.
    pub blkio_weight_device: bool,
    /// Bytes read in a second.
    pub blkio_read_bps: bool,
    /// Bytes written in a second.
    pub blkio_write_bps: bool,
    /// Reads in a second.
    pub blkio_read_iops: bool,
    /// Writes in a second.
    pub blkio_write_iops: bool,
}

/// A limit that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResources {
    /// Shares below 0.
    #[error("invalid CPU shares ({0}): value must be a positive integer")]
    CpuShares(i64),
    /// Less memory than any program needs.
    #[error("Minimum memory limit allowed is 6MB")]
    MemoryTooSmall,
    /// Together less than alone.
    #[error("Minimum memoryswap limit should be larger than memory limit, see usage")]
    SwapBelowMemory,
    /// A limit of the sum without one of its part.
    #[error("You should always set the Memory limit when using Memoryswap limit, see usage")]
    SwapWithoutMemory,
    /// Not 0 to 100.
    #[error("Invalid value: {0}, valid memory swappiness range is 0-100")]
    Swappiness(i64),
    /// Reserved less than any program needs.
    #[error("Minimum memory reservation allowed is 6MB")]
    ReservationTooSmall,
    /// Reserved more than there may be.
    #[error("Minimum memory limit can not be less than memory reservation limit, see usage")]
    ReservationAboveMemory,
    /// Two ways of saying it.
    #[error("Conflicting options: Nano CPUs and CPU Period cannot both be set")]
    NanoAndPeriod,
    /// Two ways of saying it.
    #[error("Conflicting options: Nano CPUs and CPU Quota cannot both be set")]
    NanoAndQuota,
    /// The kernel has no quotas.
    #[error(
        "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted"
    )]
    NoQuotas,
    /// More processors than there are, or fewer than none.
    #[error("range of CPUs is from 0.01 to {0}.00, as there are only {0} CPUs available")]
    NanoCpus(usize),
    /// Not a millisecond to a second.
    #[error("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")]
    CpuPeriod,
    /// Less than a millisecond.
    #[error("CPU cfs quota can not be less than 1ms (i.e. 1000)")]
    CpuQuota,
    /// A list that is none.
    #[error("Invalid value {list} for cpuset {what}: invalid format: {list}")]
    List {
        /// `cpus` or `mems`.
        what: &'static str,
        /// What was given.
        list: String,
    },
    /// Processors or nodes there are not.
    #[error("Requested {what} are not available - requested {requested}, available: {available}")]
    Unavailable {
        /// `CPUs` or `memory nodes`.
        what: &'static str,
        /// What was asked for.
        requested: String,
        /// What there is.
        available: String,
    },
    /// Not 10 to 1000.
    #[error("Range of blkio weight is from 10 to 1000")]
    BlkioWeight,
}

impl HasKind for InvalidResources {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

const LEAST_MEMORY: i64 = 6 << 20;
/// No kernel has more processors; a list may not be longer than that.
const MOST_CPUS: u32 = 8192;

impl Resources {
    /// Drops what the host cannot limit, with a warning for each, and refuses
    /// what contradicts itself. `update` allows a sum that is set without its
    /// part.
    pub fn adjust(
        &mut self,
        support: &Support,
        update: bool,
    ) -> Result<Vec<String>, InvalidResources> {
        let mut warnings = Vec::new();
        self.adjust_memory(support, update, &mut warnings)?;
        self.adjust_cpu(support, &mut warnings)?;
        self.adjust_block_io(support, &mut warnings)?;
        Ok(warnings)
    }

    fn adjust_memory(
        &mut self,
        support: &Support,
        update: bool,
        warnings: &mut Vec<String>,
    ) -> Result<(), InvalidResources> {
        let mut warn = |text: &str| warnings.push(text.to_owned());
        if self.memory_swappiness == Some(-1) {
            self.memory_swappiness = None;
        }
        if self.memory != 0 && self.memory < LEAST_MEMORY {
            return Err(InvalidResources::MemoryTooSmall);
        }
        if self.memory > 0 && !support.memory_limit {
            warn(
                "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
            );
            (self.memory, self.memory_swap) = (0, -1);
        }
        if self.memory > 0 && self.memory_swap != -1 && !support.swap_limit {
            warn(
                "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.",
            );
            self.memory_swap = -1;
        }
        if self.memory > 0 && self.memory_swap > 0 && self.memory_swap < self.memory {
            return Err(InvalidResources::SwapBelowMemory);
        }
        if self.memory == 0 && self.memory_swap > 0 && !update {
            return Err(InvalidResources::SwapWithoutMemory);
        }
        if self.memory_swappiness.is_some() && !support.memory_swappiness {
            warn(
                "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
            );
            self.memory_swappiness = None;
        }
        if let Some(swappiness) = self.memory_swappiness
            && !(0..=100).contains(&swappiness)
        {
            return Err(InvalidResources::Swappiness(swappiness));
        }
        if self.memory_reservation > 0 && !support.memory_reservation {
            warn(
                "Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.",
            );
            self.memory_reservation = 0;
        }
        if self.memory_reservation > 0 && self.memory_reservation < LEAST_MEMORY {
            return Err(InvalidResources::ReservationTooSmall);
        }
        if self.memory > 0 && self.memory_reservation > 0 && self.memory < self.memory_reservation {
            return Err(InvalidResources::ReservationAboveMemory);
        }
        if !support.oom_kill_disable && self.oom_kill_disable.take() == Some(true) {
            warn("Your kernel does not support OomKillDisable. OomKillDisable discarded.");
        }
        if self.oom_kill_disable == Some(true) && self.memory == 0 {
            warn(
                "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
            );
        }
        if !support.pids_limit && self.pids_limit.take().is_some_and(|limit| limit > 0) {
            warn(
                "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
            );
        }
        Ok(())
    }

    fn adjust_cpu(
        &mut self,
        support: &Support,
        warnings: &mut Vec<String>,
    ) -> Result<(), InvalidResources> {
        let mut warn = |text: &str| warnings.push(text.to_owned());
        if self.nano_cpus > 0 && self.cpu_period > 0 {
            return Err(InvalidResources::NanoAndPeriod);
        }
        if self.nano_cpus > 0 && self.cpu_quota > 0 {
            return Err(InvalidResources::NanoAndQuota);
        }
        if self.nano_cpus > 0 && !support.cpu_cfs {
            return Err(InvalidResources::NoQuotas);
        }
        let count = i64::try_from(support.cpu_count).unwrap_or(i64::MAX);
        if self.nano_cpus < 0 || self.nano_cpus > count.saturating_mul(1_000_000_000) {
            return Err(InvalidResources::NanoCpus(support.cpu_count));
        }
        if self.cpu_shares < 0 {
            return Err(InvalidResources::CpuShares(self.cpu_shares));
        }
        if self.cpu_shares > 0 && !support.cpu_shares {
            warn(
                "Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.",
            );
            self.cpu_shares = 0;
        }
        if (self.cpu_period != 0 || self.cpu_quota != 0) && !support.cpu_cfs {
            warn("Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.");
            (self.cpu_period, self.cpu_quota) = (0, 0);
        }
        if self.cpu_period != 0 && !(1000..=1_000_000).contains(&self.cpu_period) {
            return Err(InvalidResources::CpuPeriod);
        }
        if self.cpu_quota > 0 && self.cpu_quota < 1000 {
            return Err(InvalidResources::CpuQuota);
        }
        if (!self.cpuset_cpus.is_empty() || !self.cpuset_mems.is_empty()) && !support.cpuset {
            warn(
                "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.",
            );
            self.cpuset_cpus.clear();
            self.cpuset_mems.clear();
        }
        check_list("cpus", "CPUs", &self.cpuset_cpus, &support.cpus)?;
        check_list("mems", "memory nodes", &self.cpuset_mems, &support.mems)
    }

    fn adjust_block_io(
        &mut self,
        support: &Support,
        warnings: &mut Vec<String>,
    ) -> Result<(), InvalidResources> {
        let mut warn = |text: &str| warnings.push(text.to_owned());
        if self.blkio_weight > 0 && !support.blkio_weight {
            warn(
                "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
            );
            self.blkio_weight = 0;
        }
        if self.blkio_weight != 0 && !(10..=1000).contains(&self.blkio_weight) {
            return Err(InvalidResources::BlkioWeight);
        }
        if !self.blkio_weight_devices.is_empty() && !support.blkio_weight_device {
            warn(
                "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
            );
            self.blkio_weight_devices.clear();
        }
        for (list, supported, text) in [
            (
                &mut self.blkio_read_bps,
                support.blkio_read_bps,
                "Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.",
            ),
            (
                &mut self.blkio_write_bps,
                support.blkio_write_bps,
                "Your kernel does not support BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.",
            ),
            (
                &mut self.blkio_read_iops,
                support.blkio_read_iops,
                "Your kernel does not support IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.",
            ),
            (
                &mut self.blkio_write_iops,
                support.blkio_write_iops,
                "Your kernel does not support IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.",
            ),
        ] {
            if !list.is_empty() && !supported {
                warn(text);
                list.clear();
            }
        }
        Ok(())
    }
}

fn check_list(
    field: &'static str,
    what: &'static str,
    requested: &str,
    available: &str,
) -> Result<(), InvalidResources> {
    let wanted = parse_list(requested).ok_or_else(|| InvalidResources::List {
        what: field,
        list: requested.to_owned(),
    })?;
    let there = parse_list(available).unwrap_or_default();
    if wanted.is_subset(&there) {
        return Ok(());
    }
    Err(InvalidResources::Unavailable {
        what,
        requested: requested.to_owned(),
        available: available.to_owned(),
    })
}

/// Numbers of a list such as `0-2,4`.
fn parse_list(text: &str) -> Option<BTreeSet<u32>> {
    let mut numbers = BTreeSet::new();
    if text.is_empty() {
        return Some(numbers);
    }
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if last < first || last > MOST_CPUS {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests;
