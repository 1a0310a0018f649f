//! `GET /containers/{id}/stats`: the cgroup's counters and the network's, as
//! dockerd shows them.

use std::collections::HashMap;
use std::time::Duration;

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::StatsOptions;
use dhow_sys::cgroup::{BlockIoEntry, Cgroup, Layout, Stats};
use futures_util::{StreamExt, stream};

use super::container::Container;
use super::record::Status;
use crate::{Error, JsonStream, LocalEngine, Result, clock};

/// Docker samples once a second.
const INTERVAL: Duration = Duration::from_secs(1);

impl LocalEngine {
    /// A sample a second, or one. The first of a stream, and `one_shot`, have
    /// nothing to compare with; a single sample without `one_shot` takes two
    /// readings a second apart.
    pub async fn stats(
        &self,
        name: &str,
        options: Option<StatsOptions>,
    ) -> Result<JsonStream<ContainerStatsResponse>> {
        let options = options.unwrap_or_default();
        if options.stream && options.one_shot {
            return Err(Error::invalid("cannot have stream=true and one-shot=true"));
        }
        let container = self.shared.containers.find(name)?;
        let engine = self.clone();
        let sample = move || {
            let engine = engine.clone();
            let container = container.clone();
            async move {
                tokio::task::spawn_blocking(move || engine.sample(&container))
                    .await
                    .map_err(Error::from)
            }
        };
        if options.one_shot {
            let only = sample().await?;
            return Ok(stream::iter([Ok(only)]).boxed());
        }
        let single = !options.stream;
        let samples = stream::unfold(None, move |before: Option<ContainerStatsResponse>| {
            let sample = sample.clone();
            async move {
                let first = before.is_none();
                let mut before = before;
                if single && first {
                    before = sample().await.ok();
                }
                if !first || single {
                    tokio::time::sleep(INTERVAL).await;
                }
                let mut now = match sample().await {
                    Ok(now) => now,
                    Err(error) => return Some((Err(error), None)),
                };
                if let Some(before) = &before {
                    now.preread = before.read.clone();
                    now.precpu_stats = before.cpu_stats.clone();
                }
                Some((Ok(now.clone()), Some(now)))
            }
        });
        Ok(if single {
            samples.take(1).boxed()
        } else {
            samples.boxed()
        })
    }

    fn sample(&self, container: &Container) -> ContainerStatsResponse {
        let record = container.record();
        let mut answer = ContainerStatsResponse {
            id: Some(record.id.to_string()),
            name: Some(format!("/{}", record.name)),
            os_type: Some("linux".to_owned()),
            read: Some(super::view::time(0)),
            preread: Some(super::view::time(0)),
            num_procs: Some(0),
            storage_stats: Some(ContainerStorageStats::default()),
            cpu_stats: Some(ContainerCpuStats::default()),
            precpu_stats: Some(ContainerCpuStats::default()),
            memory_stats: Some(ContainerMemoryStats::default()),
            pids_stats: Some(ContainerPidsStats::default()),
            blkio_stats: Some(ContainerBlkioStats::default()),
            networks: None,
        };
        if !matches!(record.state.status, Status::Running | Status::Paused) {
            return answer;
        }
        let cgroup = self.cgroup(container);
        let v2 = cgroup.layout() == Layout::V2;
        let stats: Stats = Cgroup::stats(&cgroup);
        answer.read = Some(clock::rfc3339(clock::now()));
        answer.cpu_stats = Some(cpu(&stats, self.shared.host.cpus, v2));
        answer.memory_stats = Some(memory(&stats, self.shared.host.memory, v2));
        answer.pids_stats = Some(ContainerPidsStats {
            current: Some(stats.pids.current),
            // dockerd shows "no limit" as the largest number.
            limit: Some(stats.pids.limit.unwrap_or(u64::MAX)),
        });
        answer.blkio_stats = Some(ContainerBlkioStats {
            io_service_bytes_recursive: Some(entries(&stats.block_io.bytes)),
            io_serviced_recursive: (!v2).then(|| entries(&stats.block_io.operations)),
            ..Default::default()
        });
        if super::view::network_name(&record) != "host" {
            answer.networks = record.state.pid.and_then(networks);
        }
        answer
    }
}

fn cpu(stats: &Stats, cpus: usize, v2: bool) -> ContainerCpuStats {
    let cpu = &stats.cpu;
    ContainerCpuStats {
        cpu_usage: Some(ContainerCpuUsage {
            total_usage: Some(cpu.total),
            percpu_usage: (!v2 && !cpu.per_cpu.is_empty()).then(|| cpu.per_cpu.clone()),
            usage_in_kernelmode: Some(cpu.system),
            usage_in_usermode: Some(cpu.user),
        }),
        system_cpu_usage: Some(system_cpu(
            &std::fs::read_to_string("/proc/stat").unwrap_or_default(),
        )),
        online_cpus: Some(u32::try_from(cpus).unwrap_or(u32::MAX)),
        throttling_data: Some(ContainerThrottlingData {
            periods: Some(cpu.periods),
            throttled_periods: Some(cpu.throttled_periods),
            throttled_time: Some(cpu.throttled_time),
        }),
    }
}

fn memory(stats: &Stats, host_memory: i64, v2: bool) -> ContainerMemoryStats {
    let memory = &stats.memory;
    let host = u64::try_from(host_memory).unwrap_or(u64::MAX);
    ContainerMemoryStats {
        usage: Some(memory.usage),
        max_usage: if v2 { None } else { memory.max_usage },
        failcnt: if v2 { None } else { memory.failures },
        // Without a limit the machine is the limit.
        limit: Some(memory.limit.unwrap_or(host).min(host)),
        stats: Some(
            memory
                .details
                .iter()
                .map(|(name, value)| (name.clone(), *value))
                .collect(),
        ),
        ..Default::default()
    }
}

fn entries(list: &[BlockIoEntry]) -> Vec<ContainerBlkioStatEntry> {
    list.iter()
        .map(|entry| ContainerBlkioStatEntry {
            major: Some(entry.major),
            minor: Some(entry.minor),
            op: Some(entry.operation.clone()),
            value: Some(entry.value),
        })
        .collect()
}

/// The nanoseconds all processors have spent on anything, idling included
/// (`/proc/stat`, first line, in hundredths of a second).
fn system_cpu(stat: &str) -> u64 {
    const NANOS_PER_TICK: u64 = 10_000_000;
    stat.lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        // The guest times after the first seven are in them already.
        .take(7)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum::<u64>()
        .saturating_mul(NANOS_PER_TICK)
}

/// The interfaces' counters in the network namespace of process `pid`.
fn networks(pid: u32) -> Option<HashMap<String, ContainerNetworkStats>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/dev")).ok()?;
    let map: HashMap<_, _> = text.lines().skip(2).filter_map(interface).collect();
    (!map.is_empty()).then_some(map)
}

fn interface(line: &str) -> Option<(String, ContainerNetworkStats)> {
    let (name, counters) = line.split_once(':')?;
    let name = name.trim();
    if name == "lo" {
        return None;
    }
    let counters: Vec<u64> = counters
        .split_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    let at = |index: usize| counters.get(index).copied();
    Some((
        name.to_owned(),
        ContainerNetworkStats {
            rx_bytes: at(0),
            rx_packets: at(1),
            rx_errors: at(2),
            rx_dropped: at(3),
            tx_bytes: at(8),
            tx_packets: at(9),
            tx_errors: at(10),
            tx_dropped: at(11),
            ..Default::default()
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read() {
        assert_eq!(
            system_cpu("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1\n"),
            28 * 10_000_000
        );
        let (name, stats) = interface("  eth0: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0").unwrap();
        assert_eq!(name, "eth0");
        assert_eq!((stats.rx_bytes, stats.tx_bytes), (Some(10), Some(20)));
        assert!(interface("    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0").is_none());
    }
}
