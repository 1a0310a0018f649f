//! `network rm`: removes networks.

use clap::Args;
use dhow_client::{Request, encode};

use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Remove networks
#[derive(Args)]
pub struct Arguments {
    /// Do not fail for those that are gone
    #[arg(short, long)]
    force: bool,
    #[arg(required = true, value_name = "NETWORK [NETWORK...]")]
    networks: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let mut failed = false;
    for network in &arguments.networks {
        let request = Request::delete(format!("/networks/{}", encode(network)));
        match session.done(request).await {
            Ok(()) => output::line(network),
            Err(failure) if arguments.force && failure.is_not_found() => {}
            Err(failure) => {
                output::warn(&failure.text(session.program).unwrap_or_default());
                failed = true;
            }
        }
    }
    if failed {
        return Err(Failure::told(1));
    }
    Ok(0)
}
