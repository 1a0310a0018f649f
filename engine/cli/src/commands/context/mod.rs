//! Commands about contexts: which engines there are, and which one is meant.

pub mod create;
mod endpoint;
pub mod inspect;
pub mod list;
pub mod rm;
pub mod select;
pub mod transfer;
pub mod update;

use dhow_client::context::{self, Context, ContextError, DEFAULT, DOCKER, Material, Store};
use dhow_client::{Choice, ConfigFile, Endpoint, discovery};

use crate::failure::Failure;
use crate::session::Session;

const DEFAULT_DESCRIPTION: &str = "Current DOCKER_HOST based configuration";

fn config(session: &Session) -> Result<ConfigFile, Failure> {
    let directory = session.environment.docker_config(&session.choice);
    Ok(ConfigFile::load(&directory)?)
}

fn store(session: &Session) -> Store {
    Store::under(&session.environment.docker_config(&session.choice))
}

fn current(session: &Session, config: &ConfigFile) -> Result<String, Failure> {
    Ok(discovery::context_name(
        &session.choice,
        &session.environment,
        config,
    )?)
}

/// The variable that decides on the engine before any context does.
fn overriding_variable(session: &Session) -> Option<&'static str> {
    session.environment.host()?;
    Some(match session.environment.variable("DHOW_HOST") {
        Some(_) => "DHOW_HOST",
        None => "DOCKER_HOST",
    })
}

/// What a new context may be called.
fn check_new_name(store: &Store, name: &str) -> Result<(), Failure> {
    context::check_name(name)?;
    if store.has(name) {
        return Err(ContextError::Exists(name.to_owned()).into());
    }
    Ok(())
}

/// The context `name` with its material; that of flags and environment too.
fn find(session: &Session, store: &Store, name: &str) -> Result<(Context, Material), Failure> {
    if name != DEFAULT {
        return Ok((store.find(name)?, store.material(name)?));
    }
    let endpoint = default_endpoint(session)?;
    let mut context = Context {
        name: DEFAULT.to_owned(),
        ..Context::default()
    };
    context.describe(DEFAULT_DESCRIPTION);
    let mut material = Material::new();
    let mut skip_verify = false;
    if let Endpoint::Tls { files, .. } = &endpoint {
        skip_verify = files.skip_verify;
        let files = [
            (context::CA, &files.ca),
            (context::CERTIFICATE, &files.cert),
            (context::KEY, &files.key),
        ];
        for (name, path) in files {
            if let Some(path) = path {
                let bytes = endpoint::read(&path.to_string_lossy())?;
                let files = material.entry(DOCKER.to_owned()).or_default();
                files.insert(name.to_owned(), bytes);
            }
        }
    }
    context.set_docker(&endpoint.to_string(), skip_verify);
    Ok((context, material))
}

/// The engine that flags and environment mean.
fn default_endpoint(session: &Session) -> Result<Endpoint, Failure> {
    let choice = Choice {
        context: None,
        ..session.choice.clone()
    };
    let directory = session.environment.docker_config(&session.choice);
    Ok(discovery::default_endpoint(
        &choice,
        &session.environment,
        &directory,
    )?)
}
