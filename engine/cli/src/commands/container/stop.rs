//! `stop` and `restart`: ask containers to stop, and make them after a while.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::commands::each;
use crate::failure::Failure;
use crate::options::flag;
use crate::session::Session;

/// Stop running containers
#[derive(Args)]
pub struct StopArguments {
    #[command(flatten)]
    stopping: Stopping,
}

/// Restart containers
#[derive(Args)]
pub struct RestartArguments {
    #[command(flatten)]
    stopping: Stopping,
}

// No documentation comment: it would become that of each command.
#[derive(Args)]
struct Stopping {
    /// The signal that asks them to
    #[arg(short, long)]
    signal: Option<String>,
    /// Seconds to wait before killing them; -1 to wait forever
    #[arg(short, long = "timeout", visible_alias = "time", value_name = "int", value_parser = flag::int)]
    timeout: Option<i64>,
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    containers: Vec<String>,
}

/// Runs `stop`.
pub async fn stop(arguments: StopArguments, session: &Session) -> Result<i32, Failure> {
    post(arguments.stopping, "stop", session).await
}

/// Runs `restart`.
pub async fn restart(arguments: RestartArguments, session: &Session) -> Result<i32, Failure> {
    post(arguments.stopping, "restart", session).await
}

async fn post(stopping: Stopping, endpoint: &str, session: &Session) -> Result<i32, Failure> {
    each(&stopping.containers, |container| {
        let request = Request::post(path(&container, endpoint))
            .query_if("t", stopping.timeout)
            .query_if("signal", stopping.signal.as_ref());
        async move {
            session.done(request).await?;
            Ok(container)
        }
    })
    .await
}
