//! `context rm`: removes contexts with their certificates and keys.

use clap::Args;
use dhow_client::ConfigFile;
use dhow_client::context::{DEFAULT, Store};

use super::select::own_file;
use super::{config, current, overriding_variable, store};
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Remove contexts
#[derive(Args)]
pub struct Arguments {
    /// Remove even the context in use
    #[arg(short, long)]
    force: bool,
    #[arg(required = true, value_name = "CONTEXT [CONTEXT...]")]
    contexts: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let store = store(session);
    let mut failures = Vec::new();
    for name in &arguments.contexts {
        match remove(name, arguments.force, session, &store) {
            Ok(()) => output::line(name),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of_several(failures)?;
    Ok(0)
}

fn remove(name: &str, force: bool, session: &Session, store: &Store) -> Result<(), Failure> {
    let refused = |reason: &str| Err(Failure::message(format!("context {name:?} {reason}")));
    if name == DEFAULT {
        return refused("cannot be removed");
    }
    let used = is_used(name, session)?;
    if !force && used {
        return refused("is in use, set -f flag to force remove");
    }
    if !force && !store.has(name) {
        return refused("does not exist");
    }
    if used {
        for file in [own_file(session)?, config(session)?] {
            forget(name, file)?;
        }
    }
    Ok(store.remove(name)?)
}

/// Whether this client means it, or Docker's, whose contexts these are too.
fn is_used(name: &str, session: &Session) -> Result<bool, Failure> {
    let config = config(session)?;
    if current(session, &config)? == name {
        return Ok(true);
    }
    let theirs = config.text("currentContext") == Some(name);
    Ok(theirs && overriding_variable(session).is_none() && session.choice.hosts.is_empty())
}

fn forget(name: &str, mut file: ConfigFile) -> Result<(), Failure> {
    if file.text("currentContext") == Some(name) {
        file.set_text("currentContext", None);
        file.save()?;
    }
    Ok(())
}
