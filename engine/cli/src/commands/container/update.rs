//! `update`: changes limits and the restart policy of containers.

use clap::Args;
use dhow_client::Request;
use serde_json::{Map, Value as Json};

use crate::commands::container::path;
use crate::failure::Failure;
use crate::format::Value;
use crate::options::{flag, limits};
use crate::output;
use crate::session::Session;

/// Change limits of containers
#[derive(Args)]
pub struct Arguments {
    /// Share of block IO, from 10 to 1000; 0 for none
    #[arg(long, value_name = "uint16", value_parser = flag::uint16)]
    blkio_weight: Option<u16>,
    /// Length of a CPU period in microseconds
    #[arg(long, value_name = "int", value_parser = flag::int)]
    cpu_period: Option<i64>,
    /// CPU time within a period in microseconds
    #[arg(long, value_name = "int", value_parser = flag::int)]
    cpu_quota: Option<i64>,
    /// Length of a real-time CPU period in microseconds
    #[arg(long, value_name = "int", value_parser = flag::int)]
    cpu_rt_period: Option<i64>,
    /// Real-time CPU time within a period in microseconds
    #[arg(long, value_name = "int", value_parser = flag::int)]
    cpu_rt_runtime: Option<i64>,
    /// Share of CPU time beside other containers
    #[arg(short, long, value_name = "int", value_parser = flag::int)]
    cpu_shares: Option<i64>,
    /// How many CPUs' time to use at most
    #[arg(long, value_name = "decimal", value_parser = flag::nano_cpus)]
    cpus: Option<i64>,
    /// Which CPUs to run on (0-3, 0,1)
    #[arg(long)]
    cpuset_cpus: Option<String>,
    /// Which memory nodes to use (0-3, 0,1)
    #[arg(long)]
    cpuset_mems: Option<String>,
    /// Taken for compatibility: the kernel has no such limit any more
    #[arg(long, value_name = "bytes", value_parser = flag::bytes, hide = true)]
    kernel_memory: Option<i64>,
    /// Memory limit
    #[arg(short, long, value_name = "bytes", value_parser = flag::bytes)]
    memory: Option<i64>,
    /// Memory to keep back when it is short
    #[arg(long, value_name = "bytes", value_parser = flag::bytes)]
    memory_reservation: Option<i64>,
    /// Limit of memory and swap together; -1 for no limit on swap
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, value_parser = flag::bytes_or_unlimited)]
    memory_swap: Option<i64>,
    /// How many processes there may be; -1 for any number
    #[arg(long, value_name = "int", allow_hyphen_values = true, value_parser = flag::int)]
    pids_limit: Option<i64>,
    /// When to start the container again after it exits
    #[arg(long)]
    restart: Option<String>,
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    containers: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let body = body(&arguments)?;
    if body.is_empty() {
        return Err(Failure::message(
            "you must provide one or more flags when using this command",
        ));
    }
    let mut failures = Vec::new();
    for container in &arguments.containers {
        match session
            .json(Request::post(path(container, "update")).json(&body))
            .await
        {
            Ok(answer) => {
                output::line(container);
                for warning in answer.list("Warnings").iter().filter_map(Value::as_str) {
                    output::warn(warning);
                }
            }
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of_several(failures)?;
    Ok(0)
}

fn body(arguments: &Arguments) -> Result<Map<String, Json>, Failure> {
    let mut body = Map::new();
    let numbers = [
        ("BlkioWeight", arguments.blkio_weight.map(i64::from)),
        ("CpuPeriod", arguments.cpu_period),
        ("CpuQuota", arguments.cpu_quota),
        ("CpuRealtimePeriod", arguments.cpu_rt_period),
        ("CpuRealtimeRuntime", arguments.cpu_rt_runtime),
        ("CpuShares", arguments.cpu_shares),
        ("NanoCpus", arguments.cpus),
        ("KernelMemory", arguments.kernel_memory),
        ("Memory", arguments.memory),
        ("MemoryReservation", arguments.memory_reservation),
        ("MemorySwap", arguments.memory_swap),
        ("PidsLimit", arguments.pids_limit),
    ];
    for (key, number) in numbers {
        if let Some(number) = number {
            body.insert(key.to_owned(), number.into());
        }
    }
    let texts = [
        ("CpusetCpus", &arguments.cpuset_cpus),
        ("CpusetMems", &arguments.cpuset_mems),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            body.insert(key.to_owned(), text.as_str().into());
        }
    }
    if let Some(restart) = &arguments.restart {
        let policy = limits::restart_policy(restart).map_err(Failure::message)?;
        body.insert("RestartPolicy".to_owned(), policy);
    }
    Ok(body)
}
