//! Limits in the words of the spec builder. Pure, but for the numbers of
//! devices.

use std::os::unix::fs::MetadataExt;

use bollard_stubs::models::{HostConfig, ResourcesBlkioWeightDevice, ThrottleDevice};
use dhow_runtime::spec::resources::{DeviceRate, DeviceWeight, Resources};

use crate::{Error, Result};

/// The limits of a container.
pub(in crate::containers) fn limits(host: &HostConfig) -> Result<Resources> {
    Ok(Resources {
        memory: host.memory.unwrap_or(0),
        memory_swap: host.memory_swap.unwrap_or(0),
        memory_reservation: host.memory_reservation.unwrap_or(0),
        memory_swappiness: host.memory_swappiness.filter(|s| *s >= 0),
        oom_kill_disable: host.oom_kill_disable.filter(|disable| *disable),
        cpu_shares: host.cpu_shares.unwrap_or(0),
        cpu_quota: host.cpu_quota.unwrap_or(0),
        cpu_period: host.cpu_period.unwrap_or(0),
        nano_cpus: host.nano_cpus.unwrap_or(0),
        cpu_realtime_runtime: host.cpu_realtime_runtime.unwrap_or(0),
        cpu_realtime_period: host.cpu_realtime_period.unwrap_or(0),
        cpuset_cpus: host.cpuset_cpus.clone().unwrap_or_default(),
        cpuset_mems: host.cpuset_mems.clone().unwrap_or_default(),
        pids_limit: host.pids_limit,
        blkio_weight: host.blkio_weight.unwrap_or(0),
        blkio_weight_devices: weights(host.blkio_weight_device.as_deref())?,
        blkio_read_bps: rates(host.blkio_device_read_bps.as_deref())?,
        blkio_write_bps: rates(host.blkio_device_write_bps.as_deref())?,
        blkio_read_iops: rates(host.blkio_device_read_iops.as_deref())?,
        blkio_write_iops: rates(host.blkio_device_write_iops.as_deref())?,
        ..Resources::default()
    })
}

/// Writes limits back that were adjusted to what the kernel can.
pub(in crate::containers) fn keep(host: &mut HostConfig, limits: &Resources) {
    host.memory = Some(limits.memory);
    host.memory_swap = Some(limits.memory_swap);
    host.memory_reservation = Some(limits.memory_reservation);
    host.memory_swappiness = limits.memory_swappiness;
    host.oom_kill_disable = Some(limits.oom_kill_disable == Some(true));
    host.pids_limit = limits.pids_limit;
    host.cpu_shares = Some(limits.cpu_shares);
    host.cpu_quota = Some(limits.cpu_quota);
    host.cpu_period = Some(limits.cpu_period);
    host.nano_cpus = Some(limits.nano_cpus);
    host.cpuset_cpus = Some(limits.cpuset_cpus.clone());
    host.cpuset_mems = Some(limits.cpuset_mems.clone());
    host.blkio_weight = Some(limits.blkio_weight);
    if limits.blkio_weight_devices.is_empty() {
        host.blkio_weight_device = None;
    }
    for (kept, list) in [
        (&limits.blkio_read_bps, &mut host.blkio_device_read_bps),
        (&limits.blkio_write_bps, &mut host.blkio_device_write_bps),
        (&limits.blkio_read_iops, &mut host.blkio_device_read_iops),
        (&limits.blkio_write_iops, &mut host.blkio_device_write_iops),
    ] {
        if kept.is_empty() {
            *list = None;
        }
    }
}

fn weights(list: Option<&[ResourcesBlkioWeightDevice]>) -> Result<Vec<DeviceWeight>> {
    let list = list.unwrap_or_default().iter();
    list.map(|device| {
        let (major, minor) = numbers(device.path.as_deref().unwrap_or_default())?;
        let weight = device.weight.unwrap_or(0);
        Ok(DeviceWeight {
            major,
            minor,
            weight: u16::try_from(weight)
                .map_err(|_| Error::invalid("Range of blkio weight is from 10 to 1000"))?,
        })
    })
    .collect()
}

fn rates(list: Option<&[ThrottleDevice]>) -> Result<Vec<DeviceRate>> {
    let list = list.unwrap_or_default().iter();
    list.map(|device| {
        let (major, minor) = numbers(device.path.as_deref().unwrap_or_default())?;
        Ok(DeviceRate {
            major,
            minor,
            rate: device.rate.and_then(|r| u64::try_from(r).ok()).unwrap_or(0),
        })
    })
    .collect()
}

/// A device's numbers.
fn numbers(path: &str) -> Result<(u32, u32)> {
    let meta = std::fs::metadata(path).map_err(|e| {
        let why = match e.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            _ => e.to_string(),
        };
        Error::invalid(format!("stat {path}: {why}"))
    })?;
    let device = meta.rdev();
    Ok((rustix::fs::major(device), rustix::fs::minor(device)))
}
