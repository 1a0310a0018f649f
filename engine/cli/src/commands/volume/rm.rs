//! `volume rm`: removes volumes.

use clap::Args;
use dhow_client::{Request, encode};

use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Remove volumes
#[derive(Args)]
pub struct Arguments {
    /// Do not fail for those that are gone
    #[arg(short, long)]
    force: bool,
    #[arg(required = true, value_name = "VOLUME [VOLUME...]")]
    volumes: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let mut failures = Vec::new();
    for volume in &arguments.volumes {
        let request =
            Request::delete(format!("/volumes/{}", encode(volume))).flag("force", arguments.force);
        match session.done(request).await {
            Ok(()) => output::line(volume),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of_several(failures)?;
    Ok(0)
}
