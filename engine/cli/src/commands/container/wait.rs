//! `wait`: waits for containers to stop and prints their exit codes.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Wait until containers stop, and print their exit codes
#[derive(Args)]
pub struct Arguments {
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    containers: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let mut failures = Vec::new();
    for container in &arguments.containers {
        match session.json(Request::post(path(container, "wait"))).await {
            Ok(answer) => output::line(&answer.int("StatusCode").to_string()),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of_several(failures)?;
    Ok(0)
}
