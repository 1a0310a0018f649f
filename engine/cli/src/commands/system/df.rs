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
    go_type: "*formatter.diskUsageImagesContext",
    failure: list::PARSING,
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
    failure: list::PARSING,
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
    let request = Request::get("/system/df").flag("verbose", arguments.verbose);
    let usage = session.json(request).await?;
    if arguments.verbose {
        return verbose(&arguments, &usage);
    }
    const USUAL: &str =
        "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";
    let format = Format::parse(&arguments.format, USUAL)?;
    let rows = KINDS.map(|kind| {
        let totals = totals(&usage, kind);
        let reclaimable = match kind.0 {
            "Build Cache" => human_size(totals.reclaimable),
            _ => share(totals.reclaimable, totals.size),
        };
        Row::new(&COLUMNS)
            .text("Active", totals.active.to_string())
            .text("Reclaimable", reclaimable)
            .text("Size", human_size(totals.size))
            .text("TotalCount", totals.count.to_string())
            .text("Type", kind.0)
    });
    let rows = rows.into_iter().collect();
    format.print(&COLUMNS, rows)?;
    Ok(0)
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

/// What one kind of thing takes.
#[derive(Default)]
struct Totals {
    count: usize,
    active: usize,
    size: i64,
    reclaimable: i64,
}

/// The kinds, with their keys in answers since API 1.52 and before.
const KINDS: [(&str, &str, &str); 4] = [
    ("Images", "ImageUsage", "Images"),
    ("Containers", "ContainerUsage", "Containers"),
    ("Local Volumes", "VolumeUsage", "Volumes"),
    ("Build Cache", "BuildCacheUsage", "BuildCache"),
];

/// Newer engines add up themselves; older ones list everything there is.
fn totals(usage: &Value, (_, new, old): (&str, &str, &str)) -> Totals {
    let summed = usage.get(new);
    if !summed.is_nil() {
        let count = |key: &str| usize::try_from(summed.int(key)).unwrap_or(0);
        return Totals {
            count: count("TotalCount"),
            active: count("ActiveCount"),
            size: summed.int("TotalSize"),
            reclaimable: summed.int("Reclaimable"),
        };
    }
    let items = usage.list(old);
    match old {
        "Images" => image_totals(items, usage.int("LayersSize")),
        "Containers" => add_up(
            items,
            |c| c.int("SizeRw"),
            |c| ["running", "paused", "restarting"].contains(&c.str("State")),
        ),
        "Volumes" => add_up(
            items,
            |v| v.get("UsageData").int("Size").max(0),
            |v| v.get("UsageData").int("RefCount") > 0,
        ),
        _ => {
            let own = |c: &Value| if c.bool("Shared") { 0 } else { c.int("Size") };
            add_up(items, own, |c| c.bool("InUse"))
        }
    }
}

fn add_up(
    items: &[Value],
    size: impl Fn(&Value) -> i64,
    is_active: impl Fn(&Value) -> bool,
) -> Totals {
    let mut totals = Totals {
        count: items.len(),
        ..Totals::default()
    };
    for item in items {
        totals.size += size(item);
        if is_active(item) {
            totals.active += 1;
        } else {
            totals.reclaimable += size(item);
        }
    }
    totals
}

/// Layers are shared: what images in use do not share is what must stay.
fn image_totals(images: &[Value], layers: i64) -> Totals {
    let used: Vec<&Value> = images.iter().filter(|i| i.int("Containers") > 0).collect();
    let in_use: i64 = used
        .iter()
        .filter(|i| i.int("Size") != -1 && i.int("SharedSize") != -1)
        .map(|i| i.int("Size") - i.int("SharedSize"))
        .sum();
    Totals {
        count: images.len(),
        active: used.len(),
        size: layers,
        reclaimable: layers - in_use,
    }
}

fn items<'a>(usage: &'a Value, (_, new, old): (&str, &str, &str)) -> &'a [Value] {
    match usage.get(new).is_nil() {
        true => usage.list(old),
        false => usage.get(new).list("Items"),
    }
}

fn verbose(arguments: &Arguments, usage: &Value) -> Result<i32, Failure> {
    let [image_kind, container_kind, volume_kind, cache_kind] = KINDS;
    let images: Vec<Row> = items(usage, image_kind)
        .iter()
        .flat_map(|image| {
            let name = images::names(image, false).into_iter().next();
            name.map(|name| images::row(image, &name, arguments.format.is_empty()))
        })
        .collect();
    let short = arguments.format.is_empty();
    let containers: Vec<Row> = items(usage, container_kind)
        .iter()
        .map(|container| containers::row(container, short, false))
        .collect();
    let volumes: Vec<Row> = items(usage, volume_kind).iter().map(volumes::row).collect();
    let cache: Vec<Row> = items(usage, cache_kind).iter().map(cache_row).collect();
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
    let total = totals(usage, cache_kind).size;
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
