//! Records as they stand in a file, taken apart without copying.
//!
//! What Docker and the shim write is recognised key by key. Lines that are
//! ordered otherwise go through a real JSON parser; what is no record at all is
//! passed over.

use std::collections::BTreeMap;

use dhow_model::Timestamp;
use memchr::memchr;
use serde::Deserialize;

use super::Format;
use crate::logs::Stream;
use crate::logs::local::{self, Front, Kind};

/// What the front of some bytes holds.
pub(super) enum Next<'a> {
    /// The bytes of one record, and how many to take away.
    Record(&'a [u8], usize),
    /// The attributes of the records that follow, as JSON.
    Attributes(&'a [u8], usize),
    /// Not a whole one.
    Partial,
    /// Nothing that could be one, and no way to tell where the next begins.
    Damaged,
}

/// A piece of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub stream: Stream,
    pub text: Text<'a>,
    pub time: Time<'a>,
    /// As JSON, where the record has its own.
    pub attributes: Option<&'a [u8]>,
}

/// What was put out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// The inside of a JSON string.
    Escaped(&'a [u8]),
    Plain {
        text: &'a [u8],
        /// A line feed follows that is not in the text.
        complete: bool,
    },
}

/// When it was put out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time<'a> {
    /// RFC 3339 in UTC, between 20 and 30 characters.
    Text(&'a [u8]),
    Nanos(i64),
}

/// Finds the record at the front.
pub(super) fn next(format: Format, bytes: &[u8]) -> Next<'_> {
    match format {
        Format::Json => match memchr(b'\n', bytes) {
            Some(end) => Next::Record(&bytes[..end], end + 1),
            None => Next::Partial,
        },
        Format::Local => match local::front(bytes) {
            Front::Partial => Next::Partial,
            Front::Damaged => Next::Damaged,
            Front::Record(record, length) => match record.kind {
                Kind::Attributes => Next::Attributes(record.content, length),
                Kind::Line { .. } => Next::Record(&bytes[..length], length),
            },
        },
    }
}

/// Gives the record in `bytes` to `take`, if there is one.
pub(super) fn with(format: Format, bytes: &[u8], take: impl FnOnce(Record<'_>)) {
    match format {
        Format::Local => {
            if let Front::Record(record, _) = local::front(bytes)
                && let Kind::Line { stream, complete } = record.kind
            {
                take(Record {
                    stream,
                    text: Text::Plain {
                        text: record.content,
                        complete,
                    },
                    time: Time::Nanos(record.time.nanos()),
                    attributes: None,
                });
            }
        }
        Format::Json => match as_written(bytes) {
            Some(record) => take(record),
            None => {
                if let Some(object) = Object::parse(bytes)
                    && let Some(record) = object.record()
                {
                    take(record);
                }
            }
        },
    }
}

/// A line exactly as [`json`](crate::logs::json) writes it.
pub(super) fn as_written(line: &[u8]) -> Option<Record<'_>> {
    let mut rest = line.strip_prefix(b"{")?;
    let mut text = &rest[..0];
    if let Some(after) = rest.strip_prefix(b"\"log\":\"") {
        let end = end_of_string(after)?;
        text = &after[..end];
        rest = after[end..].strip_prefix(b"\",")?;
    }
    let (stream, mut rest) = match rest.strip_prefix(b"\"stream\":\"stdout\"") {
        Some(rest) => (Stream::Stdout, rest),
        None => (Stream::Stderr, rest.strip_prefix(b"\"stream\":\"stderr\"")?),
    };
    let mut attributes = None;
    if let Some(after) = rest.strip_prefix(b",\"attrs\":") {
        let end = end_of_object(after)?;
        attributes = Some(&after[..end]);
        rest = &after[end..];
    }
    let time = rest.strip_prefix(b",\"time\":\"")?.strip_suffix(b"\"}")?;
    let is_utc = (20..=30).contains(&time.len())
        && time.ends_with(b"Z")
        && time[10] == b'T'
        && matches!(time[19], b'.' | b'Z')
        && !time.contains(&b'"');
    is_utc.then_some(Record {
        stream,
        text: Text::Escaped(text),
        time: Time::Text(time),
        attributes,
    })
}

/// Where the quote is that ends a string.
fn end_of_string(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let quote = from + memchr(b'"', &text[from..])?;
        let before = text[from..quote].iter().rev();
        let backslashes = before.take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(quote);
        }
        from = quote + 1;
    }
}

/// Where an object ends.
fn end_of_object(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'{' => depth += 1,
            b'"' => at += 1 + end_of_string(&text[at + 1..])?,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
        at += 1;
    }
}

/// A line in some other order, or with other keys.
#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    log: String,
    stream: String,
    time: Timestamp,
    #[serde(default)]
    attrs: BTreeMap<String, String>,
    #[serde(skip)]
    attributes: Vec<u8>,
}

impl Object {
    fn parse(line: &[u8]) -> Option<Self> {
        // A crash of the whole computer may leave a block of zeros.
        let zeros = line.iter().take_while(|byte| **byte == 0).count();
        let mut object: Self = serde_json::from_slice(&line[zeros..]).ok()?;
        if !object.attrs.is_empty() {
            object.attributes = serde_json::to_vec(&object.attrs).ok()?;
        }
        Some(object)
    }

    fn record(&self) -> Option<Record<'_>> {
        let stream = [Stream::Stdout, Stream::Stderr]
            .into_iter()
            .find(|stream| stream.name() == self.stream)?;
        Some(Record {
            stream,
            text: Text::Plain {
                text: self.log.as_bytes(),
                complete: false,
            },
            time: Time::Nanos(self.time.nanos()),
            attributes: (!self.attributes.is_empty()).then_some(&self.attributes[..]),
        })
    }
}

/// Appends what the inside of a JSON string stands for. What is no escape is
/// taken as it is.
pub(super) fn unescape(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(at) = memchr(b'\\', text) {
        out.extend_from_slice(&text[..at]);
        let escape = &text[at + 1..];
        let mut length = 1;
        match escape.first() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'b') => out.push(8),
            Some(b'f') => out.push(12),
            Some(b'u') => length = 1 + unescape_unit(out, &escape[1..]),
            Some(other) => out.push(*other),
            None => length = 0,
        }
        text = &escape[length..];
    }
    out.extend_from_slice(text);
}

/// Appends the character whose UTF-16 units are escaped; `text` begins with
/// the first one's digits. Says how many bytes it took.
fn unescape_unit(out: &mut Vec<u8>, text: &[u8]) -> usize {
    let unit = |text: &[u8]| -> Option<u16> {
        let digits = text.get(..4)?;
        digits.iter().try_fold(0, |sum: u16, digit| {
            Some(sum << 4 | char::from(*digit).to_digit(16)? as u16)
        })
    };
    let Some(first) = unit(text) else {
        return 0;
    };
    let second = text[4..].strip_prefix(b"\\u").and_then(unit);
    let mut units = [first, second.unwrap_or(0)].into_iter();
    let mut length = 4;
    let (character, is_pair) = match char::decode_utf16(units.by_ref()).next() {
        Some(Ok(character)) => (character, character.len_utf16() == 2),
        _ => (char::REPLACEMENT_CHARACTER, false),
    };
    if is_pair {
        length += 6;
    }
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    length
}
