//! `volume prune`: removes volumes nobody uses.

use clap::Args;
use dhow_client::Request;
use dhow_model::size::human_size;

use crate::commands::confirm;
use crate::failure::Failure;
use crate::format::Value;
use crate::options::filter;
use crate::output;
use crate::session::Session;

/// Remove unused volumes
#[derive(Args)]
pub struct Arguments {
    /// Remove named ones, too
    #[arg(short, long)]
    all: bool,
    /// Remove only what fits (label=…)
    #[arg(long = "filter", value_name = "filter", value_parser = filter::parse)]
    filters: Vec<(String, String)>,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    if arguments.all {
        if arguments.filters.iter().any(|(name, _)| name == "all") {
            return Err(Failure::message(
                "conflicting options: cannot specify both --all and --filter all=1",
            ));
        }
        session.require_version("all", 42).await?;
    }
    // Engines before 1.42 know no difference.
    let everything =
        arguments.all || (!arguments.force && session.client()?.negotiate().await?.minor < 42);
    let warning = if everything {
        "WARNING! This will remove all local volumes not used by at least one container."
    } else {
        "WARNING! This will remove anonymous local volumes not used by at least one container."
    };
    if !arguments.force && !confirm(warning)? {
        return Ok(0);
    }
    let (space, text) = prune(session, &arguments.filters, arguments.all).await?;
    output::print(&text);
    output::line(&format!("Total reclaimed space: {}", human_size(space)));
    Ok(0)
}

/// Removes them; how much room that made, and the list of them.
pub async fn prune(
    session: &Session,
    filters: &[(String, String)],
    all: bool,
) -> Result<(i64, String), Failure> {
    let mut filters = filters.to_vec();
    if all {
        filters.push(("all".to_owned(), "true".to_owned()));
    }
    let request = Request::post("/volumes/prune").query_if("filters", filter::to_query(&filters));
    let answer = session.json(request).await?;
    let mut text = String::new();
    let deleted = answer.list("VolumesDeleted");
    if !deleted.is_empty() {
        text.push_str("Deleted Volumes:\n");
        for name in deleted.iter().filter_map(Value::as_str) {
            text.push_str(&format!("{name}\n"));
        }
        text.push('\n');
    }
    Ok((answer.int("SpaceReclaimed"), text))
}
