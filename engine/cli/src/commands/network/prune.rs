//! `network prune`: removes networks nobody uses.

use clap::Args;

use crate::commands::prune::{self, Flags, Pruned};
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Remove all unused networks
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    const WARNING: &str =
        "WARNING! This will remove all custom networks not used by at least one container.";
    let flags = &arguments.flags;
    if flags.allow(WARNING)? {
        let (_, text) = prune(session, &flags.filters).await?;
        output::print(&text);
    }
    Ok(0)
}

/// Removes them, which makes no room. An engine without networks of people's
/// own has none to remove.
pub async fn prune(session: &Session, filters: &[(String, String)]) -> Result<Pruned, Failure> {
    let answer = match prune::ask(session, "/networks/prune", filters).await {
        Err(failure)
            if failure.client_error().and_then(dhow_client::Error::status) == Some(501) =>
        {
            return Ok((0, String::new()));
        }
        answer => answer?,
    };
    let deleted = answer.list("NetworksDeleted");
    Ok((0, prune::list("Deleted Networks", deleted, prune::name)))
}
