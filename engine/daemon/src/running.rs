//! The configuration that the running daemon goes by: read again on occasion,
//! and changed through the API.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dhow_local::{Error, LocalEngine};
use dhow_model::ErrorKind;
use dhow_model::error::chain;
use dhow_server::{ConfigChange, ConfigDescription, ConfigOutcome, Configuration};

use crate::config::{self, Config};
use crate::file;
use crate::load::Source;
use crate::logging::Level;
use crate::reload::Occasion;

/// What is in effect, and where it comes from.
pub struct Running {
    source: Source,
    engine: LocalEngine,
    level: Level,
    state: Mutex<State>,
}

struct State {
    config: Config,
    /// The file's version when it was last looked at.
    version: String,
}

impl Running {
    /// What the daemon was started with.
    pub fn new(source: Source, config: Config, engine: LocalEngine, level: Level) -> Self {
        // Read a moment after the configuration was; a change in between is
        // noticed by the watch, which began before.
        let version = file::read(source.file()).map_or(String::new(), |file| file.version);
        Self {
            source,
            engine,
            level,
            state: Mutex::new(State { config, version }),
        }
    }

    /// What is in effect.
    pub fn config(&self) -> Config {
        self.state().config.clone()
    }

    /// Reads the configuration again. What can't be read or used changes
    /// nothing.
    pub fn reload(&self, occasion: Occasion) {
        let mut state = self.state();
        let version = file::read(self.source.file()).map_or(String::new(), |file| file.version);
        // Changed through the API, or written again as it was.
        if occasion == Occasion::FileTouched && version == state.version {
            return;
        }
        state.version = version;
        let new = match self.source.read() {
            Ok(new) => new,
            Err(error) => return tracing::error!("configuration not reloaded: {error}"),
        };
        let mixed = self.mixed(&state, new);
        let applied = mixed.and_then(|(config, waiting)| self.apply(&mut state, config, &waiting));
        if let Err(error) = applied {
            tracing::error!("configuration not reloaded: {error}");
        }
    }

    /// Puts `config`, which differs in what can be reloaded, in effect.
    fn apply(&self, state: &mut State, config: Config, waiting: &[&str]) -> Result<(), Error> {
        if !waiting.is_empty() {
            tracing::warn!("a restart is needed for {}", waiting.join(", "));
        }
        self.engine.reload(config.engine.clone())?;
        self.level.set(config.log_level);
        state.config = config;
        tracing::info!("configuration reloaded");
        Ok(())
    }

    /// What can be in effect of `new` at once, and the keys that wait for a
    /// restart.
    fn mixed(&self, state: &State, new: Config) -> Result<(Config, Vec<&'static str>), Error> {
        let mixed = state.config.reloaded(new, self.source.around());
        mixed.map_err(|error| Error::invalid(error.to_string()))
    }

    fn failed(&self, doing: &str, error: &std::io::Error) -> Error {
        let file = self.source.file().display();
        Error::system(format!("{doing} {file}: {}", chain(error)))
    }

    /// A panic leaves nothing half-done under this lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Configuration for Running {
    fn describe(&self) -> Result<ConfigDescription, Error> {
        let path = self.source.file();
        let content = file::read(path).map_err(|e| self.failed("read", &e))?;
        let state = self.state();
        Ok(ConfigDescription {
            path: path.display().to_string(),
            text: content.text,
            version: content.version,
            writable: file::is_replaceable(path),
            keys: config::describe(&state.config.settings, self.source.flags()),
        })
    }

    fn change(&self, change: ConfigChange, dry: bool) -> Result<ConfigOutcome, Error> {
        let mut state = self.state();
        let path = self.source.file();
        let present = file::read(path).map_err(|e| self.failed("read", &e))?;
        if present.version != change.version {
            let text = format!("{} has changed meanwhile", path.display());
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        let new = self.source.configure(Some(&change.text));
        let new = new.map_err(|error| Error::invalid(error.to_string()))?;
        let (mixed, waiting) = self.mixed(&state, new)?;
        let live = state.config.settings.changed(&mixed.settings);
        let next = file::Content::new(change.text);
        if !dry {
            // What the engine itself refuses is not to be found by its next
            // start, and what cannot be written is not to stay in effect.
            let before = state.config.clone();
            self.apply(&mut state, mixed, &waiting)?;
            if let Err(error) = file::replace(path, &next.text) {
                self.apply(&mut state, before, &[])?;
                return Err(self.failed("write", &error));
            }
            state.version.clone_from(&next.version);
        }
        let owned = |keys: Vec<&str>| keys.into_iter().map(config::place).collect();
        Ok(ConfigOutcome {
            version: next.version,
            live: owned(live),
            restart: owned(waiting),
        })
    }
}
