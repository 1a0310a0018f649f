//! `load`: takes images from an archive.

use clap::Args;
use dhow_client::Request;

use crate::commands::from_terminal;
use crate::commands::inspect::platform_json;
use crate::commands::stream::{file_stream, stdin_stream};
use crate::failure::{Failure, path_error};
use crate::output;
use crate::output::progress::Progress;
use crate::session::Session;

/// Take images from a tar archive
#[derive(Args)]
pub struct Arguments {
    /// Read from this file instead of standard input
    #[arg(short, long, default_value = "")]
    input: String,
    /// Take only this platform (os/architecture)
    #[arg(long)]
    platform: Option<String>,
    /// Say only what was loaded
    #[arg(short, long)]
    quiet: bool,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let body = if arguments.input.is_empty() {
        if from_terminal() {
            return Err(Failure::message(
                "requested load from stdin, but stdin is empty",
            ));
        }
        stdin_stream()
    } else {
        let path = &arguments.input;
        let file = std::fs::File::open(path)
            .map_err(|error| Failure::message(path_error("open", path, &error)))?;
        file_stream(file)
    };
    let quiet = arguments.quiet || !output::to_terminal();
    let platform = arguments
        .platform
        .as_deref()
        .map(platform_json)
        .transpose()?;
    let request = Request::post("/images/load")
        .query("quiet", if quiet { "1" } else { "0" })
        .query_if("platform", platform)
        .stream("application/x-tar", body);
    let response = session.client()?.send(request).await?;
    Progress::stdout(false).show(response, |_| {}).await?;
    Ok(0)
}
