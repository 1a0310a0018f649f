//! `stop`: asks containers to stop, and makes them after a while.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::commands::each;
use crate::failure::Failure;
use crate::options::flag;
use crate::session::Session;

/// Stop running containers
#[derive(Args)]
pub struct Arguments {
    /// The signal that asks them to
    #[arg(short, long)]
    signal: Option<String>,
    /// Seconds to wait before killing them; -1 to wait forever
    #[arg(short, long = "timeout", visible_alias = "time", value_name = "int", allow_hyphen_values = true, value_parser = flag::int)]
    timeout: Option<i64>,
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    containers: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    each(&arguments.containers, |container| {
        let request = Request::post(path(&container, "stop"))
            .query_if("t", arguments.timeout)
            .query_if("signal", arguments.signal.as_ref());
        async move {
            session.done(request).await?;
            Ok(container)
        }
    })
    .await
}
