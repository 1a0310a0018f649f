//! `export`: a container's files as an archive.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::commands::image::save;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Write a container's files as a tar archive
#[derive(Args)]
pub struct Arguments {
    /// Write to this file instead of standard output
    #[arg(short, long, default_value = "")]
    output: String,
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    if arguments.output.is_empty() && output::to_terminal() {
        return Err(Failure::message(
            "cowardly refusing to save to a terminal. Use the -o flag or redirect",
        ));
    }
    if !arguments.output.is_empty() {
        save::check_output(&arguments.output)
            .map_err(|reason| Failure::message(format!("failed to export container: {reason}")))?;
    }
    let request = Request::get(path(&arguments.container, "export"));
    let response = session.client()?.send(request).await?;
    save::write(response, &arguments.output).await?;
    Ok(0)
}
