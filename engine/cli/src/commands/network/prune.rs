//! `network prune`: removes networks nobody uses.

use clap::Args;
use dhow_client::Request;

use crate::commands::confirm;
use crate::failure::Failure;
use crate::format::Value;
use crate::options::filter;
use crate::output;
use crate::session::Session;

/// Remove all unused networks
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
    const WARNING: &str =
        "WARNING! This will remove all custom networks not used by at least one container.";
    if !arguments.force && !confirm(WARNING)? {
        return Ok(0);
    }
    let (_, text) = prune(session, &arguments.filters).await?;
    output::print(&text);
    Ok(0)
}

/// Removes them; no room, and the list of them. An engine without networks of
/// people's own has none to remove.
pub async fn prune(
    session: &Session,
    filters: &[(String, String)],
) -> Result<(i64, String), Failure> {
    let request = Request::post("/networks/prune").query_if("filters", filter::to_query(filters));
    let answer = match session.json(request).await {
        Err(failure)
            if failure.client_error().and_then(dhow_client::Error::status) == Some(501) =>
        {
            return Ok((0, String::new()));
        }
        answer => answer?,
    };
    let mut text = String::new();
    let deleted = answer.list("NetworksDeleted");
    if !deleted.is_empty() {
        text.push_str("Deleted Networks:\n");
        for name in deleted.iter().filter_map(Value::as_str) {
            text.push_str(&format!("{name}\n"));
        }
        text.push('\n');
    }
    Ok((0, text))
}
