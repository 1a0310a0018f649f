//! `search`: looks for images on Docker Hub.

use clap::Args;
use dhow_client::{Request, credentials};

use crate::failure::Failure;
use crate::format::Value;
use crate::options::{filter, flag};
use crate::output::list::{self, Columns, Format, Row};
use crate::session::Session;

/// Look for images on Docker Hub
#[derive(Args)]
pub struct Arguments {
    /// Show only what fits (name=value)
    #[arg(short, long = "filter", value_name = "filter", value_parser = filter::parse)]
    filters: Vec<(String, String)>,
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long, default_value = "")]
    format: String,
    /// Show so many at most
    #[arg(long, value_name = "int", value_parser = flag::int)]
    limit: Option<i64>,
    /// Show everything in full
    #[arg(long)]
    no_trunc: bool,
    #[arg(required = true, value_name = "TERM")]
    term: String,
}

const COLUMNS: Columns = Columns {
    go_type: "*registry.searchContext",
    failure: list::PARSING,
    headers: &[
        ("Name", "NAME"),
        ("Description", "DESCRIPTION"),
        ("StarCount", "STARS"),
        ("IsOfficial", "OFFICIAL"),
        ("IsAutomated", "AUTOMATED"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    const USUAL: &str = "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}";
    let format = Format::parse(&arguments.format, USUAL)?;
    let domain = match arguments.term.split_once('/') {
        Some((domain, _)) if domain.contains(['.', ':']) || domain == "localhost" => domain,
        _ => "docker.io",
    };
    let key = credentials::registry_key(domain);
    let found = credentials::lookup(&session.target()?.config, key).await?;
    let mut request = Request::get("/images/search")
        .query("term", &arguments.term)
        .query_if("limit", arguments.limit.filter(|n| *n > 0))
        .query_if("filters", filter::to_query(&arguments.filters));
    if !found.is_empty() {
        request = request.header("x-registry-auth", &found.header());
    }
    let answer = session.json(request).await?;
    let mut results: Vec<&Value> = answer.items().iter().collect();
    results.sort_by_key(|result| std::cmp::Reverse(result.int("star_count")));
    let mark = |yes: bool| if yes { "[OK]" } else { "" };
    let rows = results.into_iter().map(|result| {
        let description = result.str("description").replace(['\n', '\r'], " ");
        let description = if arguments.no_trunc {
            description
        } else {
            list::ellipsis(&description, 45)
        };
        Row::new(&COLUMNS)
            .text("Description", description)
            .text("IsAutomated", mark(result.bool("is_automated")))
            .text("IsOfficial", mark(result.bool("is_official")))
            .text("Name", result.str("name"))
            .text("StarCount", result.int("star_count").to_string())
    });
    format.print(&COLUMNS, rows.collect())?;
    Ok(0)
}
