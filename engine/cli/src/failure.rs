//! How a command fails: what it says, and the code it exits with.

use std::fmt;

use dhow_client::Error;
use dhow_client::context::ContextError;

use crate::program::Program;

/// Why a command did not succeed.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: i32,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    /// Everything has been said already.
    Told,
    Message(String),
    Client(Box<Error>),
    /// Several things failed, each for its own reason.
    Several(Vec<Failure>),
}

impl Failure {
    /// Exit with `code` without another word.
    pub fn told(code: i32) -> Self {
        Self {
            code,
            cause: Cause::Told,
        }
    }

    /// Say `text` and exit with 1.
    pub fn message(text: impl Into<String>) -> Self {
        Self {
            code: 1,
            cause: Cause::Message(text.into()),
        }
    }

    /// The same with another exit code.
    pub fn with_code(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    /// `Ok` if nothing failed; otherwise all of it.
    pub fn of_several(failures: Vec<Failure>) -> Result<(), Self> {
        if failures.is_empty() {
            return Ok(());
        }
        Err(Self {
            code: 1,
            cause: Cause::Several(failures),
        })
    }

    /// The engine's or the connection's error, if that is the cause.
    pub fn client_error(&self) -> Option<&Error> {
        match &self.cause {
            Cause::Client(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the engine says that the thing named does not exist.
    pub fn is_not_found(&self) -> bool {
        self.client_error().is_some_and(Error::is_not_found)
    }

    /// The same of every one of several failures.
    pub fn all_not_found(&self) -> bool {
        match &self.cause {
            Cause::Several(failures) => failures.iter().all(Self::all_not_found),
            _ => self.is_not_found(),
        }
    }

    /// The text to print, if there is anything left to say.
    pub fn text(&self, program: Program) -> Option<String> {
        match &self.cause {
            Cause::Told => None,
            Cause::Message(text) => Some(text.clone()),
            Cause::Client(error) => Some(program.explain(error)),
            Cause::Several(failures) => {
                let texts: Vec<String> = failures.iter().filter_map(|f| f.text(program)).collect();
                Some(texts.join("\n"))
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Program::DHOW).unwrap_or_default())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: 1,
            cause: Cause::Client(Box::new(error)),
        }
    }
}

impl From<ContextError> for Failure {
    fn from(error: ContextError) -> Self {
        Error::from(error).into()
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::message(system_error(&error))
    }
}

/// The system's words without Rust's addition of the number.
pub fn system_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    let bare = match text.rfind(" (os error ") {
        Some(end) => &text[..end],
        None => &text,
    };
    let mut chars = bare.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Go's text of a failed operation on a file.
pub fn path_error(operation: &str, path: &str, error: &std::io::Error) -> String {
    format!("{operation} {path}: {}", system_error(error))
}
