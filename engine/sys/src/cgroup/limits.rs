//! Changing a cgroup's limits while it is in use. [`writes`] says which files
//! take which values in which order; [`apply`] writes them and takes them back
//! when one is refused.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Cgroup, Layout};

/// Limits to set; what is absent stays as it is. Numbers mean what they mean
/// in the OCI runtime specification (version 1 terms), -1 lifts a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    pub memory: Option<i64>,
    /// Memory and swap together.
    pub memory_and_swap: Option<i64>,
    pub memory_reservation: Option<i64>,
    pub cpu_shares: Option<u64>,
    pub cpu_quota: Option<i64>,
    pub cpu_period: Option<u64>,
    pub cpu_realtime_runtime: Option<i64>,
    pub cpu_realtime_period: Option<u64>,
    pub cpuset_cpus: Option<String>,
    pub cpuset_mems: Option<String>,
    pub pids: Option<i64>,
    /// 10 to 1000; for version 1.
    pub block_io_weight: Option<u16>,
    /// A line for `io.weight`; for version 2.
    pub io_weight: Option<String>,
}

/// A limit that was not set; the others were not changed either.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// The kernel has no such control.
    #[error("this kernel cannot limit {0}")]
    Missing(&'static str),
    /// The kernel refused the value.
    #[error("the kernel refuses {value:?} for {file}")]
    Refused {
        file: &'static str,
        value: String,
        #[source]
        source: io::Error,
    },
}

impl dhow_model::HasKind for LimitError {
    fn kind(&self) -> dhow_model::ErrorKind {
        dhow_model::ErrorKind::InvalidParameter
    }
}

/// One value for one control file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Write {
    controller: &'static str,
    file: &'static str,
    value: String,
    /// What it limits, for messages.
    limits: &'static str,
}

pub(super) fn apply(cgroup: &Cgroup, limits: &Limits) -> Result<(), LimitError> {
    let layout = cgroup.layout();
    let raises = current_memory(cgroup)
        .is_some_and(|now| limits.memory.is_some_and(|memory| is_above(memory, now)));
    let mut undo: Vec<(PathBuf, String)> = Vec::new();
    for write in writes(layout, limits, raises) {
        let dir = match layout {
            Layout::V2 => cgroup.v2_dir(),
            _ => cgroup.v1_dir(write.controller),
        };
        let path = dir.map(|dir| dir.join(write.file));
        let Some(path) = path.filter(|path| path.exists()) else {
            take_back(undo);
            return Err(LimitError::Missing(write.limits));
        };
        let before = fs::read_to_string(&path).unwrap_or_default();
        if let Err(source) = fs::write(&path, &write.value) {
            take_back(undo);
            return Err(LimitError::Refused {
                file: write.file,
                value: write.value,
                source,
            });
        }
        undo.push((path, before));
    }
    Ok(())
}

fn take_back(undo: Vec<(PathBuf, String)>) {
    for (path, before) in undo.into_iter().rev() {
        let _ = fs::write(path, before.trim());
    }
}

/// The memory limit in force; `None` when it cannot be read.
fn current_memory(cgroup: &Cgroup) -> Option<i64> {
    let path = match cgroup.layout() {
        Layout::V2 => cgroup.v2_dir()?.join("memory.max"),
        _ => cgroup.v1_dir("memory")?.join("memory.limit_in_bytes"),
    };
    let text = fs::read_to_string(path).ok()?;
    match text.trim() {
        "max" => Some(-1),
        number => number.parse().ok(),
    }
}

/// Whether the first limit allows more than the second (-1 is none).
fn is_above(new: i64, now: i64) -> bool {
    now >= 0 && (new < 0 || new > now)
}

/// What to write where, in order. Version 1 insists at every moment that the
/// limit of memory and swap together is not below that of memory alone, so the
/// one is written before the other when limits `raises`, after it otherwise.
fn writes(layout: Layout, limits: &Limits, raises: bool) -> Vec<Write> {
    match layout {
        Layout::V2 => writes_v2(limits),
        _ => writes_v1(limits, raises),
    }
}

fn writes_v1(limits: &Limits, raises: bool) -> Vec<Write> {
    let write = |controller, file, limits, value: Option<String>| {
        value.map(|value| Write {
            controller,
            file,
            value,
            limits,
        })
    };
    let text = |number: Option<i64>| number.map(|n| n.to_string());
    let positive = |number: Option<u64>| number.map(|n| n.to_string());
    let memory = write(
        "memory",
        "memory.limit_in_bytes",
        "memory",
        text(limits.memory),
    );
    let both = write(
        "memory",
        "memory.memsw.limit_in_bytes",
        "swap",
        text(limits.memory_and_swap),
    );
    let (first, second) = if raises {
        (both, memory)
    } else {
        (memory, both)
    };
    [
        first,
        second,
        write(
            "memory",
            "memory.soft_limit_in_bytes",
            "memory reservation",
            text(limits.memory_reservation),
        ),
        write(
            "cpu",
            "cpu.shares",
            "CPU shares",
            positive(limits.cpu_shares),
        ),
        write(
            "cpu",
            "cpu.cfs_period_us",
            "CPU time",
            positive(limits.cpu_period),
        ),
        write(
            "cpu",
            "cpu.cfs_quota_us",
            "CPU time",
            text(limits.cpu_quota),
        ),
        write(
            "cpu",
            "cpu.rt_period_us",
            "real-time CPU time",
            positive(limits.cpu_realtime_period),
        ),
        write(
            "cpu",
            "cpu.rt_runtime_us",
            "real-time CPU time",
            text(limits.cpu_realtime_runtime),
        ),
        write(
            "cpuset",
            "cpuset.cpus",
            "CPU sets",
            limits.cpuset_cpus.clone(),
        ),
        write(
            "cpuset",
            "cpuset.mems",
            "CPU sets",
            limits.cpuset_mems.clone(),
        ),
        write("pids", "pids.max", "processes", limits.pids.map(max_or)),
        write(
            "blkio",
            "blkio.bfq.weight",
            "block IO weight",
            limits.block_io_weight.map(|weight| weight.to_string()),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn writes_v2(limits: &Limits) -> Vec<Write> {
    let mut all = Vec::new();
    let mut write = |file, limits, value: Option<String>| {
        if let Some(value) = value {
            all.push(Write {
                controller: "",
                file,
                value,
                limits,
            });
        }
    };
    write("memory.max", "memory", limits.memory.map(max_or));
    // Version 2 limits swap alone.
    let swap = limits.memory_and_swap.map(|both| match limits.memory {
        Some(memory) if both >= 0 && memory >= 0 => (both - memory).max(0).to_string(),
        _ => max_or(both),
    });
    write("memory.swap.max", "swap", swap);
    let reservation = limits.memory_reservation.map(max_or);
    write("memory.low", "memory reservation", reservation);
    let weight = limits
        .cpu_shares
        .filter(|shares| *shares > 0)
        .map(weight_of);
    write(
        "cpu.weight",
        "CPU shares",
        weight.map(|weight| weight.to_string()),
    );
    if limits.cpu_quota.is_some() || limits.cpu_period.is_some() {
        let quota = limits.cpu_quota.map_or_else(
            || "max".to_owned(),
            |quota| {
                if quota > 0 {
                    quota.to_string()
                } else {
                    "max".to_owned()
                }
            },
        );
        let period = limits.cpu_period.filter(|p| *p > 0).unwrap_or(100_000);
        write("cpu.max", "CPU time", Some(format!("{quota} {period}")));
    }
    write("cpuset.cpus", "CPU sets", limits.cpuset_cpus.clone());
    write("cpuset.mems", "CPU sets", limits.cpuset_mems.clone());
    write("pids.max", "processes", limits.pids.map(max_or));
    write("io.weight", "block IO weight", limits.io_weight.clone());
    all
}

fn max_or(number: i64) -> String {
    if number > 0 {
        number.to_string()
    } else {
        "max".to_owned()
    }
}

/// Shares (2 to 262144) as a weight (1 to 10000), as the OCI runtimes do since
/// 2025: on a curve on which both defaults, 1024 and 100, meet.
fn weight_of(shares: u64) -> u64 {
    match shares {
        0..=2 => 1,
        262_144.. => 10_000,
        _ => {
            // Exact: it is below 2^53.
            let doublings = (shares as f64).log2();
            let tens = (doublings * doublings + 125.0 * doublings) / 612.0 - 7.0 / 34.0;
            10_f64.powf(tens).ceil() as u64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(writes: Vec<Write>) -> Vec<String> {
        writes
            .into_iter()
            .map(|write| format!("{}={}", write.file, write.value))
            .collect()
    }

    #[test]
    fn version_1_orders_memory_by_direction() {
        let limits = Limits {
            memory: Some(100),
            memory_and_swap: Some(200),
            pids: Some(0),
            ..Limits::default()
        };
        let lower = lines(writes(Layout::Hybrid, &limits, false));
        let raise = lines(writes(Layout::V1, &limits, true));
        let [memory, both] = [
            "memory.limit_in_bytes=100",
            "memory.memsw.limit_in_bytes=200",
        ];
        assert_eq!(lower, [memory, both, "pids.max=max"]);
        assert_eq!(raise, [both, memory, "pids.max=max"]);
        assert!(is_above(-1, 5) && is_above(6, 5) && !is_above(5, 5) && !is_above(7, -1));
    }

    #[test]
    fn version_2_converts() {
        let limits = Limits {
            memory: Some(100),
            memory_and_swap: Some(250),
            cpu_shares: Some(1024),
            cpu_quota: Some(50_000),
            pids: Some(-1),
            io_weight: Some("default 4950".to_owned()),
            ..Limits::default()
        };
        assert_eq!(
            lines(writes(Layout::V2, &limits, false)),
            [
                "memory.max=100",
                "memory.swap.max=150",
                "cpu.weight=100",
                "cpu.max=50000 100000",
                "pids.max=max",
                "io.weight=default 4950"
            ]
        );
        let weights = [2, 100, 512, 1024, 262_144].map(weight_of);
        assert_eq!(weights, [1, 17, 59, 100, 10_000]);
    }
}
