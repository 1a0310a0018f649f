//! Netlink messages as bytes: building requests, walking answers.
//!
//! Knows the header and the attribute layout shared by rtnetlink and
//! nfnetlink, and no message's meaning. Answers are read leniently: unknown
//! attributes are skipped, because every kernel release adds some.

use std::ops::Range;

/// `struct nlmsghdr`.
pub(crate) const HEADER: usize = 16;

pub(crate) const NLM_F_REQUEST: u16 = 0x1;
pub(crate) const NLM_F_ACK: u16 = 0x4;
pub(crate) const NLM_F_DUMP_INTR: u16 = 0x10;
pub(crate) const NLM_F_CAPPED: u16 = 0x100;
pub(crate) const NLM_F_ACK_TLVS: u16 = 0x200;
pub(crate) const NLM_F_DUMP: u16 = 0x300;
pub(crate) const NLM_F_EXCL: u16 = 0x200;
pub(crate) const NLM_F_CREATE: u16 = 0x400;
pub(crate) const NLM_F_APPEND: u16 = 0x800;

pub(crate) const NLMSG_NOOP: u16 = 1;
pub(crate) const NLMSG_ERROR: u16 = 2;
pub(crate) const NLMSG_DONE: u16 = 3;

const NLA_HEADER: usize = 4;
const NLA_F_NESTED: u16 = 0x8000;
const NLA_TYPE_MASK: u16 = 0x3fff;

/// One request being written. Its sequence number and length are filled in
/// when it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A request of type `kind`; `fixed` is the family's own header
    /// (`ifinfomsg`, `nfgenmsg`, …).
    pub(crate) fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&0u32.to_ne_bytes());
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(fixed);
        let mut message = Self { bytes };
        message.pad();
        message
    }

    /// Appends an attribute.
    pub(crate) fn put(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(NLA_HEADER + value.len())
            .expect("a netlink attribute is shorter than 64 KiB");
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.pad();
    }

    /// Appends a number in the machine's order (rtnetlink).
    pub(crate) fn put_u32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// Appends a number in network order (nfnetlink).
    pub(crate) fn put_be32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_be_bytes());
    }

    /// Appends a text with the NUL that the kernel expects.
    pub(crate) fn put_text(&mut self, kind: u16, text: &str) {
        let mut value = Vec::with_capacity(text.len() + 1);
        value.extend_from_slice(text.as_bytes());
        value.push(0);
        self.put(kind, &value);
    }

    /// Appends an attribute holding what `fill` writes.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.put(kind | NLA_F_NESTED, &[]);
        fill(self);
        let length = u16::try_from(self.bytes.len() - start)
            .expect("a nested netlink attribute is shorter than 64 KiB");
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    }

    /// Appends bytes that are no attribute (a nested fixed header).
    pub(crate) fn raw(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.pad();
    }

    pub(crate) fn add_flags(&mut self, more: u16) {
        let flags = u16::from_ne_bytes([self.bytes[6], self.bytes[7]]) | more;
        self.bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
    }

    /// The finished bytes under sequence number `sequence`.
    pub(crate) fn finish(mut self, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).expect("a request is shorter than 4 GiB");
        self.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }

    fn pad(&mut self) {
        let padded = align(self.bytes.len());
        self.bytes.resize(padded, 0);
    }
}

/// One message of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) payload: &'a [u8],
}

/// The messages in a datagram; stops at the first that is cut short.
pub(crate) fn answers(mut bytes: &[u8]) -> impl Iterator<Item = Answer<'_>> {
    std::iter::from_fn(move || {
        let length = u32_at(bytes, 0)? as usize;
        if length < HEADER || length > bytes.len() {
            return None;
        }
        let answer = Answer {
            kind: u16_at(bytes, 4)?,
            flags: u16_at(bytes, 6)?,
            sequence: u32_at(bytes, 8)?,
            payload: &bytes[HEADER..length],
        };
        bytes = bytes.get(align(length)..).unwrap_or(&[]);
        Some(answer)
    })
}

/// The attributes in `bytes` as (type without flags, value).
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        if length < NLA_HEADER || length > bytes.len() {
            return None;
        }
        let kind = u16_at(bytes, 2)? & NLA_TYPE_MASK;
        let value = &bytes[NLA_HEADER..length];
        bytes = bytes.get(align(length)..).unwrap_or(&[]);
        Some((kind, value))
    })
}

/// The value of attribute `kind`, if present.
pub(crate) fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes)
        .find(|(found, _)| *found == kind)
        .map(|(_, value)| value)
}

/// A text attribute without its NUL.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(
        slice(bytes, at..at + 2)?.try_into().ok()?,
    ))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(
        slice(bytes, at..at + 4)?.try_into().ok()?,
    ))
}

pub(crate) fn be32(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(slice(bytes, 0..4)?.try_into().ok()?))
}

fn slice(bytes: &[u8], range: Range<usize>) -> Option<&[u8]> {
    bytes.get(range)
}

const fn align(length: usize) -> usize {
    (length + 3) & !3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_attributes_read_back() {
        let mut message = Message::new(16, NLM_F_ACK, &[7; 3]);
        message.put_text(3, "eth0");
        message.nest(18, |m| {
            m.put_text(1, "veth");
            m.put_u32(4, 1500);
        });
        let bytes = message.finish(9);
        let mut found = answers(&bytes);
        let answer = found.next().unwrap();
        assert!(found.next().is_none());
        assert_eq!((answer.kind, answer.sequence), (16, 9));
        assert_eq!(answer.flags, NLM_F_ACK | NLM_F_REQUEST);
        let rest = &answer.payload[4..];
        assert_eq!(text(attribute(rest, 3).unwrap()), "eth0");
        let nested = attribute(rest, 18).unwrap();
        assert_eq!(u32_at(attribute(nested, 4).unwrap(), 0), Some(1500));
    }

    #[test]
    fn cut_answers_end_the_walk() {
        let whole = Message::new(16, 0, &[0; 16]).finish(1);
        for cut in 0..whole.len() {
            assert_eq!(answers(&whole[..cut]).count(), 0, "cut at {cut}");
        }
        // An attribute that claims more than there is.
        assert_eq!(attributes(&[200, 0, 1, 0, 9]).count(), 0);
        // A length below the header's own must not loop for ever.
        assert_eq!(attributes(&[0, 0, 1, 0, 9]).count(), 0);
    }
}
