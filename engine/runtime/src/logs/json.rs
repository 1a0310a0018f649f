//! Docker's `json-file` format: one object a line, with the keys `log`,
//! `stream`, `attrs` and `time` in this order.

use std::collections::BTreeMap;

use dhow_model::Timestamp;

use super::Stream;

/// Writes records. Formatting the date is kept from one line to the next: most
/// lines differ from the one before in their fraction of a second only.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// `,"attrs":{…}` or nothing.
    attrs: Vec<u8>,
    second: i64,
    /// The second as text, up to where the fraction goes.
    date: String,
}

impl Encoder {
    /// Writes these attributes with every line.
    pub fn new(attrs: &BTreeMap<String, String>) -> Self {
        let attrs = match attrs.is_empty() {
            true => Vec::new(),
            false => {
                let object = serde_json::to_string(attrs).expect("a map of strings is JSON");
                format!(",\"attrs\":{object}").into_bytes()
            }
        };
        Self {
            attrs,
            second: i64::MIN,
            date: String::new(),
        }
    }

    /// Appends the record of `line`; `complete` says that a line feed ends it
    /// (`line` is without).
    pub fn encode(
        &mut self,
        out: &mut Vec<u8>,
        stream: Stream,
        time: Timestamp,
        line: &[u8],
        complete: bool,
    ) {
        out.reserve(line.len() + 96);
        out.push(b'{');
        if complete || !line.is_empty() {
            out.extend_from_slice(b"\"log\":\"");
            escape(out, line);
            if complete {
                out.extend_from_slice(b"\\n");
            }
            out.extend_from_slice(b"\",");
        }
        out.extend_from_slice(b"\"stream\":\"");
        out.extend_from_slice(stream.name().as_bytes());
        out.push(b'"');
        out.extend_from_slice(&self.attrs);
        out.extend_from_slice(b",\"time\":\"");
        self.time(out, time);
        out.extend_from_slice(b"\"}\n");
    }

    /// Go's RFC3339Nano: the fraction without trailing zeros.
    fn time(&mut self, out: &mut Vec<u8>, time: Timestamp) {
        let second = time.secs();
        if second != self.second {
            self.date = Timestamp::from_secs(second).to_string();
            self.date.pop(); // the Z
            self.second = second;
        }
        out.extend_from_slice(self.date.as_bytes());
        let mut nanos = time.nanos().rem_euclid(1_000_000_000) as u32;
        if nanos > 0 {
            let mut digits = *b".000000000";
            for digit in digits[1..].iter_mut().rev() {
                *digit = b'0' + (nanos % 10) as u8;
                nanos /= 10;
            }
            let length = digits
                .iter()
                .rposition(|d| *d != b'0')
                .map_or(0, |at| at + 1);
            out.extend_from_slice(&digits[..length]);
        }
        out.push(b'Z');
    }
}

/// Appends `text` as the inside of a JSON string, with the escapes Docker
/// writes: markup characters too, and U+FFFD for what is not UTF-8.
fn escape(out: &mut Vec<u8>, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        escape_valid(out, chunk.valid());
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
}

fn escape_valid(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut plain = 0;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let mut length = 1;
        let escaped: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'<' | b'>' | b'&' | 0..0x20 => &[
                b'\\',
                b'u',
                b'0',
                b'0',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ],
            // Line and paragraph separator, which JavaScript takes for ends.
            0xe2 if bytes[at..].starts_with(b"\xe2\x80\xa8") => {
                length = 3;
                b"\\u2028"
            }
            0xe2 if bytes[at..].starts_with(b"\xe2\x80\xa9") => {
                length = 3;
                b"\\u2029"
            }
            _ => {
                at += 1;
                continue;
            }
        };
        out.extend_from_slice(&bytes[plain..at]);
        out.extend_from_slice(escaped);
        at += length;
        plain = at;
    }
    out.extend_from_slice(&bytes[plain..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8], complete: bool, nanos: i64, expected: &str) {
        let mut out = Vec::new();
        let time = Timestamp::from_nanos(nanos);
        Encoder::new(&BTreeMap::new()).encode(&mut out, Stream::Stdout, time, line, complete);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"));
    }

    #[test]
    fn records_are_docker_s() {
        check(
            b"hello",
            true,
            1_500_000_000_120_000_000,
            r#"{"log":"hello\n","stream":"stdout","time":"2017-07-14T02:40:00.12Z"}"#,
        );
        check(
            b"",
            true,
            1_500_000_000_000_000_000,
            r#"{"log":"\n","stream":"stdout","time":"2017-07-14T02:40:00Z"}"#,
        );
        check(
            "a\"b\\c\t<é>\u{2028}\r".as_bytes(),
            false,
            1,
            r#"{"log":"a\"b\\c\u0009\u003cé\u003e\u2028\r","stream":"stdout","time":"1970-01-01T00:00:00.000000001Z"}"#,
        );
        check(
            b"x\xffy\xe2\x80",
            false,
            0,
            r#"{"log":"x\ufffdy\ufffd\ufffd","stream":"stdout","time":"1970-01-01T00:00:00Z"}"#,
        );
    }

    #[test]
    fn attributes_stand_between_stream_and_time() {
        let attrs = BTreeMap::from([("tag".to_owned(), "t".to_owned())]);
        let mut out = Vec::new();
        let time = Timestamp::from_secs(0);
        Encoder::new(&attrs).encode(&mut out, Stream::Stderr, time, b"x", true);
        let text =
            r#"{"log":"x\n","stream":"stderr","attrs":{"tag":"t"},"time":"1970-01-01T00:00:00Z"}"#;
        assert_eq!(String::from_utf8(out).unwrap(), format!("{text}\n"));
    }
}
