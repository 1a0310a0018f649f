//! `image prune`: removes images nobody uses.

use clap::Args;
use dhow_client::Request;
use dhow_model::size::human_size;

use crate::commands::confirm;
use crate::failure::Failure;
use crate::options::filter;
use crate::output;
use crate::session::Session;

/// Remove unused images
#[derive(Args)]
pub struct Arguments {
    /// Remove all that no container uses, not only nameless ones
    #[arg(short, long)]
    all: bool,
    /// Remove only what fits (until=24h, label=…)
    #[arg(long = "filter", value_name = "filter", value_parser = filter::parse)]
    filters: Vec<(String, String)>,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let warning = if arguments.all {
        "WARNING! This will remove all images without at least one container associated to them."
    } else {
        "WARNING! This will remove all dangling images."
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
    filters.push(("dangling".to_owned(), (!all).to_string()));
    let request = Request::post("/images/prune").query_if("filters", filter::to_query(&filters));
    let answer = session.json(request).await?;
    let mut text = String::new();
    let deleted = answer.list("ImagesDeleted");
    if !deleted.is_empty() {
        text.push_str("Deleted Images:\n");
        for item in deleted {
            match item.str("Untagged") {
                "" => text.push_str(&format!("deleted: {}\n", item.str("Deleted"))),
                untagged => text.push_str(&format!("untagged: {untagged}\n")),
            }
        }
        text.push('\n');
    }
    Ok((answer.int("SpaceReclaimed"), text))
}
