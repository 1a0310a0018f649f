//! `context update`: another description, another endpoint.

use clap::Args;
use dhow_client::context;

use super::endpoint::{self, Flags};
use super::store;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Change a context
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[arg(required = true, value_name = "CONTEXT")]
    context: String,
}

/// Runs it. A new endpoint replaces the old one with all that belongs to it,
/// certificates included.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let store = store(session);
    let name = arguments.context;
    context::check_name(&name)?;
    let mut context = store.find(&name)?;
    let mut material = store.material(&name)?;
    if !arguments.flags.description.is_empty() {
        context.describe(&arguments.flags.description);
    }
    if !arguments.flags.docker.is_empty() {
        let settings = &arguments.flags.docker;
        endpoint::apply(settings, &mut context, &mut material, session, &store)?;
    }
    store.save(&context, &material)?;
    output::line(&name);
    output::warn(&format!("Successfully updated context {name:?}"));
    Ok(0)
}
