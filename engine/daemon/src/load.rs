//! Reading the configuration: flags once, the file at every start and reload.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::{self, Config, DEFAULT_FILE, INSECURE_TCP_VARIABLE, Settings, Surroundings};

/// Where the configuration comes from; reading it again is a reload.
#[derive(Debug, Clone)]
pub struct Source {
    flags: Settings,
    file: PathBuf,
    /// A file that was named must be there; the default one need not.
    required: bool,
    around: Surroundings,
}

/// Why there is no configuration: one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("unable to configure the daemon with file {}: {source}", file.display())]
    File {
        file: PathBuf,
        #[source]
        source: config::Error,
    },
    #[error("unable to configure the daemon with file {}: {source}", file.display())]
    Read {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Config(#[from] config::Error),
}

impl Source {
    /// The source made of `flags` and the file they name, or the default one.
    pub fn new(flags: Settings, file: Option<String>) -> Self {
        Self {
            flags,
            required: file.is_some(),
            file: PathBuf::from(file.unwrap_or_else(|| DEFAULT_FILE.to_owned())),
            around: Surroundings {
                insecure_tcp: std::env::var(INSECURE_TCP_VARIABLE).is_ok_and(|v| v == "1"),
                shim: shim(),
            },
        }
    }

    /// The configuration file, whether or not it exists.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What the flags say.
    pub fn flags(&self) -> &Settings {
        &self.flags
    }

    /// What else the configuration depends on.
    pub fn around(&self) -> &Surroundings {
        &self.around
    }

    /// Reads the file and lays the flags over it.
    pub fn read(&self) -> Result<Config, Error> {
        match std::fs::read_to_string(&self.file) {
            Ok(text) => self.configure(Some(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.required => {
                self.configure(None)
            }
            Err(source) => Err(Error::Read {
                file: self.file.clone(),
                source,
            }),
        }
    }

    /// The configuration if the file said `text`, or if there were none.
    pub fn configure(&self, text: Option<&str>) -> Result<Config, Error> {
        let file = |source| Error::File {
            file: self.file.clone(),
            source,
        };
        let settings = match text {
            Some(text) => {
                let settings = config::parse_file(text).map_err(file)?;
                config::merge(self.flags.clone(), settings).map_err(file)?
            }
            None => self.flags.clone(),
        };
        Ok(Config::new(settings, &self.around)?)
    }
}

/// The shim beside this executable, as in a build tree, else where packages
/// put it.
fn shim() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .map(|exe| exe.with_file_name("dhow-shim"));
    beside
        .filter(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from("/usr/libexec/dhow/dhow-shim"))
}
