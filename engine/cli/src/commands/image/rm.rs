//! `rmi`: removes images, or names of them.

use clap::Args;
use dhow_client::{Request, encode};

use crate::commands::inspect::platform_json;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Remove images
#[derive(Args)]
pub struct Arguments {
    /// Remove what has other names or stopped containers, too
    #[arg(short, long)]
    force: bool,
    /// Keep nameless images that only these were made from
    #[arg(long)]
    no_prune: bool,
    /// Remove only this platform of an image that has several (os/architecture)
    #[arg(long)]
    platform: Option<String>,
    #[arg(required = true, value_name = "IMAGE [IMAGE...]")]
    images: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let platform = arguments
        .platform
        .as_deref()
        .map(platform_json)
        .transpose()?;
    let mut failures = Vec::new();
    // One after the other: a name may be the last of an image another name on
    // the command line has, and which of them deletes it is the order's.
    for image in &arguments.images {
        let request = Request::delete(format!("/images/{}", encode(image)))
            .flag("force", arguments.force)
            .flag("noprune", arguments.no_prune)
            .query_if("platforms", platform.as_ref());
        match session.json(request).await {
            Ok(answer) => output::print(&deletions(answer.items())),
            Err(failure) => failures.push(failure),
        }
    }
    match Failure::of_several(failures) {
        Err(failure) if arguments.force && failure.all_not_found() => Err(failure.with_code(0)),
        Err(failure) => Err(failure),
        Ok(()) => Ok(0),
    }
}

/// What was removed, a line each.
pub fn deletions(items: &[crate::format::Value]) -> String {
    let mut text = String::new();
    for item in items {
        match item.str("Deleted") {
            "" => text.push_str(&format!("Untagged: {}\n", item.str("Untagged"))),
            deleted => text.push_str(&format!("Deleted: {deleted}\n")),
        }
    }
    text
}
