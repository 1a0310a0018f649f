//! `system prune`: removes everything nobody uses.

use clap::Args;
use dhow_client::Request;

use crate::commands::prune::{self, Flags, Pruned};
use crate::commands::{container, image, network, volume};
use crate::failure::Failure;
use crate::options::filter;
use crate::output;
use crate::session::Session;

/// Remove everything unused
#[derive(Args)]
pub struct Arguments {
    /// Remove all images that no container uses, not only nameless ones
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    flags: Flags,
    /// Remove anonymous volumes, too
    #[arg(long)]
    volumes: bool,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let filters = &arguments.flags.filters;
    let has_until = filters.iter().any(|(name, _)| name == "until");
    if arguments.volumes && has_until {
        return Err(Failure::message(
            "ERROR: The \"until\" filter is not supported with \"--volumes\"",
        ));
    }
    if !arguments.flags.allow(&warning(&arguments))? {
        return Ok(0);
    }
    let mut total = 0;
    let mut print = |(space, text): Pruned| {
        total += space;
        output::print(&text);
    };
    print(container::prune::prune(session, filters).await?);
    print(network::prune::prune(session, filters).await?);
    if arguments.volumes {
        print(volume::prune::prune(session, filters, false).await?);
    }
    print(image::prune::prune(session, filters, arguments.all).await?);
    print(cache(session, &arguments).await?);
    prune::report((total, String::new()));
    Ok(0)
}

/// An engine that builds nothing has no cache to prune.
async fn cache(session: &Session, arguments: &Arguments) -> Result<Pruned, Failure> {
    let request = Request::post("/build/prune")
        .flag("all", arguments.all)
        .query_if("filters", filter::to_query(&arguments.flags.filters));
    match session.json(request).await {
        Ok(answer) => {
            let deleted = answer.list("CachesDeleted");
            let text = prune::list("Deleted build cache objects", deleted, prune::name);
            Ok((answer.int("SpaceReclaimed"), text))
        }
        Err(failure) => match failure.client_error().and_then(dhow_client::Error::status) {
            Some(404 | 501) => Ok((0, String::new())),
            _ => Err(failure),
        },
    }
}

fn warning(arguments: &Arguments) -> String {
    let mut what = vec![
        "all stopped containers",
        "all networks not used by at least one container",
    ];
    if arguments.volumes {
        what.push("all anonymous volumes not used by at least one container");
    }
    if arguments.all {
        what.push("all images without at least one container associated to them");
        what.push("all build cache");
    } else {
        what.push("all dangling images");
        what.push("unused build cache");
    }
    let mut text = String::from("WARNING! This will remove:\n");
    for item in what {
        text.push_str(&format!("  - {item}\n"));
    }
    if !arguments.flags.filters.is_empty() {
        text.push_str("\n  Items to be pruned will be filtered with:\n");
        for (name, value) in &arguments.flags.filters {
            text.push_str(&format!("  - {name}={value}\n"));
        }
    }
    text
}
