//! What the running containers take: measured once when somebody is about to
//! look, and never otherwise.

use std::time::Duration;

use dhow_client::{Client, Error, Request, encode};
use futures_util::future::join_all;
use serde::Deserialize;

/// More containers than this are not measured: the window shows them.
const MOST: usize = 100;

/// An engine measures for a second or two.
const PATIENCE: Duration = Duration::from_secs(5);

/// A sum over containers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Load {
    /// Per cent of one core.
    pub processor: f64,
    /// Bytes, without what the kernel can drop.
    pub memory: u64,
}

/// Measures them all; nothing where there are too many, or where the engine
/// does not say it of every one that still runs.
pub async fn measure(client: &Client, running: &[String]) -> Option<Load> {
    if running.is_empty() || running.len() > MOST {
        return None;
    }
    let answers = join_all(running.iter().map(|id| one(client, id)));
    let answers = tokio::time::timeout(PATIENCE, answers);
    let mut sum = Load::default();
    for answer in answers.await.ok()? {
        match answer {
            Ok(stats) => {
                sum.processor += stats.processor();
                sum.memory += stats.memory();
            }
            // It was removed meanwhile.
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                tracing::debug!(%error, "nothing is known of a container's load");
                return None;
            }
        }
    }
    Some(sum)
}

async fn one(client: &Client, id: &str) -> Result<Stats, Error> {
    let path = format!("/containers/{}/stats", encode(id));
    let question = Request::get(path).query("stream", "false");
    client.json(question).await
}

/// As much of the engine's answer as is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stats {
    cpu_stats: Processor,
    precpu_stats: Processor,
    memory_stats: Memory,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Processor {
    cpu_usage: Usage,
    system_cpu_usage: u64,
    online_cpus: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    total_usage: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Memory {
    usage: u64,
    stats: Pages,
}

/// Control groups' second version calls it one thing and the first another.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pages {
    inactive_file: u64,
    total_inactive_file: Option<u64>,
}

impl Stats {
    /// As `docker stats` counts it.
    #[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
    fn processor(&self) -> f64 {
        let (now, before) = (&self.cpu_stats, &self.precpu_stats);
        let used = now
            .cpu_usage
            .total_usage
            .saturating_sub(before.cpu_usage.total_usage);
        let passed = now.system_cpu_usage.saturating_sub(before.system_cpu_usage);
        if before.system_cpu_usage == 0 || passed == 0 {
            return 0.0;
        }
        used as f64 / passed as f64 * f64::from(now.online_cpus.max(1)) * 100.0
    }

    fn memory(&self) -> u64 {
        let memory = &self.memory_stats;
        let droppable = memory.stats.total_inactive_file;
        let droppable = droppable.unwrap_or(memory.stats.inactive_file);
        memory.usage.saturating_sub(droppable)
    }
}

#[cfg(test)]
mod tests {
    use super::Stats;

    #[track_caller]
    fn check(json: &str, processor: f64, memory: u64) {
        let stats: Stats = serde_json::from_str(json).unwrap();
        assert!((stats.processor() - processor).abs() < 1e-9, "{json}");
        assert_eq!(stats.memory(), memory, "{json}");
    }

    #[test]
    fn an_answer_is_read_as_docker_stats_reads_it() {
        check(
            r#"{"cpu_stats":{"cpu_usage":{"total_usage":300},"system_cpu_usage":2000,"online_cpus":2},
                "precpu_stats":{"cpu_usage":{"total_usage":100},"system_cpu_usage":1000,"online_cpus":2},
                "memory_stats":{"usage":5000,"stats":{"inactive_file":1000}}}"#,
            40.0,
            4000,
        );
        // The first version of control groups.
        check(
            r#"{"memory_stats":{"usage":5000,"stats":{"inactive_file":1,"total_inactive_file":2000}}}"#,
            0.0,
            3000,
        );
    }

    #[test]
    fn one_that_ended_or_just_began_takes_nothing() {
        check("{}", 0.0, 0);
        check(
            r#"{"cpu_stats":{"cpu_usage":{"total_usage":300},"system_cpu_usage":2000},
                "precpu_stats":{"cpu_usage":{"total_usage":0}}}"#,
            0.0,
            0,
        );
    }
}
