//! `rename`: gives a container another name.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Rename a container
#[derive(Args)]
pub struct Arguments {
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
    #[arg(required = true, value_name = "NEW_NAME")]
    name: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let (old, new) = (arguments.container.trim(), arguments.name.trim());
    if old.is_empty() || new.is_empty() {
        return Err(Failure::message(
            "Error: Neither old nor new names may be empty",
        ));
    }
    let request = Request::post(path(old, "rename")).query("name", new);
    if let Err(failure) = session.done(request).await {
        output::warn(&failure.text(session.program).unwrap_or_default());
        return Err(Failure::message(format!(
            "Error: failed to rename container named {old}"
        )));
    }
    Ok(0)
}
