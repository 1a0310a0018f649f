//! `rm`: removes containers.

use clap::Args;
use dhow_client::{Request, encode};

use crate::commands::each;
use crate::failure::Failure;
use crate::session::Session;

/// Remove containers
#[derive(Args)]
pub struct Arguments {
    /// Kill those that run; do not fail for those that are gone
    #[arg(short, long)]
    force: bool,
    /// Remove the link of that name only
    #[arg(short, long)]
    link: bool,
    /// Remove their anonymous volumes, too
    #[arg(short, long)]
    volumes: bool,
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    containers: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let result = each(&arguments.containers, |container| {
        let bare = container.trim_matches('/').to_owned();
        let request = Request::delete(format!("/containers/{}", encode(&bare)))
            .flag("force", arguments.force)
            .flag("link", arguments.link)
            .flag("v", arguments.volumes);
        async move {
            if bare.is_empty() {
                return Err(Failure::message("container name cannot be empty"));
            }
            session.done(request).await?;
            Ok(container)
        }
    })
    .await;
    match result {
        // What should be gone is gone: said, but no failure.
        Err(failure) if arguments.force && failure.all_not_found() => Err(failure.with_code(0)),
        other => other,
    }
}
