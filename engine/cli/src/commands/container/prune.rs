//! `container prune`: removes containers that do not run.

use clap::Args;
use dhow_client::Request;
use dhow_model::size::human_size;

use crate::commands::confirm;
use crate::failure::Failure;
use crate::format::Value;
use crate::options::filter;
use crate::output;
use crate::session::Session;

/// Remove all stopped containers
#[derive(Args)]
pub struct Arguments {
    /// Remove only what fits (until=24h, label=…)
    #[arg(long = "filter", value_name = "filter", value_parser = filter::parse)]
    filters: Vec<(String, String)>,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    const WARNING: &str = "WARNING! This will remove all stopped containers.";
    if !arguments.force && !confirm(WARNING)? {
        return Ok(0);
    }
    let (space, text) = prune(session, &arguments.filters).await?;
    output::print(&text);
    output::line(&format!("Total reclaimed space: {}", human_size(space)));
    Ok(0)
}

/// Removes them; how much room that made, and the list of them.
pub async fn prune(
    session: &Session,
    filters: &[(String, String)],
) -> Result<(i64, String), Failure> {
    let request = Request::post("/containers/prune").query_if("filters", filter::to_query(filters));
    let answer = session.json(request).await?;
    let mut text = String::new();
    let deleted = answer.list("ContainersDeleted");
    if !deleted.is_empty() {
        text.push_str("Deleted Containers:\n");
        for id in deleted.iter().filter_map(Value::as_str) {
            text.push_str(id);
            text.push('\n');
        }
        text.push('\n');
    }
    Ok((answer.int("SpaceReclaimed"), text))
}
