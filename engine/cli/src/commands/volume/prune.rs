//! `volume prune`: removes volumes nobody uses.

use clap::Args;

use crate::commands::prune::{self, Flags, Pruned};
use crate::failure::Failure;
use crate::session::Session;

/// Remove unused volumes
#[derive(Args)]
pub struct Arguments {
    /// Remove named ones, too
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let flags = &arguments.flags;
    if arguments.all {
        if flags.filters.iter().any(|(name, _)| name == "all") {
            return Err(Failure::message(
                "conflicting options: cannot specify both --all and --filter all=1",
            ));
        }
        session.require_version("all", 42).await?;
    }
    // Engines before 1.42 know no difference.
    let everything =
        arguments.all || (!flags.force && session.client()?.negotiate().await?.minor < 42);
    let warning = if everything {
        "WARNING! This will remove all local volumes not used by at least one container."
    } else {
        "WARNING! This will remove anonymous local volumes not used by at least one container."
    };
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
    if all {
        filters.push(("all".to_owned(), "true".to_owned()));
    }
    let answer = prune::ask(session, "/volumes/prune", &filters).await?;
    let deleted = answer.list("VolumesDeleted");
    let text = prune::list("Deleted Volumes", deleted, prune::name);
    Ok((answer.int("SpaceReclaimed"), text))
}
