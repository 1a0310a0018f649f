//! `context use` and `context show`: the context that is meant from now on.

use clap::Args;
use dhow_client::ConfigFile;
use dhow_client::context::{self, DEFAULT};

use super::{config, current, overriding_variable, store};
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Print the name of the context in use
#[derive(Args)]
pub struct ShowArguments {}

/// Use another context from now on
#[derive(Args)]
pub struct UseArguments {
    #[arg(required = true, value_name = "CONTEXT")]
    context: String,
}

/// Runs `context show`.
pub async fn show(_: ShowArguments, session: &Session) -> Result<i32, Failure> {
    output::line(&current(session, &config(session)?)?);
    Ok(0)
}

/// Runs `context use`. Under its own name the choice is kept apart from
/// Docker's, so that neither client changes what the other talks to.
pub async fn choose(arguments: UseArguments, session: &Session) -> Result<i32, Failure> {
    let name = arguments.context;
    if name != DEFAULT {
        context::check_name(&name)?;
        store(session).find(&name)?;
    }
    let mut file = own_file(session)?;
    let value = (name != DEFAULT || !session.program.is_docker()).then_some(name.as_str());
    if file.text("currentContext") != value {
        file.set_text("currentContext", value);
        file.save()?;
    }
    output::line(&name);
    output::warn(&format!("Current context is now {name:?}"));
    if let Some(variable) = overriding_variable(session).filter(|_| name != DEFAULT) {
        output::warn(&format!(
            "Warning: {variable} environment variable overrides the active context. To use {name:?}, either set the global --context flag, or unset {variable} environment variable."
        ));
    }
    Ok(0)
}

/// The file with this program's own choice.
pub fn own_file(session: &Session) -> Result<ConfigFile, Failure> {
    match &session.environment.own_config {
        Some(own) if !session.program.is_docker() => Ok(ConfigFile::load(own)?),
        _ => config(session),
    }
}
