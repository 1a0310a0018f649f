//! What Go's `encoding/json` would say about a text that is not JSON. Clients
//! and their tests know those words. Pure, and only run on texts that have
//! already failed to parse.

/// Go's message for the first syntax error of `text`; `None` if there is none.
pub(crate) fn syntax_error(text: &[u8]) -> Option<String> {
    Scanner { text, at: 0 }.document().err()
}

/// How deep values may be nested: what the parser of ours takes. Go's own
/// limit is far beyond what a worker's stack holds.
const DEEPEST: usize = 128;

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

type Scan = Result<(), String>;

impl Scanner<'_> {
    fn document(&mut self) -> Scan {
        self.value(0)?;
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(_) => self.wrong("after top-level value"),
        }
    }

    fn value(&mut self, depth: usize) -> Scan {
        if depth > DEEPEST {
            return Err("exceeded max depth".to_owned());
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.wrong("looking for beginning of value"),
        }
    }

    fn object(&mut self, depth: usize) -> Scan {
        self.at += 1;
        self.space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return self.wrong("looking for beginning of object key string");
            }
            self.string()?;
            self.space();
            if !self.take(b':') {
                return self.wrong("after object key");
            }
            self.value(depth + 1)?;
            self.space();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.wrong("after object key:value pair");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Scan {
        self.at += 1;
        self.space();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.space();
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.wrong("after array element");
            }
        }
    }

    fn string(&mut self) -> Scan {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(0x20..) => self.at += 1,
                _ => return self.wrong("in string literal"),
            }
        }
    }

    fn escape(&mut self) -> Scan {
        match self.peek() {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                        return self.wrong("in \\u hexadecimal character escape");
                    }
                    self.at += 1;
                }
            }
            _ => return self.wrong("in string escape code"),
        }
        Ok(())
    }

    fn number(&mut self) -> Scan {
        let _negative = self.take(b'-');
        if !self.take(b'0') && !self.digits() {
            return self.wrong("in numeric literal");
        }
        if self.take(b'.') && !self.digits() {
            return self.wrong("after decimal point in numeric literal");
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            if !self.digits() {
                return self.wrong("in exponent of numeric literal");
            }
        }
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Scan {
        self.at += 1;
        for expected in word.bytes().skip(1) {
            if !self.take(expected) {
                return self.wrong(&format!(
                    "in literal {word} (expecting '{}')",
                    expected as char
                ));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at > start
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn wrong(&self, place: &str) -> Scan {
        Err(match self.peek() {
            None => "unexpected EOF".to_owned(),
            Some(byte) => format!("invalid character {} {place}", quoted(byte)),
        })
    }
}

/// Go's `quoteChar`: bytes are shown as Latin-1 characters.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0..0x20 | 0x7f => format!("'\\x{byte:02x}'"),
        _ => format!("'{}'", byte as char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(
            syntax_error(text.as_bytes()).as_deref(),
            Some(expected),
            "{text}"
        );
        assert!(
            serde_json::from_str::<serde_json::Value>(text).is_err(),
            "{text}"
        );
    }

    #[test]
    fn speaks_as_go_does() {
        check("x", "invalid character 'x' looking for beginning of value");
        check(
            "{x",
            "invalid character 'x' looking for beginning of object key string",
        );
        check(r#"{"a" 1}"#, "invalid character '1' after object key");
        check(
            r#"{"a":1 "b"}"#,
            "invalid character '\"' after object key:value pair",
        );
        check(
            r#"{"a":1,}"#,
            "invalid character '}' looking for beginning of object key string",
        );
        check("[1 2]", "invalid character '2' after array element");
        check(
            "{\"a\":\"b\n\"}",
            r"invalid character '\n' in string literal",
        );
        check(r#""\x""#, "invalid character 'x' in string escape code");
        check(
            r#""\u12g4""#,
            "invalid character 'g' in \\u hexadecimal character escape",
        );
        check("-a", "invalid character 'a' in numeric literal");
        check(
            "1.a",
            "invalid character 'a' after decimal point in numeric literal",
        );
        check(
            "1ex",
            "invalid character 'x' in exponent of numeric literal",
        );
        check(
            "nul1",
            "invalid character '1' in literal null (expecting 'l')",
        );
        check("{} x", "invalid character 'x' after top-level value");
        check(r#"{"a":"#, "unexpected EOF");
        check(
            "\u{e9}",
            "invalid character '\u{c3}' looking for beginning of value",
        );
    }

    #[test]
    fn finds_nothing_wrong_in_json() {
        for text in [
            "{}",
            "[]",
            r#"{"a":[1,-2.5e+3,"x\n\u00e9",true,null]}"#,
            " 0 ",
        ] {
            assert_eq!(syntax_error(text.as_bytes()), None, "{text}");
        }
    }
}
