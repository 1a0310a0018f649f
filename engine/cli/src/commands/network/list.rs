//! `network ls`: lists networks.

use clap::Args;
use dhow_client::Request;

use crate::failure::Failure;
use crate::format::Value;
use crate::options::filter;
use crate::output::human;
use crate::output::list::{self, Columns, Format, Row};
use crate::session::Session;

/// List networks
#[derive(Args)]
pub struct Arguments {
    /// Show only what fits (name=value)
    #[arg(short, long = "filter", value_name = "filter", value_parser = filter::parse)]
    filters: Vec<(String, String)>,
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long)]
    format: Option<String>,
    /// Show everything in full
    #[arg(long)]
    no_trunc: bool,
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
}

const COLUMNS: Columns = Columns {
    go_type: "*network.networkContext",
    failure: list::PARSING,
    headers: &[
        ("ID", "NETWORK ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("IPv4", "IPV4"),
        ("IPv6", "IPV6"),
        ("Internal", "INTERNAL"),
        ("Labels", "LABELS"),
        ("CreatedAt", "CREATED AT"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let config = &session.target()?.config;
    let format = Format::chosen(
        arguments.format.as_deref(),
        arguments.quiet,
        config.text("networksFormat"),
        "{{.ID}}",
        "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
    )?;
    let request =
        Request::get("/networks").query_if("filters", filter::to_query(&arguments.filters));
    let answer = session.json(request).await?;
    let mut networks: Vec<&Value> = answer.items().iter().collect();
    networks.sort_by_key(|network| network.str("Name").to_owned());
    let rows = networks.into_iter().map(|network| row(network, &arguments));
    format.print(&COLUMNS, rows.collect())?;
    Ok(0)
}

fn row(network: &Value, arguments: &Arguments) -> Row {
    let labels = network.texts("Labels");
    let id = network.str("Id");
    let truth = |key: &str| network.bool(key).to_string();
    Row::new(&COLUMNS)
        .text("CreatedAt", human::utc_time(network.str("Created")))
        .text("Driver", network.str("Driver"))
        .text(
            "ID",
            if arguments.no_trunc {
                id
            } else {
                list::short_id(id)
            },
        )
        .text("IPv4", truth("EnableIPv4"))
        .text("IPv6", truth("EnableIPv6"))
        .text("Internal", truth("Internal"))
        .text("Labels", list::joined(&labels))
        .text("Name", network.str("Name"))
        .text("Scope", network.str("Scope"))
        .labels(labels)
}
