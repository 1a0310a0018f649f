//! `stats`: what containers use, once or continuously.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use dhow_client::{Client, Request};
use dhow_model::size::{binary_size, human_size_with};
use futures_util::StreamExt;

use crate::commands::container::path;
use crate::failure::Failure;
use crate::format::Value;
use crate::output;
use crate::output::list::{self, Columns, Format, Row};
use crate::session::Session;

/// Show what containers use
#[derive(Args)]
pub struct Arguments {
    /// Show containers that do not run, too
    #[arg(short, long)]
    all: bool,
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long, default_value = "")]
    format: String,
    /// Show it once and quit
    #[arg(long)]
    no_stream: bool,
    /// Show everything in full
    #[arg(long)]
    no_trunc: bool,
    #[arg(value_name = "[CONTAINER...]")]
    containers: Vec<String>,
}

const COLUMNS: Columns = Columns {
    go_type: "*container.statsContext",
    failure: list::PARSING,
    headers: &[
        ("Container", "CONTAINER"),
        ("ID", "CONTAINER ID"),
        ("Name", "NAME"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ],
};

const USUAL: &str = "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let config = &session.target()?.config;
    let spec = match arguments.format.as_str() {
        "" => config.text("statsFormat").unwrap_or(""),
        spec => spec,
    };
    let format = Format::parse(spec, USUAL)?;
    let client = session.client()?;
    if arguments.no_stream {
        return once(&arguments, session, client, &format).await;
    }
    let latest = std::cell::RefCell::new(BTreeMap::<usize, Option<Value>>::new());
    let names = names(&arguments, session).await?;
    let follow = follow_all(client, &names, &latest);
    let watch_all = arguments.containers.is_empty();
    let draw = async {
        let clear = output::to_terminal();
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let rows: Vec<Row> = {
                let latest = latest.borrow();
                names
                    .iter()
                    .enumerate()
                    .map(|(index, name)| {
                        let sample = latest.get(&index).and_then(Option::as_ref);
                        row(name, sample, &arguments)
                    })
                    .collect()
            };
            let (text, failure) = format.render(&COLUMNS, rows);
            if let Some(failure) = failure {
                return Err(failure);
            }
            if clear {
                output::print("\x1b[H\x1b[J");
            }
            output::print(&text);
        }
    };
    tokio::select! {
        result = draw => result,
        result = follow => {
            let failures = result;
            if watch_all { Ok(0) } else { Failure::of_several(failures).map(|()| 0) }
        }
    }
}

async fn once(
    arguments: &Arguments,
    session: &Session,
    client: &Client,
    format: &Format,
) -> Result<i32, Failure> {
    let names = names(arguments, session).await?;
    let samples = futures_util::future::join_all(names.iter().map(|name| async move {
        let request = Request::get(path(name, "stats")).query("stream", "0");
        client.json::<Value>(request).await
    }))
    .await;
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for (name, sample) in names.iter().zip(samples) {
        match sample {
            Ok(sample) => rows.push(row(name, Some(&sample), arguments)),
            Err(error) => failures.push(Failure::from(error)),
        }
    }
    Failure::of_several(failures)?;
    format.print(&COLUMNS, rows)?;
    Ok(0)
}

async fn names(arguments: &Arguments, session: &Session) -> Result<Vec<String>, Failure> {
    if !arguments.containers.is_empty() {
        return Ok(arguments.containers.clone());
    }
    let request = Request::get("/containers/json").flag("all", arguments.all);
    let containers = session.json(request).await?;
    let ids = containers
        .items()
        .iter()
        .map(|c| list::short_id(c.str("Id")).to_owned());
    Ok(ids.collect())
}

/// Keeps the last sample of each container. Ends when none is left.
async fn follow_all(
    client: &Client,
    names: &[String],
    latest: &std::cell::RefCell<BTreeMap<usize, Option<Value>>>,
) -> Vec<Failure> {
    let follows = names.iter().enumerate().map(|(index, name)| async move {
        let request = Request::get(path(name, "stats")).query("stream", "1");
        let response = client.send(request).await?;
        let mut chunks = response.chunks();
        let mut buffer = Vec::new();
        while let Some(chunk) = chunks.next().await {
            buffer.extend_from_slice(&chunk?);
            while let Some(end) = buffer.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                if let Ok(sample) = Value::from_json(&line) {
                    latest.borrow_mut().insert(index, Some(sample));
                }
            }
        }
        latest.borrow_mut().insert(index, None);
        Ok::<(), Failure>(())
    });
    let results = futures_util::future::join_all(follows).await;
    results.into_iter().filter_map(Result::err).collect()
}

fn row(name: &str, sample: Option<&Value>, arguments: &Arguments) -> Row {
    const NOTHING: &str = "--";
    let shown = Row::new(&COLUMNS);
    let Some(sample) = sample else {
        let both = "-- / --";
        return shown
            .text("BlockIO", both)
            .text("CPUPerc", NOTHING)
            .text("Container", name)
            .text("ID", NOTHING)
            .text("MemPerc", NOTHING)
            .text("MemUsage", both)
            .text("Name", NOTHING)
            .text("NetIO", both)
            .text("PIDs", NOTHING);
    };
    let id = match sample.str("id") {
        "" => name,
        id => id,
    };
    let id = if arguments.no_trunc {
        id
    } else {
        list::short_id(id)
    };
    let memory = sample.get("memory_stats");
    let used = memory_used(memory);
    let limit = memory.int("limit");
    let (received, sent) = network(sample);
    let (read, written) = block_io(sample);
    shown
        .text(
            "BlockIO",
            format!(
                "{} / {}",
                human_size_with(read, 3),
                human_size_with(written, 3)
            ),
        )
        .text("CPUPerc", format!("{:.2}%", cpu(sample)))
        .text("Container", name)
        .text("ID", id)
        .text("MemPerc", format!("{:.2}%", share(used, limit)))
        .text(
            "MemUsage",
            format!("{} / {}", binary_size(used), binary_size(limit)),
        )
        .text("Name", sample.str("name").trim_start_matches('/'))
        .text(
            "NetIO",
            format!(
                "{} / {}",
                human_size_with(received, 3),
                human_size_with(sent, 3)
            ),
        )
        .text("PIDs", sample.get("pids_stats").int("current").to_string())
}

/// Page cache that the kernel can drop at once is not counted as used.
fn memory_used(memory: &Value) -> i64 {
    let used = memory.int("usage");
    let stats = memory.get("stats");
    for key in ["total_inactive_file", "inactive_file"] {
        let inactive = stats.int(key);
        if inactive > 0 && inactive < used {
            return used - inactive;
        }
    }
    used
}

fn share(used: i64, limit: i64) -> f64 {
    if limit == 0 {
        return 0.0;
    }
    used as f64 / limit as f64 * 100.0
}

fn cpu(sample: &Value) -> f64 {
    let (now, before) = (sample.get("cpu_stats"), sample.get("precpu_stats"));
    let total = |stats: &Value| stats.get("cpu_usage").int("total_usage") as f64;
    let system = |stats: &Value| stats.int("system_cpu_usage") as f64;
    let used = total(now) - total(before);
    let passed = system(now) - system(before);
    let cpus = match now.int("online_cpus") {
        0 => now.get("cpu_usage").list("percpu_usage").len() as f64,
        online => online as f64,
    };
    if used > 0.0 && passed > 0.0 {
        return used / passed * cpus * 100.0;
    }
    0.0
}

fn network(sample: &Value) -> (i64, i64) {
    let interfaces = sample.map("networks").iter();
    interfaces.fold((0, 0), |(received, sent), (_, interface)| {
        (
            received + interface.int("rx_bytes"),
            sent + interface.int("tx_bytes"),
        )
    })
}

fn block_io(sample: &Value) -> (i64, i64) {
    let entries = sample.get("blkio_stats").list("io_service_bytes_recursive");
    entries.iter().fold((0, 0), |(read, written), entry| {
        match entry.str("op").chars().next() {
            Some('r' | 'R') => (read + entry.int("value"), written),
            Some('w' | 'W') => (read, written + entry.int("value")),
            _ => (read, written),
        }
    })
}
