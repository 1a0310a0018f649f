//! `pause` and `unpause`: freezes and thaws containers.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::commands::each;
use crate::failure::Failure;
use crate::session::Session;

/// Freeze everything in containers
#[derive(Args)]
pub struct PauseArguments {
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    containers: Vec<String>,
}

/// Let frozen containers go on
#[derive(Args)]
pub struct UnpauseArguments {
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    containers: Vec<String>,
}

/// Runs `pause`.
pub async fn pause(arguments: PauseArguments, session: &Session) -> Result<i32, Failure> {
    post(&arguments.containers, "pause", session).await
}

/// Runs `unpause`.
pub async fn unpause(arguments: UnpauseArguments, session: &Session) -> Result<i32, Failure> {
    post(&arguments.containers, "unpause", session).await
}

async fn post(containers: &[String], endpoint: &str, session: &Session) -> Result<i32, Failure> {
    each(containers, |container| async move {
        session
            .done(Request::post(path(&container, endpoint)))
            .await?;
        Ok(container)
    })
    .await
}
