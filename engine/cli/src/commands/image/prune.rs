//! `image prune`: removes images nobody uses.

use clap::Args;

use crate::commands::prune::{self, Flags, Pruned};
use crate::failure::Failure;
use crate::session::Session;

/// Remove unused images
#[derive(Args)]
pub struct Arguments {
    /// Remove all that no container uses, not only nameless ones
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let warning = if arguments.all {
        "WARNING! This will remove all images without at least one container associated to them."
    } else {
        "WARNING! This will remove all dangling images."
    };
    let flags = &arguments.flags;
    if flags.allow(warning)? {
        prune::report(prune(session, &flags.filters, arguments.all).await?);
    }
    Ok(0)
}

/// Removes them.
pub async fn prune(
    session: &Session,
    filters: &[(String, String)],
    all: bool,
) -> Result<Pruned, Failure> {
    let mut filters = filters.to_vec();
    filters.push(("dangling".to_owned(), (!all).to_string()));
    let answer = prune::ask(session, "/images/prune", &filters).await?;
    let deleted = answer.list("ImagesDeleted");
    let text = prune::list("Deleted Images", deleted, |item| {
        match item.str("Untagged") {
            "" => format!("deleted: {}", item.str("Deleted")),
            untagged => format!("untagged: {untagged}"),
        }
    });
    Ok((answer.int("SpaceReclaimed"), text))
}
