//! `kill`: sends containers a signal.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::commands::each;
use crate::failure::Failure;
use crate::session::Session;

/// Kill running containers
#[derive(Args)]
pub struct Arguments {
    /// The signal to send
    #[arg(short, long)]
    signal: Option<String>,
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    containers: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    each(&arguments.containers, |container| {
        let request =
            Request::post(path(&container, "kill")).query_if("signal", arguments.signal.as_ref());
        async move {
            session.done(request).await?;
            Ok(container)
        }
    })
    .await
}
