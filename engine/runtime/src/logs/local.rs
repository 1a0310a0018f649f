//! The engine's own compact format: binary records that can be walked both
//! ways.
//!
//! ```text
//! length: u32 │ flags: u8 │ nanoseconds since 1970: i64 │ line │ length: u32
//! ```
//!
//! Little endian; `length` counts flags, time and line. A line feed is not
//! stored but implied, unless the record is partial. A record with the
//! attributes flag holds the attributes (a JSON object) of those that follow.

use dhow_model::Timestamp;

use super::Stream;

/// The bytes around a record's body.
pub const FRAMING: usize = 8;
/// Flags and time.
const HEAD: usize = 9;
/// No body is longer; what says so is damaged.
pub const LONGEST_BODY: usize = HEAD + (1 << 20);

const STDERR: u8 = 1;
const PARTIAL: u8 = 2;
const ATTRIBUTES: u8 = 4;

/// A record's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub kind: Kind,
    pub time: Timestamp,
    pub content: &'a [u8],
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Line { stream: Stream, complete: bool },
    Attributes,
}

/// Appends a record.
pub fn encode(out: &mut Vec<u8>, record: &Record<'_>) {
    let flags = match record.kind {
        Kind::Attributes => ATTRIBUTES,
        Kind::Line { stream, complete } => {
            let stream = if stream == Stream::Stderr { STDERR } else { 0 };
            stream | if complete { 0 } else { PARTIAL }
        }
    };
    let length = (HEAD + record.content.len()) as u32;
    out.extend_from_slice(&length.to_le_bytes());
    out.push(flags);
    out.extend_from_slice(&record.time.nanos().to_le_bytes());
    out.extend_from_slice(record.content);
    out.extend_from_slice(&length.to_le_bytes());
}

/// What the front of `bytes` holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Front<'a> {
    /// A record, and the length of all of it.
    Record(Record<'a>, usize),
    /// The beginning of one.
    Partial,
    /// Nothing that was written by [`encode`].
    Damaged,
}

/// Reads the record at the front of `bytes`.
pub fn front(bytes: &[u8]) -> Front<'_> {
    let Some(length) = length_at(bytes, 0) else {
        return Front::Partial;
    };
    if !(HEAD..=LONGEST_BODY).contains(&length) {
        return Front::Damaged;
    }
    let Some(end) = length_at(bytes, 4 + length) else {
        return Front::Partial;
    };
    if end != length {
        return Front::Damaged;
    }
    Front::Record(body(&bytes[4..4 + length]), length + FRAMING)
}

/// The length of the whole record whose last bytes these are.
pub fn length_of_last(bytes: &[u8]) -> Option<usize> {
    let length = length_at(bytes, bytes.len().checked_sub(4)?)?;
    (HEAD..=LONGEST_BODY)
        .contains(&length)
        .then_some(length + FRAMING)
}

fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(four) as usize)
}

fn body(bytes: &[u8]) -> Record<'_> {
    let (head, content) = bytes.split_at(HEAD);
    let nanos = head[1..].try_into().expect("eight bytes follow the flags");
    let kind = match head[0] & ATTRIBUTES {
        0 => Kind::Line {
            stream: match head[0] & STDERR {
                0 => Stream::Stdout,
                _ => Stream::Stderr,
            },
            complete: head[0] & PARTIAL == 0,
        },
        _ => Kind::Attributes,
    };
    Record {
        kind,
        time: Timestamp::from_nanos(i64::from_le_bytes(nanos)),
        content,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_from_both_ends() {
        let record = Record {
            kind: Kind::Line {
                stream: Stream::Stderr,
                complete: false,
            },
            time: Timestamp::from_nanos(-5),
            content: b"text",
        };
        let mut bytes = Vec::new();
        encode(&mut bytes, &record);
        assert_eq!(front(&bytes), Front::Record(record, bytes.len()));
        assert_eq!(length_of_last(&bytes), Some(bytes.len()));
        for cut in 0..bytes.len() {
            assert_eq!(front(&bytes[..cut]), Front::Partial);
        }
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert_eq!(front(&bytes), Front::Damaged);
    }
}
