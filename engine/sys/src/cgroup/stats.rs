//! What a cgroup used: the kernel's counters, typed but not interpreted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Cgroup, Layout, value_of};

/// Counters of one cgroup at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    pub cpu: Cpu,
    pub memory: Memory,
    pub pids: Pids,
    pub block_io: BlockIo,
}

/// Processor time, in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cpu {
    pub total: u64,
    pub user: u64,
    pub system: u64,
    /// Version 1 only.
    pub per_cpu: Vec<u64>,
    pub periods: u64,
    pub throttled_periods: u64,
    pub throttled_time: u64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    pub usage: u64,
    /// The highest usage so far; version 1 only.
    pub max_usage: Option<u64>,
    /// How often the limit was hit; version 1 only.
    pub failures: Option<u64>,
    /// Absent when unlimited.
    pub limit: Option<u64>,
    /// Swap alone in version 2; memory and swap together in version 1.
    pub swap_usage: Option<u64>,
    /// All of `memory.stat`.
    pub details: BTreeMap<String, u64>,
}

/// Processes and threads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pids {
    pub current: u64,
    /// Absent when unlimited.
    pub limit: Option<u64>,
}

/// Disk traffic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockIo {
    pub bytes: Vec<BlockIoEntry>,
    pub operations: Vec<BlockIoEntry>,
}

/// One device's counter of one sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockIoEntry {
    pub major: u64,
    pub minor: u64,
    /// `Read`, `Write`, `Sync`, `Async`, `Discard`, `Total` in version 1;
    /// `read` and `write` in version 2.
    pub operation: String,
    pub value: u64,
}

/// What version 1 writes for no limit: the highest page-aligned number.
const UNLIMITED_V1: u64 = 0x7fff_ffff_ffff_f000;
/// The kernel counts `cpuacct.stat` in hundredths of a second on every
/// platform that Linux containers run on.
const NANOS_PER_TICK: u64 = 10_000_000;

pub(super) fn read(cgroup: &Cgroup) -> Stats {
    match cgroup.layout() {
        Layout::V2 => cgroup.v2_dir().map(|dir| v2(&dir)).unwrap_or_default(),
        _ => v1(cgroup),
    }
}

pub(super) fn memory_peak(cgroup: &Cgroup) -> Option<u64> {
    let file = match cgroup.layout() {
        Layout::V2 => cgroup.v2_dir()?.join("memory.peak"),
        _ => cgroup.v1_dir("memory")?.join("memory.max_usage_in_bytes"),
    };
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn v1(cgroup: &Cgroup) -> Stats {
    let file = |controller: &str, name: &str| -> Option<PathBuf> {
        cgroup.v1_dir(controller).map(|dir| dir.join(name))
    };
    let text = |controller: &str, name: &str| {
        file(controller, name)
            .and_then(|path| fs::read_to_string(path).ok())
            .unwrap_or_default()
    };
    let number = |controller: &str, name: &str| text(controller, name).trim().parse::<u64>().ok();

    let spent = text("cpuacct", "cpuacct.stat");
    let throttling = text("cpu", "cpu.stat");
    let cpu = Cpu {
        total: number("cpuacct", "cpuacct.usage").unwrap_or(0),
        user: value_of(&spent, "user").unwrap_or(0) * NANOS_PER_TICK,
        system: value_of(&spent, "system").unwrap_or(0) * NANOS_PER_TICK,
        per_cpu: text("cpuacct", "cpuacct.usage_percpu")
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect(),
        periods: value_of(&throttling, "nr_periods").unwrap_or(0),
        throttled_periods: value_of(&throttling, "nr_throttled").unwrap_or(0),
        throttled_time: value_of(&throttling, "throttled_time").unwrap_or(0),
    };
    let memory = Memory {
        usage: number("memory", "memory.usage_in_bytes").unwrap_or(0),
        max_usage: number("memory", "memory.max_usage_in_bytes"),
        failures: number("memory", "memory.failcnt"),
        limit: number("memory", "memory.limit_in_bytes").filter(|limit| *limit < UNLIMITED_V1),
        swap_usage: number("memory", "memory.memsw.usage_in_bytes"),
        details: table(&text("memory", "memory.stat")),
    };
    let pids = Pids {
        current: number("pids", "pids.current").unwrap_or(0),
        limit: number("pids", "pids.max"),
    };
    // Each scheduler counts in files of its own; the throttle counts always,
    // but only what reaches the device by itself.
    let device_table = |name: &str| {
        ["blkio.bfq.", "blkio.", "blkio.throttle."]
            .iter()
            .map(|prefix| text("blkio", &format!("{prefix}{name}_recursive")))
            .map(|text| devices_v1(&text))
            .find(|entries| !entries.is_empty())
            .unwrap_or_default()
    };
    let block_io = BlockIo {
        bytes: device_table("io_service_bytes"),
        operations: device_table("io_serviced"),
    };
    Stats {
        cpu,
        memory,
        pids,
        block_io,
    }
}

fn v2(dir: &Path) -> Stats {
    let text = |name: &str| fs::read_to_string(dir.join(name)).unwrap_or_default();
    let number = |name: &str| text(name).trim().parse::<u64>().ok();
    let spent = text("cpu.stat");
    let micros = |key: &str| value_of(&spent, key).unwrap_or(0) * 1000;
    let io = text("io.stat");
    Stats {
        cpu: Cpu {
            total: micros("usage_usec"),
            user: micros("user_usec"),
            system: micros("system_usec"),
            per_cpu: Vec::new(),
            periods: value_of(&spent, "nr_periods").unwrap_or(0),
            throttled_periods: value_of(&spent, "nr_throttled").unwrap_or(0),
            throttled_time: micros("throttled_usec"),
        },
        memory: Memory {
            usage: number("memory.current").unwrap_or(0),
            max_usage: None,
            failures: None,
            limit: number("memory.max"),
            swap_usage: number("memory.swap.current"),
            details: table(&text("memory.stat")),
        },
        pids: Pids {
            current: number("pids.current").unwrap_or(0),
            limit: number("pids.max"),
        },
        block_io: BlockIo {
            bytes: devices_v2(&io, [("rbytes", "read"), ("wbytes", "write")]),
            operations: devices_v2(&io, [("rios", "read"), ("wios", "write")]),
        },
    }
}

/// A table of `key value` lines.
fn table(text: &str) -> BTreeMap<String, u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(key, value)| Some((key.to_owned(), value.trim().parse().ok()?)))
        .collect()
}

/// Lines of `8:0 Read 4096`; the sum over all devices (`Total 4096`) is left out.
fn devices_v1(text: &str) -> Vec<BlockIoEntry> {
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let (major, minor) = words.next()?.split_once(':')?;
        Some(BlockIoEntry {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
            operation: words.next()?.to_owned(),
            value: words.next()?.parse().ok()?,
        })
    };
    text.lines().filter_map(entry).collect()
}

/// Lines of `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …`.
fn devices_v2(text: &str, keys: [(&str, &str); 2]) -> Vec<BlockIoEntry> {
    let mut entries = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some((major, minor)) = words.next().and_then(|device| device.split_once(':')) else {
            continue;
        };
        let (Ok(major), Ok(minor)) = (major.parse(), minor.parse()) else {
            continue;
        };
        for word in words {
            let Some((name, value)) = word.split_once('=') else {
                continue;
            };
            let known = keys.iter().find(|(key, _)| *key == name);
            if let (Some((_, operation)), Ok(value)) = (known, value.parse()) {
                entries.push(BlockIoEntry {
                    major,
                    minor,
                    operation: (*operation).to_owned(),
                    value,
                });
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(entries: &[BlockIoEntry]) -> Vec<(u64, &str, u64)> {
        entries
            .iter()
            .map(|e| (e.minor, e.operation.as_str(), e.value))
            .collect()
    }

    #[test]
    fn device_tables_are_read() {
        let v1 = devices_v1("8:0 Read 4096\n8:0 Total 4096\n8:16 Write 1\nTotal 4097\n");
        assert_eq!(
            values(&v1),
            [(0, "Read", 4096), (0, "Total", 4096), (16, "Write", 1)]
        );
        let text = "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:16 \n";
        let v2 = devices_v2(text, [("rbytes", "read"), ("wbytes", "write")]);
        assert_eq!(values(&v2), [(0, "read", 1), (0, "write", 2)]);
    }
}
