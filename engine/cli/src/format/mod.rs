//! Go's template language, as far as `--format` uses it, over values read from
//! JSON.
//!
//! Pure: text and values in, text out. What a list looks like as a table is
//! [`crate::output`]'s business.

mod error;
mod eval;
mod functions;
mod json;
mod known;
mod lex;
mod parse;
mod printf;
mod tree;
mod value;

pub use error::ExecError;
pub use json::{encode_html, indent, to_json};
pub use parse::ParseError;
pub use value::{Kind, Nil, Object, Value};

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    tree: tree::Tree,
}

/// Which functions a template sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Functions {
    /// They do what their names say.
    Usual,
    /// Formatting functions give their first argument back, so that a table's
    /// header, made by the same template, stays readable.
    Header,
}

impl Template {
    /// Parses `text`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self {
            tree: parse::parse(text)?,
        })
    }

    /// Runs it on `data`, appending to `output`. What was written before an
    /// error stays there, as it does in Go.
    pub fn execute(
        &self,
        data: &Value,
        functions: Functions,
        output: &mut String,
    ) -> Result<(), ExecError> {
        eval::execute(&self.tree, data, functions, output)
    }
}

#[cfg(test)]
mod tests;
