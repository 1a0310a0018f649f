//! `container prune`: removes containers that do not run.

use clap::Args;

use crate::commands::prune::{self, Flags, Pruned};
use crate::failure::Failure;
use crate::session::Session;

/// Remove all stopped containers
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let flags = &arguments.flags;
    if flags.allow("WARNING! This will remove all stopped containers.")? {
        prune::report(prune(session, &flags.filters).await?);
    }
    Ok(0)
}

/// Removes them.
pub async fn prune(session: &Session, filters: &[(String, String)]) -> Result<Pruned, Failure> {
    let answer = prune::ask(session, "/containers/prune", filters).await?;
    let deleted = answer.list("ContainersDeleted");
    let text = prune::list("Deleted Containers", deleted, prune::name);
    Ok((answer.int("SpaceReclaimed"), text))
}
