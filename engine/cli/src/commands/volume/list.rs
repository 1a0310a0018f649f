//! `volume ls`: lists volumes.

use clap::Args;
use dhow_client::Request;
use dhow_model::size::human_size;

use crate::failure::Failure;
use crate::format::Value;
use crate::options::filter;
use crate::output::list::{self, Columns, Format, Row};
use crate::output::order::natural;
use crate::session::Session;

/// List volumes
#[derive(Args)]
pub struct Arguments {
    /// Show only what fits (name=value)
    #[arg(short, long = "filter", value_name = "filter", value_parser = filter::parse)]
    filters: Vec<(String, String)>,
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long)]
    format: Option<String>,
    /// Show names only
    #[arg(short, long)]
    quiet: bool,
}

/// The columns of a list of volumes.
pub const COLUMNS: Columns = Columns {
    go_type: "*formatter.volumeContext",
    failure: list::PARSING,
    headers: &[
        ("Name", "VOLUME NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("Availability", "AVAILABILITY"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Labels", "LABELS"),
        ("Links", "LINKS"),
        ("Size", "SIZE"),
        ("Group", "GROUP"),
        ("Status", "STATUS"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let config = &session.target()?.config;
    let format = Format::chosen(
        arguments.format.as_deref(),
        arguments.quiet,
        config.text("volumesFormat"),
        "{{.Name}}",
        "table {{.Driver}}\t{{.Name}}",
    )?;
    let request =
        Request::get("/volumes").query_if("filters", filter::to_query(&arguments.filters));
    let answer = session.json(request).await?;
    let mut volumes: Vec<&Value> = answer.list("Volumes").iter().collect();
    volumes.sort_by_key(|volume| natural(volume.str("Name")));
    format.print(&COLUMNS, volumes.into_iter().map(row).collect())?;
    Ok(0)
}

/// A volume as a row.
pub fn row(volume: &Value) -> Row {
    let labels = volume.texts("Labels");
    let usage = volume.get("UsageData");
    let known = |key: &str, text: fn(i64) -> String| match usage.is_nil() {
        true => "N/A".to_owned(),
        false => text(usage.int(key)),
    };
    Row::new(&COLUMNS)
        .text("Availability", "N/A")
        .text("Driver", volume.str("Driver"))
        .text("Group", "N/A")
        .text("Labels", list::joined(&labels))
        .text("Links", known("RefCount", |count| count.to_string()))
        .text("Mountpoint", volume.str("Mountpoint"))
        .text("Name", volume.str("Name"))
        .text("Scope", volume.str("Scope"))
        .text("Size", known("Size", human_size))
        .text("Status", "N/A")
        .labels(labels)
}
