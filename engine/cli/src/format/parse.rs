//! Makes a tree of a template's tokens.

use std::fmt;

use super::functions;
use super::lex::{Token, TokenKind, lex, number};
use super::tree::{Branch, Command, Node, Operand, OperandKind, Pipeline, Tree};
use super::value::Value;

/// A template that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template: :{line}: {message}")]
pub struct ParseError {
    line: usize,
    message: String,
}

impl ParseError {
    pub(super) fn at(text: &str, position: usize, message: impl Into<String>) -> Self {
        Self {
            line: 1 + text[..position.min(text.len())].matches('\n').count(),
            message: message.into(),
        }
    }
}

/// Parses `text`.
pub fn parse(text: &str) -> Result<Tree, ParseError> {
    let mut parser = Parser {
        text,
        tokens: lex(text)?,
        at: 0,
        variables: vec!["$".to_owned()],
        ranges: 0,
        defined: Vec::new(),
    };
    let (root, end) = parser.list()?;
    if let Some(end) = end {
        return Err(parser.error(format!("unexpected {end}")));
    }
    Ok(Tree {
        text: text.to_owned(),
        root,
        defined: parser.defined,
    })
}

/// What ended a list of nodes.
enum Closing {
    End,
    Else,
    /// `{{else if …}}`, `{{else with …}}`: the keyword.
    ElseWith(&'static str),
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::End => "{{end}}",
            Self::Else | Self::ElseWith(_) => "{{else}}",
        })
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    variables: Vec<String>,
    ranges: usize,
    defined: Vec<(String, Vec<Node>)>,
}

impl Parser<'_> {
    fn error(&self, message: impl Into<String>) -> ParseError {
        let last = self.at.saturating_sub(1);
        let position = self.tokens.get(last).map_or(0, |token| token.position);
        ParseError::at(self.text, position, message)
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(&TokenKind::Space) {
            self.at += 1;
        }
    }

    fn position(&self) -> usize {
        self.tokens
            .get(self.at)
            .map_or(self.text.len(), |token| token.position)
    }

    /// Nodes up to an `{{end}}` or `{{else}}`, or the end of the text.
    fn list(&mut self) -> Result<(Vec<Node>, Option<Closing>), ParseError> {
        let mut nodes = Vec::new();
        while let Some(token) = self.next() {
            match token.kind {
                TokenKind::Text(text) => nodes.push(Node::Text(text)),
                TokenKind::Open => {
                    self.skip_space();
                    let keyword = match self.peek() {
                        Some(TokenKind::Identifier(name)) => name.clone(),
                        _ => String::new(),
                    };
                    match keyword.as_str() {
                        "end" => {
                            self.at += 1;
                            self.close("end")?;
                            return Ok((nodes, Some(Closing::End)));
                        }
                        "else" => {
                            self.at += 1;
                            return Ok((nodes, Some(self.otherwise()?)));
                        }
                        _ => {
                            if let Some(node) = self.node(&keyword, token.position)? {
                                nodes.push(node);
                            }
                        }
                    }
                }
                _ => return Err(self.error("unexpected token")),
            }
        }
        Ok((nodes, None))
    }

    fn otherwise(&mut self) -> Result<Closing, ParseError> {
        self.skip_space();
        match self.peek() {
            Some(TokenKind::Identifier(name)) if name == "if" => Ok(Closing::ElseWith("if")),
            Some(TokenKind::Identifier(name)) if name == "with" => Ok(Closing::ElseWith("with")),
            _ => {
                self.close("else")?;
                Ok(Closing::Else)
            }
        }
    }

    fn close(&mut self, context: &str) -> Result<(), ParseError> {
        self.skip_space();
        match self.next() {
            Some(token) if token.kind == TokenKind::Close => Ok(()),
            Some(token) => {
                Err(self.error(format!("unexpected {} in {context}", describe(&token.kind))))
            }
            None => Err(self.error("unexpected EOF")),
        }
    }

    fn node(&mut self, keyword: &str, open: usize) -> Result<Option<Node>, ParseError> {
        match keyword {
            "if" | "with" | "range" => {
                self.at += 1;
                return self.branch(keyword).map(Some);
            }
            "break" | "continue" => {
                self.at += 1;
                self.close(keyword)?;
                if self.ranges == 0 {
                    return Err(self.error(format!("{{{{{keyword}}}}} outside {{{{range}}}}")));
                }
                return Ok(Some(match keyword {
                    "break" => Node::Break,
                    _ => Node::Continue,
                }));
            }
            "template" | "define" | "block" => {
                self.at += 1;
                return self.named(keyword, open);
            }
            _ => {}
        }
        let pipeline = self.pipeline("command")?;
        Ok(Some(Node::Action(pipeline)))
    }

    fn branch(&mut self, keyword: &str) -> Result<Node, ParseError> {
        let variables = self.variables.len();
        let pipeline = self.pipeline(keyword)?;
        let is_range = keyword == "range";
        self.ranges += usize::from(is_range);
        let (body, end) = self.list()?;
        self.ranges -= usize::from(is_range);
        let mut otherwise = Vec::new();
        match end {
            Some(Closing::End) => {}
            Some(Closing::Else) => {
                let (nodes, end) = self.list()?;
                match end {
                    Some(Closing::End) => otherwise = nodes,
                    Some(end) => return Err(self.error(format!("expected end; found {end}"))),
                    None => return Err(self.error("unexpected EOF")),
                }
            }
            // `{{else if}}` shares the one `{{end}}`.
            Some(Closing::ElseWith(inner)) => {
                self.at += 1;
                otherwise.push(self.branch(inner)?);
            }
            None => return Err(self.error("unexpected EOF")),
        }
        self.variables.truncate(variables);
        let branch = Branch {
            pipeline,
            body,
            otherwise,
        };
        Ok(match keyword {
            "if" => Node::If(branch),
            "with" => Node::With(branch),
            _ => Node::Range(branch),
        })
    }

    fn named(&mut self, keyword: &str, open: usize) -> Result<Option<Node>, ParseError> {
        self.skip_space();
        let position = self.position();
        let name = match self.next().map(|token| token.kind) {
            Some(TokenKind::Str(name, _)) => name,
            Some(other) => {
                return Err(self.error(format!(
                    "unexpected {} in {keyword} clause",
                    describe(&other)
                )));
            }
            None => return Err(self.error("unexpected EOF")),
        };
        self.skip_space();
        let mut argument = None;
        if keyword != "define" && self.peek() != Some(&TokenKind::Close) {
            argument = Some(self.pipeline(keyword)?);
        } else {
            self.close(keyword)?;
        }
        if keyword != "template" {
            let variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
            let (body, end) = self.list()?;
            self.variables = variables;
            if !matches!(end, Some(Closing::End)) {
                return Err(self.error("unexpected EOF"));
            }
            self.defined.push((name.clone(), body));
            if keyword == "define" {
                return Ok(None);
            }
        }
        let end = self.position().min(self.text.len());
        let source = self.text[open..end.max(open)].to_owned();
        Ok(Some(Node::Template {
            name,
            argument,
            position,
            source,
        }))
    }

    /// A pipeline and the `}}` after it.
    fn pipeline(&mut self, context: &str) -> Result<Pipeline, ParseError> {
        let pipeline = self.pipeline_until(context, &TokenKind::Close)?;
        Ok(pipeline)
    }

    fn pipeline_until(&mut self, context: &str, end: &TokenKind) -> Result<Pipeline, ParseError> {
        self.skip_space();
        let position = self.position();
        let (variables, declares) = self.declarations(context)?;
        let mut commands = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(kind) if kind == end => {
                    self.at += 1;
                    break;
                }
                None => return Err(self.error("unexpected EOF")),
                Some(_) => commands.push(self.command(end)?),
            }
        }
        if commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        if declares {
            self.variables.extend(variables.iter().cloned());
        }
        for (index, command) in commands.iter().enumerate().skip(1) {
            if matches!(
                command.operands[0].kind,
                OperandKind::Constant(..) | OperandKind::Dot | OperandKind::Nil
            ) {
                return Err(self.error(format!(
                    "non executable command in pipeline stage {}",
                    index + 1
                )));
            }
        }
        Ok(Pipeline {
            variables,
            declares,
            commands,
            position,
        })
    }

    /// `$x :=`, `$x =`, `$i, $e :=`.
    fn declarations(&mut self, context: &str) -> Result<(Vec<String>, bool), ParseError> {
        let start = self.at;
        let mut names = Vec::new();
        loop {
            self.skip_space();
            let Some(TokenKind::Variable(name)) = self.peek().cloned() else {
                break;
            };
            self.at += 1;
            self.skip_space();
            names.push(name);
            match self.peek() {
                Some(TokenKind::Declare) => {
                    self.at += 1;
                    return Ok((names, true));
                }
                Some(TokenKind::Assign) => {
                    self.at += 1;
                    return Ok((names, false));
                }
                Some(TokenKind::Comma) if context == "range" => self.at += 1,
                _ => break,
            }
        }
        self.at = start;
        Ok((Vec::new(), false))
    }

    fn command(&mut self, end: &TokenKind) -> Result<Command, ParseError> {
        self.skip_space();
        let position = self.position();
        let mut operands = Vec::new();
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            match self.peek() {
                Some(TokenKind::Space) => self.at += 1,
                Some(TokenKind::Pipe) => {
                    self.at += 1;
                    break;
                }
                Some(kind) if kind == end => break,
                Some(kind) => {
                    let found = describe(kind);
                    let place = if operands.is_empty() {
                        "command"
                    } else {
                        "operand"
                    };
                    return Err(self.error(format!("unexpected {found} in {place}")));
                }
                None => return Err(self.error("unexpected EOF")),
            }
        }
        if operands.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(Command { operands, position })
    }

    fn operand(&mut self) -> Result<Option<Operand>, ParseError> {
        let Some(mut operand) = self.term()? else {
            return Ok(None);
        };
        if let Some(TokenKind::Field(_)) = self.peek() {
            // Go places a chain where its second link begins.
            let position = self.position();
            let mut links = Vec::new();
            while let Some(TokenKind::Field(name)) = self.peek() {
                links.push(name.clone());
                self.at += 1;
            }
            operand = match operand.kind {
                OperandKind::Field(mut fields) => {
                    fields.extend(links);
                    Operand {
                        kind: OperandKind::Field(fields),
                        position,
                    }
                }
                OperandKind::Variable(name, mut fields) => {
                    fields.extend(links);
                    Operand {
                        kind: OperandKind::Variable(name, fields),
                        position,
                    }
                }
                OperandKind::Constant(_, source) => {
                    return Err(self.error(format!("unexpected . after term {source:?}")));
                }
                kind => Operand {
                    kind: OperandKind::Chain(
                        Box::new(Operand {
                            kind,
                            position: operand.position,
                        }),
                        links,
                    ),
                    position,
                },
            };
        }
        Ok(Some(operand))
    }

    fn term(&mut self) -> Result<Option<Operand>, ParseError> {
        let position = self.position();
        let Some(token) = self.tokens.get(self.at).cloned() else {
            return Ok(None);
        };
        let kind = match token.kind {
            TokenKind::Identifier(name) => match name.as_str() {
                "nil" => OperandKind::Nil,
                "true" => OperandKind::Constant(Value::Bool(true), name),
                "false" => OperandKind::Constant(Value::Bool(false), name),
                _ if functions::exists(&name) => OperandKind::Function(name),
                _ => {
                    self.at += 1;
                    return Err(self.error(format!("function {name:?} not defined")));
                }
            },
            TokenKind::Dot => OperandKind::Dot,
            TokenKind::Field(name) => OperandKind::Field(vec![name]),
            TokenKind::Variable(name) => {
                if !self.variables.contains(&name) {
                    self.at += 1;
                    return Err(self.error(format!("undefined variable {name:?}")));
                }
                OperandKind::Variable(name, Vec::new())
            }
            TokenKind::Str(value, source) => OperandKind::Constant(Value::Text(value), source),
            TokenKind::Char(c, source) => {
                OperandKind::Constant(Value::Int(i128::from(c as u32)), source)
            }
            TokenKind::Number(source) => match number(&source) {
                Some(value) => OperandKind::Constant(value, source),
                None => return Err(self.error(format!("bad number syntax: {source:?}"))),
            },
            TokenKind::LeftParen => {
                self.at += 1;
                let inner =
                    self.pipeline_until("parenthesized pipeline", &TokenKind::RightParen)?;
                return Ok(Some(Operand {
                    kind: OperandKind::Pipeline(Box::new(inner)),
                    position,
                }));
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(Operand { kind, position }))
    }
}

fn describe(kind: &TokenKind) -> String {
    match kind {
        TokenKind::Text(text) => format!("{text:?}"),
        TokenKind::Open => "\"{{\"".to_owned(),
        TokenKind::Close => "\"}}\"".to_owned(),
        TokenKind::Field(name) => format!("<.{name}>"),
        TokenKind::Dot => "<.>".to_owned(),
        TokenKind::Variable(name) => format!("{name:?}"),
        TokenKind::Identifier(name) => format!("<{name}>"),
        TokenKind::Str(_, source) | TokenKind::Char(_, source) | TokenKind::Number(source) => {
            format!("{source:?}")
        }
        TokenKind::Pipe => "\"|\"".to_owned(),
        TokenKind::LeftParen => "\"(\"".to_owned(),
        TokenKind::RightParen => "\")\"".to_owned(),
        TokenKind::Declare => "\":=\"".to_owned(),
        TokenKind::Assign => "\"=\"".to_owned(),
        TokenKind::Comma => "\",\"".to_owned(),
        TokenKind::Space => "\" \"".to_owned(),
        TokenKind::Other(c) => format!("\"{c}\""),
    }
}
