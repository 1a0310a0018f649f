//! What every command works with: the program's name, the engine it talks to,
//! the configuration file. Found when first needed, so that commands which
//! need no engine work without one.

use std::cell::OnceCell;

use dhow_client::{Choice, Client, Environment, Request, Target, discovery};

use crate::failure::Failure;
use crate::format::Value;
use crate::program::Program;

/// The version this was built as.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One run of the program.
pub struct Session {
    /// Its name.
    pub program: Program,
    /// What its global flags say.
    pub choice: Choice,
    /// `--debug`.
    pub debug: bool,
    /// Its surroundings.
    pub environment: Environment,
    target: OnceCell<Target>,
    client: OnceCell<Client>,
}

impl Session {
    /// A session that has not looked for an engine yet.
    pub fn new(program: Program, choice: Choice, debug: bool) -> Self {
        Self {
            program,
            choice,
            debug,
            environment: Environment::of_process(),
            target: OnceCell::new(),
            client: OnceCell::new(),
        }
    }

    /// The engine that is meant.
    pub fn target(&self) -> Result<&Target, Failure> {
        if let Some(target) = self.target.get() {
            return Ok(target);
        }
        let target = discovery::discover(&self.choice, &self.environment).map_err(|error| {
            let failure = Failure::from(error);
            if !self.program.is_docker() {
                return failure;
            }
            let reason = failure.text(self.program).unwrap_or_default();
            Failure::message(format!(
                "Failed to initialize: unable to resolve docker endpoint: {reason}"
            ))
        })?;
        Ok(self.target.get_or_init(|| target))
    }

    /// The client of that engine.
    pub fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.new_client()?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Another client of that engine, for whoever keeps it.
    pub fn new_client(&self) -> Result<Client, Failure> {
        let agent = format!("Dhow-Client/{VERSION} (linux)");
        Ok(Client::new(self.target()?, &agent))
    }

    /// Sends a request and reads its JSON.
    pub async fn json(&self, request: Request) -> Result<Value, Failure> {
        Ok(self.client()?.json(request).await?)
    }

    /// Sends a request whose answer says nothing.
    pub async fn done(&self, request: Request) -> Result<(), Failure> {
        self.client()?.done(request).await?;
        Ok(())
    }

    /// Refuses what the engine at the other end is too old for.
    pub async fn require_version(&self, flag: &str, minor: u16) -> Result<(), Failure> {
        let version = self.client()?.negotiate().await?;
        if version.minor >= minor {
            return Ok(());
        }
        Err(Failure::message(format!(
            "\"--{flag}\" requires API version 1.{minor}, but the Docker daemon API version is {version}"
        )))
    }
}
