//! What a parsed template is made of, and how its parts are written in error
//! messages.

use std::fmt;

use super::value::Value;

/// A whole template.
#[derive(Debug)]
pub struct Tree {
    pub text: String,
    pub root: Vec<Node>,
    pub defined: Vec<(String, Vec<Node>)>,
}

#[derive(Debug)]
pub enum Node {
    Text(String),
    Action(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template {
        name: String,
        argument: Option<Pipeline>,
        position: usize,
        source: String,
    },
    Break,
    Continue,
}

/// `{{if}}`, `{{with}}` and `{{range}}` look alike.
#[derive(Debug)]
pub struct Branch {
    pub pipeline: Pipeline,
    pub body: Vec<Node>,
    pub otherwise: Vec<Node>,
}

#[derive(Debug)]
pub struct Pipeline {
    /// Variables set by it.
    pub variables: Vec<String>,
    /// Whether they are made new.
    pub declares: bool,
    pub commands: Vec<Command>,
    pub position: usize,
}

#[derive(Debug)]
pub struct Command {
    pub operands: Vec<Operand>,
    pub position: usize,
}

#[derive(Debug)]
pub struct Operand {
    pub kind: OperandKind,
    pub position: usize,
}

#[derive(Debug)]
pub enum OperandKind {
    Dot,
    Nil,
    Constant(Value, String),
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Function(String),
    Chain(Box<Operand>, Vec<String>),
    Pipeline(Box<Pipeline>),
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.declares { ":=" } else { "=" };
            write!(f, "{} {sign} ", self.variables.join(", "))?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                f.write_str(" | ")?;
            }
            write!(f, "{command}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.operands.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{operand}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let links = |f: &mut fmt::Formatter<'_>, fields: &[String]| {
            fields.iter().try_for_each(|field| write!(f, ".{field}"))
        };
        match &self.kind {
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Constant(_, source) => f.write_str(source),
            OperandKind::Field(fields) => links(f, fields),
            OperandKind::Variable(name, fields) => {
                f.write_str(name)?;
                links(f, fields)
            }
            OperandKind::Function(name) => f.write_str(name),
            OperandKind::Chain(base, fields) => {
                write!(f, "{base}")?;
                links(f, fields)
            }
            OperandKind::Pipeline(inner) => write!(f, "({inner})"),
        }
    }
}
