//! Records as a client is sent them.

use std::collections::BTreeMap;

use dhow_model::Timestamp;

use super::Selection;
use super::record::{Record, Text, Time, unescape};
use crate::logs::Stream;

/// Renders records.
#[derive(Debug)]
pub(super) struct Renderer {
    pub clock: Clock,
    stdout: bool,
    stderr: bool,
    timestamps: bool,
    details: bool,
    frames: bool,
    /// The attributes seen last, as JSON, and as they are shown.
    attributes: Vec<u8>,
    shown: Vec<u8>,
}

/// A stdcopy frame's head: the stream, three zeros, the length (big endian).
const HEAD: usize = 8;

impl Renderer {
    pub fn new(selection: &Selection) -> Self {
        Self {
            clock: Clock::default(),
            stdout: selection.stdout,
            stderr: selection.stderr,
            timestamps: selection.timestamps,
            details: selection.details,
            frames: selection.frames,
            attributes: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// Records that have none of their own have these attributes from now on.
    pub fn attributes(&mut self, json: &[u8]) {
        if self.attributes != json {
            self.attributes = json.to_vec();
            let map: BTreeMap<String, String> = serde_json::from_slice(json).unwrap_or_default();
            self.shown.clear();
            for (name, value) in map {
                if !self.shown.is_empty() {
                    self.shown.push(b',');
                }
                query_escape(&mut self.shown, &name);
                self.shown.push(b'=');
                query_escape(&mut self.shown, &value);
            }
        }
    }

    /// Another file begins.
    pub fn forget_attributes(&mut self) {
        self.attributes.clear();
        self.shown.clear();
    }

    /// Appends `record` if its stream is wanted. One frame each: clients take
    /// a frame for a line.
    pub fn append(&mut self, out: &mut Vec<u8>, record: &Record<'_>) {
        let number = match record.stream {
            Stream::Stdout if self.stdout => 1,
            Stream::Stderr if self.stderr => 2,
            _ => return,
        };
        let start = out.len();
        if self.frames {
            out.extend_from_slice(&[number, 0, 0, 0, 0, 0, 0, 0]);
        }
        if self.timestamps {
            self.clock.write(out, record.time);
            out.push(b' ');
        }
        if self.details {
            if let Some(attributes) = record.attributes {
                self.attributes(attributes);
            }
            out.extend_from_slice(&self.shown);
            out.push(b' ');
        }
        match record.text {
            Text::Escaped(text) => unescape(out, text),
            Text::Plain { text, complete } => {
                out.extend_from_slice(text);
                if complete {
                    out.push(b'\n');
                }
            }
        }
        if self.frames {
            let length = (out.len() - start - HEAD) as u32;
            out[start + 4..start + HEAD].copy_from_slice(&length.to_be_bytes());
        }
    }
}

/// Appends `text` as Go's `url.QueryEscape` does.
fn query_escape(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(&[
                b'%',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]),
        }
    }
}

/// The characters of a date and time down to the second.
const SECOND: usize = 19;

/// Turns times into text and back. Neighbouring lines mostly share their
/// second, so the last one is kept.
#[derive(Debug)]
pub(super) struct Clock {
    text: [u8; SECOND],
    seconds: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            text: *b"1970-01-01T00:00:00",
            seconds: 0,
        }
    }
}

impl Clock {
    /// Nanoseconds since the epoch; `None` for what is no time.
    pub fn nanos(&mut self, time: Time<'_>) -> Option<i64> {
        let text = match time {
            Time::Nanos(nanos) => return Some(nanos),
            Time::Text(text) => text,
        };
        let (second, fraction) = text.split_at_checked(SECOND)?;
        if second != self.text {
            let whole = format!("{}Z", std::str::from_utf8(second).ok()?);
            self.seconds = whole.parse::<Timestamp>().ok()?.secs();
            self.text.copy_from_slice(second);
        }
        let mut nanos: i64 = 0;
        let mut unit: i64 = 1_000_000_000;
        for digit in fraction.strip_suffix(b"Z")?.iter().skip(1) {
            unit /= 10;
            nanos += i64::from(digit.checked_sub(b'0').filter(|d| *d < 10)?) * unit;
        }
        Some(
            self.seconds
                .saturating_mul(1_000_000_000)
                .saturating_add(nanos),
        )
    }

    /// Appends a time with nine digits of a second, as dockerd prints it.
    fn write(&mut self, out: &mut Vec<u8>, time: Time<'_>) {
        match time {
            Time::Text(text) => {
                let text = text.strip_suffix(b"Z").unwrap_or(text);
                let (second, fraction) = text.split_at(SECOND.min(text.len()));
                let fraction = fraction.strip_prefix(b".").unwrap_or(fraction);
                out.extend_from_slice(second);
                out.push(b'.');
                out.extend_from_slice(fraction);
                let missing = 9_usize.saturating_sub(fraction.len());
                out.extend_from_slice(&b"000000000"[..missing]);
            }
            Time::Nanos(nanos) => {
                let time = Timestamp::from_nanos(nanos);
                if time.secs() != self.seconds {
                    let text = Timestamp::from_secs(time.secs()).to_string();
                    self.text.copy_from_slice(&text.as_bytes()[..SECOND]);
                    self.seconds = time.secs();
                }
                out.extend_from_slice(&self.text);
                let mut fraction = nanos.rem_euclid(1_000_000_000);
                let mut digits = *b".000000000";
                for digit in digits[1..].iter_mut().rev() {
                    *digit = b'0' + (fraction % 10) as u8;
                    fraction /= 10;
                }
                out.extend_from_slice(&digits);
            }
        }
        out.push(b'Z');
    }
}
