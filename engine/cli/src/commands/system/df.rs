//! `system df`: what takes up room.

use clap::Args;
use dhow_client::Request;
use dhow_model::size::human_size;

use crate::commands::container::list as containers;
use crate::commands::image::list as images;
use crate::commands::volume::list as volumes;
use crate::failure::Failure;
use crate::format::Value;
use crate::output;
use crate::output::human;
use crate::output::list::{self, Columns, Format, Row};
use crate::session::Session;

/// Show what takes up room
#[derive(Args)]
pub struct Arguments {
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long, default_value = "")]
    format: String,
    /// Show each image, container and volume
    #[arg(short, long)]
    verbose: bool,
}

const COLUMNS: Columns = Columns {
    go_type: "*formatter.diskUsageContext",
    headers: &[
        ("Type", "TYPE"),
        ("TotalCount", "TOTAL"),
        ("Active", "ACTIVE"),
        ("Size", "SIZE"),
        ("Reclaimable", "RECLAIMABLE"),
    ],
};

const CACHE_COLUMNS: Columns = Columns {
    go_type: "*formatter.buildCacheContext",
    headers: &[
        ("ID", "CACHE ID"),
        ("CacheType", "CACHE TYPE"),
        ("Size", "SIZE"),
        ("CreatedSince", "CREATED"),
        ("LastUsedSince", "LAST USED"),
        ("UsageCount", "USAGE"),
        ("Shared", "SHARED"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let usage = session.json(Request::get("/system/df")).await?;
    if arguments.verbose {
        return verbose(&arguments, &usage);
    }
    const USUAL: &str =
        "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";
    let format = Format::parse(&arguments.format, USUAL)?;
    let rows = vec![
        image_summary(&usage),
        container_summary(&usage),
        volume_summary(&usage),
        cache_summary(&usage),
    ];
    format.print(&COLUMNS, rows)?;
    Ok(0)
}

fn summary(kind: &str, total: usize, active: usize, size: i64, reclaimable: String) -> Row {
    Row::new(&COLUMNS)
        .text("Active", active.to_string())
        .text("Reclaimable", reclaimable)
        .text("Size", human_size(size))
        .text("TotalCount", total.to_string())
        .text("Type", kind)
}

/// Room that could be had, and its share where there is a whole.
fn share(reclaimable: i64, total: i64) -> String {
    let text = human_size(reclaimable);
    if total > 0 {
        let percent = reclaimable.saturating_mul(100) / total;
        return format!("{text} ({percent}%)");
    }
    text
}

fn image_summary(usage: &Value) -> Row {
    let images = usage.list("Images");
    let total = usage.int("LayersSize");
    let used: Vec<&Value> = images.iter().filter(|i| i.int("Containers") > 0).collect();
    let in_use: i64 = used
        .iter()
        .filter(|i| i.int("Size") != -1 && i.int("SharedSize") != -1)
        .map(|i| i.int("Size") - i.int("SharedSize"))
        .sum();
    summary(
        "Images",
        images.len(),
        used.len(),
        total,
        share(total - in_use, total),
    )
}

fn container_summary(usage: &Value) -> Row {
    let containers = usage.list("Containers");
    let is_active = |c: &&Value| {
        let state = c.str("State");
        ["running", "paused", "restarting"].contains(&state)
    };
    let active = containers.iter().filter(is_active).count();
    let total: i64 = containers.iter().map(|c| c.int("SizeRw")).sum();
    let idle: i64 = containers
        .iter()
        .filter(|c| !is_active(c))
        .map(|c| c.int("SizeRw"))
        .sum();
    summary(
        "Containers",
        containers.len(),
        active,
        total,
        share(idle, total),
    )
}

fn volume_summary(usage: &Value) -> Row {
    let volumes = usage.list("Volumes");
    let size = |v: &&Value| v.get("UsageData").int("Size").max(0);
    let is_used = |v: &&Value| v.get("UsageData").int("RefCount") > 0;
    let total: i64 = volumes.iter().map(|v| size(&v)).sum();
    let idle: i64 = volumes
        .iter()
        .filter(|v| !is_used(v))
        .map(|v| size(&v))
        .sum();
    let active = volumes.iter().filter(is_used).count();
    summary(
        "Local Volumes",
        volumes.len(),
        active,
        total,
        share(idle, total),
    )
}

fn cache_summary(usage: &Value) -> Row {
    let cache = usage.list("BuildCache");
    let active = cache.iter().filter(|c| c.bool("InUse")).count();
    let own = || cache.iter().filter(|c| !c.bool("Shared"));
    let total: i64 = own().map(|c| c.int("Size")).sum();
    let used: i64 = own()
        .filter(|c| c.bool("InUse"))
        .map(|c| c.int("Size"))
        .sum();
    let reclaimable = human_size(total - used);
    summary("Build Cache", cache.len(), active, total, reclaimable)
}

fn verbose(arguments: &Arguments, usage: &Value) -> Result<i32, Failure> {
    let images: Vec<Row> = usage
        .list("Images")
        .iter()
        .flat_map(|image| {
            let name = images::names(image, false).into_iter().next();
            name.map(|name| images::row(image, &name, arguments.format.is_empty()))
        })
        .collect();
    let short = arguments.format.is_empty();
    let containers: Vec<Row> = usage
        .list("Containers")
        .iter()
        .map(|container| containers::row(container, short, false))
        .collect();
    let volumes: Vec<Row> = usage.list("Volumes").iter().map(volumes::row).collect();
    let cache: Vec<Row> = usage.list("BuildCache").iter().map(cache_row).collect();
    if !arguments.format.is_empty() {
        let lists = [
            ("Images", images),
            ("Containers", containers),
            ("Volumes", volumes),
            ("BuildCache", cache),
        ];
        let lists = lists.map(|(name, rows)| {
            let rows: Vec<String> = rows.into_iter().map(list::row_json).collect();
            format!("\"{name}\":[{}]", rows.join(","))
        });
        output::print(&format!("{{{}}}", lists.join(",")));
        return Ok(0);
    }
    let sections = [
        (
            "Images space usage:",
            &images::COLUMNS,
            images,
            "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
        ),
        (
            "Containers space usage:",
            &containers::COLUMNS,
            containers,
            "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}",
        ),
        (
            "Local Volumes space usage:",
            &volumes::COLUMNS,
            volumes,
            "table {{.Name}}\t{{.Links}}\t{{.Size}}",
        ),
    ];
    for (title, columns, rows, template) in sections {
        output::print(&format!("{title}\n\n"));
        Format::parse("", template)?.print(columns, rows)?;
        output::line("");
    }
    let own = usage
        .list("BuildCache")
        .iter()
        .filter(|c| !c.bool("Shared"));
    let total: i64 = own.map(|c| c.int("Size")).sum();
    output::print(&format!("Build cache usage: {}\n\n", human_size(total)));
    const CACHE: &str = "table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}";
    Format::parse("", CACHE)?.print(&CACHE_COLUMNS, cache)?;
    Ok(0)
}

fn cache_row(entry: &Value) -> Row {
    let since = |key: &str| {
        entry
            .str(key)
            .parse::<dhow_model::timestamp::Timestamp>()
            .map(|instant| human::ago(instant.secs()))
            .unwrap_or_default()
    };
    Row::new(&CACHE_COLUMNS)
        .text("CacheType", entry.str("Type"))
        .text("CreatedSince", since("CreatedAt"))
        .text("ID", list::short_id(entry.str("ID")))
        .text("LastUsedSince", since("LastUsedAt"))
        .text("Shared", entry.bool("Shared").to_string())
        .text("Size", human_size(entry.int("Size")))
        .text("UsageCount", entry.int("UsageCount").to_string())
}
