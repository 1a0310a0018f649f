//! Where in a template something went wrong, and how that is said.

use super::tree::{Command, Operand, Pipeline};

/// A template that cannot be run on this data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template: :{line}:{column}: executing \"\" at <{context}>: {message}")]
pub struct ExecError {
    line: usize,
    column: usize,
    context: String,
    message: String,
}

/// Something that errors point at.
pub trait At {
    fn position(&self) -> usize;
    fn source(&self) -> String;
}

impl At for Operand {
    fn position(&self) -> usize {
        self.position
    }
    fn source(&self) -> String {
        self.to_string()
    }
}

impl At for Command {
    fn position(&self) -> usize {
        self.position
    }
    fn source(&self) -> String {
        self.to_string()
    }
}

impl At for Pipeline {
    fn position(&self) -> usize {
        self.position
    }
    fn source(&self) -> String {
        self.to_string()
    }
}

pub struct Place<'a> {
    pub position: usize,
    pub source: &'a str,
}

impl At for Place<'_> {
    fn position(&self) -> usize {
        self.position
    }
    fn source(&self) -> String {
        self.source.to_owned()
    }
}

/// A function that stands alone among arguments.
pub struct Call<'a> {
    pub operand: &'a Operand,
}

impl At for Call<'_> {
    fn position(&self) -> usize {
        self.operand.position
    }
    fn source(&self) -> String {
        self.operand.to_string()
    }
}

impl ExecError {
    /// `message` about a part of the template `text`.
    pub fn new(text: &str, at: &dyn At, message: impl Into<String>) -> Self {
        let position = at.position().min(text.len());
        let before = &text[..position];
        let column = match before.rfind('\n') {
            Some(newline) => position - newline - 1,
            None => position,
        };
        Self {
            line: 1 + before.matches('\n').count(),
            column,
            context: at.source(),
            message: message.into(),
        }
    }
}
