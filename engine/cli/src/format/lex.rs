//! Cuts a template into texts and tokens.

use super::parse::ParseError;
use super::value::Value;

/// A token inside `{{ }}`, or a text outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub kind: TokenKind,
    /// Byte offset in the template.
    pub position: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    Text(String),
    Open,
    Close,
    /// `.name`
    Field(String),
    Dot,
    /// `$name` or `$`
    Variable(String),
    Identifier(String),
    Str(String, String),
    Char(char, String),
    Number(String),
    Pipe,
    LeftParen,
    RightParen,
    Declare,
    Assign,
    Comma,
    Space,
    Other(char),
}

/// All tokens of `text`.
pub fn lex(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut tokens = Vec::new();
    let mut rest = 0;
    let mut trim_next = false;
    loop {
        let open = text[rest..].find("{{").map(|at| rest + at);
        let end = open.unwrap_or(text.len());
        let mut piece = &text[rest..end];
        if trim_next {
            piece = piece.trim_start_matches(white);
        }
        let trims = open.is_some_and(|open| {
            let after = &text[open + 2..];
            after.starts_with('-') && after[1..].starts_with(white)
        });
        if trims {
            piece = piece.trim_end_matches(white);
        }
        if !piece.is_empty() {
            tokens.push(Token {
                kind: TokenKind::Text(piece.to_owned()),
                position: rest,
            });
        }
        let Some(open) = open else { break };
        let mut lexer = Lexer {
            text,
            at: open + 2,
            tokens: &mut tokens,
        };
        if trims {
            lexer.at += 1;
        }
        let start = lexer.at + usize::from(trims);
        if text[start..].starts_with("/*") {
            (rest, trim_next) = lexer.comment(start)?;
            continue;
        }
        lexer.push(TokenKind::Open, open);
        (rest, trim_next) = lexer.action()?;
    }
    Ok(tokens)
}

/// A number constant, as Go reads them.
pub fn number(source: &str) -> Option<Value> {
    let plain = source.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let radix = |prefix: &str, radix| {
        let digits = lower.strip_prefix(prefix)?;
        i128::from_str_radix(digits, radix).ok()
    };
    let whole = radix("0x", 16)
        .or_else(|| radix("0b", 2))
        .or_else(|| radix("0o", 8))
        .or_else(|| {
            let octal = lower.len() > 1 && lower.starts_with('0');
            i128::from_str_radix(&lower, if octal { 8 } else { 10 }).ok()
        });
    if let Some(whole) = whole {
        return Some(Value::Int(sign * whole));
    }
    let looks_decimal = lower
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
    let float: f64 = looks_decimal.then(|| lower.parse().ok())??;
    // Go takes 1e3 for the whole number it is.
    if float.fract() == 0.0 && float.abs() < 1e15 && !lower.contains('.') {
        return Some(Value::Int(sign * float as i128));
    }
    Some(Value::Float(sign as f64 * float))
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: &'a mut Vec<Token>,
}

impl Lexer<'_> {
    fn push(&mut self, kind: TokenKind, position: usize) {
        self.tokens.push(Token { kind, position });
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError::at(self.text, self.at, message))
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Where the text goes on after the comment, and whether it is trimmed.
    fn comment(&mut self, start: usize) -> Result<(usize, bool), ParseError> {
        let Some(end) = self.text[start..].find("*/") else {
            return self.fail("unclosed comment");
        };
        self.at = start + end + 2;
        if self.rest().starts_with("}}") {
            return Ok((self.at + 2, false));
        }
        if self.rest().starts_with(white) && self.rest()[1..].starts_with("-}}") {
            return Ok((self.at + 4, true));
        }
        self.fail("comment ends before closing delimiter")
    }

    /// Everything up to and with `}}`.
    fn action(&mut self) -> Result<(usize, bool), ParseError> {
        let mut parens = 0usize;
        loop {
            let start = self.at;
            let rest = self.rest();
            let trim_end = rest.starts_with(white) && rest[1..].starts_with("-}}");
            if rest.starts_with("}}") || trim_end {
                if parens > 0 {
                    return self.fail("unclosed left paren");
                }
                self.at += if trim_end { 4 } else { 2 };
                self.push(TokenKind::Close, start);
                return Ok((self.at, trim_end));
            }
            let Some(c) = self.peek() else {
                return self.fail("unclosed action");
            };
            match c {
                c if white(c) => {
                    while let Some(c) = self.peek()
                        && white(c)
                    {
                        let rest = self.rest();
                        if rest[1..].starts_with("-}}") {
                            break;
                        }
                        self.at += 1;
                    }
                    if self.at > start {
                        self.push(TokenKind::Space, start);
                    }
                }
                '"' => self.quoted()?,
                '`' => self.raw()?,
                '\'' => self.character()?,
                '(' => {
                    parens += 1;
                    self.at += 1;
                    self.push(TokenKind::LeftParen, start);
                }
                ')' => {
                    if parens == 0 {
                        return self.fail("unexpected right paren");
                    }
                    parens -= 1;
                    self.at += 1;
                    self.push(TokenKind::RightParen, start);
                }
                '|' => self.single(TokenKind::Pipe),
                ',' => self.single(TokenKind::Comma),
                '=' => self.single(TokenKind::Assign),
                ':' => {
                    if !self.rest().starts_with(":=") {
                        return self.fail("expected :=");
                    }
                    self.at += 2;
                    self.push(TokenKind::Declare, start);
                }
                '$' => {
                    self.at += 1;
                    let name = self.name();
                    self.terminated()?;
                    self.push(TokenKind::Variable(format!("${name}")), start);
                }
                '.' if !self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                    self.at += 1;
                    let name = self.name();
                    if name.is_empty() {
                        self.push(TokenKind::Dot, start);
                    } else {
                        self.terminated()?;
                        self.push(TokenKind::Field(name), start);
                    }
                }
                c if c.is_ascii_digit() || matches!(c, '+' | '-' | '.') => self.number()?,
                c if word(c) => {
                    let name = self.name();
                    self.terminated()?;
                    self.push(TokenKind::Identifier(name), start);
                }
                c if c.is_ascii_graphic() && !matches!(c, '{' | '}') => {
                    self.single(TokenKind::Other(c));
                }
                c => return self.fail(unrecognized(c)),
            }
        }
    }

    fn single(&mut self, kind: TokenKind) {
        let start = self.at;
        self.at += 1;
        self.push(kind, start);
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        self.at += end;
        name
    }

    /// Names end where something that can follow them begins.
    fn terminated(&self) -> Result<(), ParseError> {
        match self.peek() {
            None => Ok(()),
            Some(c) if white(c) || matches!(c, '.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            Some(_) if self.rest().starts_with("}}") => Ok(()),
            Some(c) => self.fail(bad_character(c)),
        }
    }

    fn quoted(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let mut escaped = false;
        for (offset, c) in self.text[start + 1..].char_indices() {
            match c {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let source = &self.text[start..start + offset + 2];
                    let Some(value) = unquote(&source[1..source.len() - 1]) else {
                        return self.fail("invalid syntax");
                    };
                    self.at = start + source.len();
                    self.push(TokenKind::Str(value, source.to_owned()), start);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.fail("unterminated quoted string")
    }

    fn raw(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let Some(end) = self.text[start + 1..].find('`') else {
            return self.fail("unterminated raw quoted string");
        };
        let source = &self.text[start..start + end + 2];
        self.at = start + source.len();
        let value = source[1..source.len() - 1].to_owned();
        self.push(TokenKind::Str(value, source.to_owned()), start);
        Ok(())
    }

    fn character(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let skip = usize::from(rest.starts_with("\\'"));
        let Some(end) = rest[skip * 2..].find('\'').map(|end| end + skip * 2) else {
            return self.fail("unterminated character constant");
        };
        let source = &self.text[start..start + end + 2];
        let inner = unquote(&source[1..source.len() - 1]).unwrap_or_default();
        let mut chars = inner.chars();
        let (Some(c), None) = (chars.next(), chars.next()) else {
            return self.fail(format!("malformed character constant: {source}"));
        };
        self.at = start + source.len();
        self.push(TokenKind::Char(c, source.to_owned()), start);
        Ok(())
    }

    fn number(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let rest = self.rest();
        let signed = usize::from(rest.starts_with(['+', '-']));
        let mut end = signed;
        let mut before = '\0';
        for c in rest[signed..].chars() {
            let sign_in_exponent = matches!(c, '+' | '-') && matches!(before, 'e' | 'E' | 'p');
            if !(c.is_alphanumeric() || c == '.' || c == '_' || sign_in_exponent) {
                break;
            }
            before = c;
            end += c.len_utf8();
        }
        let source = rest[..end].to_owned();
        if number(&source).is_none() {
            return self.fail(format!("bad number syntax: {source:?}"));
        }
        self.at += end;
        self.push(TokenKind::Number(source), start);
        Ok(())
    }
}

fn white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn bad_character(c: char) -> String {
    format!("bad character U+{:04X} '{c}'", c as u32)
}

fn unrecognized(c: char) -> String {
    format!("unrecognized character in action: U+{:04X} '{c}'", c as u32)
}

/// Go's escapes in an interpreted string.
fn unquote(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let kind = chars.next()?;
        let mut code = |digits: usize, radix: u32| {
            let text: String = chars.by_ref().take(digits).collect();
            (text.len() == digits).then(|| u32::from_str_radix(&text, radix).ok())?
        };
        match kind {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' | '\'' | '"' => bytes.push(kind as u8),
            'x' => bytes.push(code(2, 16)? as u8),
            'u' | 'U' => {
                let c = char::from_u32(code(if kind == 'u' { 4 } else { 8 }, 16)?)?;
                bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            }
            '0'..='7' => {
                let rest = code(2, 8)?;
                bytes.push(u8::try_from(kind.to_digit(8)? * 64 + rest).ok()?);
            }
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}
