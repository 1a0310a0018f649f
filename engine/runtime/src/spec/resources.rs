//! Limits of a container, from the API's numbers to the OCI spec's.
//!
//! What this kernel cannot limit is dropped beforehand by [`Resources::adjust`].

use std::collections::HashMap;

use oci_spec::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxDeviceCgroup, LinuxMemory, LinuxPids, LinuxResources,
    LinuxThrottleDevice, LinuxThrottleDeviceBuilder, LinuxWeightDevice, LinuxWeightDeviceBuilder,
};
use serde::{Deserialize, Serialize};

mod adjust;

pub use adjust::{InvalidResources, Support};

/// Limits, in the API's units: 0 and `None` are not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Bytes of memory.
    pub memory: i64,
    /// Bytes of memory and swap together; -1 is without limit.
    pub memory_swap: i64,
    /// Bytes below which memory is not taken away first.
    pub memory_reservation: i64,
    /// Bytes of kernel memory (cgroup v1, old kernels).
    pub kernel_memory: i64,
    /// Bytes of TCP buffers (cgroup v1).
    pub kernel_memory_tcp: i64,
    /// 0 to 100; only cgroup v1 has it.
    pub memory_swappiness: Option<i64>,
    /// Whether running out of memory stops instead of killing (cgroup v1).
    pub oom_kill_disable: Option<bool>,
    /// Relative share of processor time.
    pub cpu_shares: i64,
    /// Microseconds of processor time in each period.
    pub cpu_quota: i64,
    /// Microseconds.
    pub cpu_period: i64,
    /// Billionths of a processor; sets quota and period.
    pub nano_cpus: i64,
    /// Microseconds.
    pub cpu_realtime_runtime: i64,
    /// Microseconds.
    pub cpu_realtime_period: i64,
    /// Which processors, as `0-2,4`.
    pub cpuset_cpus: String,
    /// Which memory nodes.
    pub cpuset_mems: String,
    /// How many tasks; 0 and below are without limit.
    pub pids_limit: Option<i64>,
    /// 10 to 1000.
    pub blkio_weight: u16,
    /// The same for single devices.
    pub blkio_weight_devices: Vec<DeviceWeight>,
    /// Bytes read in a second.
    pub blkio_read_bps: Vec<DeviceRate>,
    /// Bytes written in a second.
    pub blkio_write_bps: Vec<DeviceRate>,
    /// Reads in a second.
    pub blkio_read_iops: Vec<DeviceRate>,
    /// Writes in a second.
    pub blkio_write_iops: Vec<DeviceRate>,
}

/// A block device's weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceWeight {
    /// Its major number.
    pub major: u32,
    /// Its minor number.
    pub minor: u32,
    /// 10 to 1000.
    pub weight: u16,
}

/// A block device's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRate {
    /// Its major number.
    pub major: u32,
    /// Its minor number.
    pub minor: u32,
    /// Bytes or operations in a second.
    pub rate: u64,
}

impl Resources {
    /// The limits as the OCI spec has them. On cgroup v2 (`unified`) the weight
    /// goes by the kernel's own file, in the kernel's own range.
    pub fn to_oci(&self, devices: Vec<LinuxDeviceCgroup>, unified: bool) -> LinuxResources {
        let mut resources = LinuxResources::default();
        resources
            .set_devices(Some(devices))
            .set_memory(self.memory())
            .set_cpu(self.cpu())
            .set_pids(self.pids_limit.map(|limit| {
                let mut pids = LinuxPids::default();
                pids.set_limit(if limit <= 0 { -1 } else { limit });
                pids
            }))
            .set_block_io(self.block_io(unified));
        if unified && self.blkio_weight != 0 {
            let weight = format!("default {}", io_weight(self.blkio_weight));
            resources.set_unified(Some(HashMap::from([("io.weight".to_owned(), weight)])));
        }
        resources
    }

    fn memory(&self) -> Option<LinuxMemory> {
        let mut memory = LinuxMemory::default();
        memory
            .set_limit(positive(self.memory))
            .set_reservation(positive(self.memory_reservation))
            .set_kernel_tcp(positive(self.kernel_memory_tcp))
            .set_disable_oom_killer(self.oom_kill_disable)
            .set_swappiness(self.memory_swappiness.and_then(|s| u64::try_from(s).ok()));
        // A new cgroup has no limit of the sum, so -1 needs no writing; where
        // swap is not accounted, it could not be written.
        memory.set_swap(positive(self.memory_swap));
        #[allow(deprecated, reason = "the API still has it, for old kernels")]
        memory.set_kernel(positive(self.kernel_memory));
        (memory != LinuxMemory::default()).then_some(memory)
    }

    fn cpu(&self) -> Option<LinuxCpu> {
        const PERIOD: i64 = 100_000;
        let (quota, period) = if self.nano_cpus > 0 {
            (self.nano_cpus * (PERIOD / 1000) / 1_000_000, PERIOD)
        } else {
            (self.cpu_quota, self.cpu_period)
        };
        let mut cpu = LinuxCpu::default();
        cpu.set_shares(positive(self.cpu_shares).map(i64::unsigned_abs))
            .set_quota((quota != 0).then_some(quota))
            .set_period(positive(period).map(i64::unsigned_abs))
            .set_realtime_runtime(
                (self.cpu_realtime_runtime != 0).then_some(self.cpu_realtime_runtime),
            )
            .set_realtime_period(positive(self.cpu_realtime_period).map(i64::unsigned_abs))
            .set_cpus(text(&self.cpuset_cpus))
            .set_mems(text(&self.cpuset_mems));
        (cpu != LinuxCpu::default()).then_some(cpu)
    }

    fn block_io(&self, unified: bool) -> Option<LinuxBlockIo> {
        let rates = |list: &[DeviceRate]| {
            let list: Vec<LinuxThrottleDevice> =
                list.iter().copied().map(DeviceRate::to_oci).collect();
            (!list.is_empty()).then_some(list)
        };
        let weights = self
            .blkio_weight_devices
            .iter()
            .copied()
            .map(DeviceWeight::to_oci);
        let weights: Vec<LinuxWeightDevice> = weights.collect();
        let mut io = LinuxBlockIo::default();
        io.set_weight((self.blkio_weight != 0 && !unified).then_some(self.blkio_weight))
            .set_weight_device((!weights.is_empty()).then_some(weights))
            .set_throttle_read_bps_device(rates(&self.blkio_read_bps))
            .set_throttle_write_bps_device(rates(&self.blkio_write_bps))
            .set_throttle_read_iops_device(rates(&self.blkio_read_iops))
            .set_throttle_write_iops_device(rates(&self.blkio_write_iops));
        (io != LinuxBlockIo::default()).then_some(io)
    }
}

impl DeviceWeight {
    fn to_oci(self) -> LinuxWeightDevice {
        LinuxWeightDeviceBuilder::default()
            .major(self.major)
            .minor(self.minor)
            .weight(self.weight)
            .build()
            .expect("every field has a default")
    }
}

impl DeviceRate {
    fn to_oci(self) -> LinuxThrottleDevice {
        LinuxThrottleDeviceBuilder::default()
            .major(self.major)
            .minor(self.minor)
            .rate(self.rate)
            .build()
            .expect("every field has a default")
    }
}

/// The API's 10 to 1000 is the kernel's 1 to 10000 on cgroup v2.
fn io_weight(weight: u16) -> u32 {
    1 + (u32::from(weight).saturating_sub(10)) * 9999 / 990
}

fn positive(number: i64) -> Option<i64> {
    (number > 0).then_some(number)
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_limits_are_left_out() {
        let resources = Resources::default().to_oci(Vec::new(), false);
        assert_eq!(resources.memory(), &None);
        assert_eq!(resources.cpu(), &None);
        assert_eq!(resources.pids(), &None);
        assert_eq!(resources.block_io(), &None);
    }

    #[test]
    fn numbers_are_carried_over() {
        let limits = Resources {
            memory: 64 << 20,
            memory_swap: -1,
            nano_cpus: 1_500_000_000,
            pids_limit: Some(0),
            cpuset_cpus: "0-1".to_owned(),
            blkio_weight: 500,
            blkio_read_bps: vec![DeviceRate {
                major: 8,
                minor: 0,
                rate: 1 << 20,
            }],
            ..Resources::default()
        };
        let v1 = limits.to_oci(Vec::new(), false);
        let memory = v1.memory().unwrap();
        assert_eq!((memory.limit(), memory.swap()), (Some(64 << 20), None));
        let cpu = v1.cpu().clone().unwrap();
        assert_eq!((cpu.quota(), cpu.period()), (Some(150_000), Some(100_000)));
        assert_eq!(v1.pids().unwrap().limit(), -1);
        let io = v1.block_io().clone().unwrap();
        assert_eq!(io.weight(), Some(500));
        assert_eq!(
            io.throttle_read_bps_device().as_ref().unwrap()[0].rate(),
            1 << 20
        );
        let v2 = limits.to_oci(Vec::new(), true);
        assert_eq!(v2.block_io().clone().unwrap().weight(), None);
        assert_eq!(v2.unified().as_ref().unwrap()["io.weight"], "default 4950");
        assert_eq!((io_weight(10), io_weight(1000)), (1, 10_000));
    }
}
