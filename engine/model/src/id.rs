//! The 64-digit hexadecimal ids of containers, execs and networks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many digits people are shown (`docker ps`, default host names).
pub const SHORT_LEN: usize = 12;

/// 32 random bytes in lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a 64-digit hexadecimal id")]
pub struct InvalidId(pub String);

impl Id {
    /// The id made of `random`. An id whose short form is all decimal digits
    /// would be taken for a number by host name rules, so callers draw again
    /// when this returns `None` (Docker does the same).
    pub fn from_random(random: [u8; 32]) -> Option<Self> {
        let text = hex(&random);
        let numeric = text[..SHORT_LEN].bytes().all(|b| b.is_ascii_digit());
        (!numeric).then_some(Self(text))
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits.
    pub fn short(&self) -> &str {
        &self.0[..SHORT_LEN]
    }
}

/// `bytes` in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

/// Whether `text` is `len` lower-case hexadecimal digits.
pub fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl FromStr for Id {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Id {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        if is_hex(&text, 64) {
            Ok(Self(text))
        } else {
            Err(InvalidId(text))
        }
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_with_a_numeric_short_form_are_drawn_again() {
        assert_eq!(Id::from_random([0x12; 32]), None);
        let id = Id::from_random([0xab; 32]).unwrap();
        assert_eq!(id.short(), "abababababab");
        assert_eq!(id.as_str().parse(), Ok(id));
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "ab",
            &"AB".repeat(32),
            &"xy".repeat(32),
            &"ab".repeat(33),
        ] {
            assert_eq!(text.parse::<Id>(), Err(InvalidId(text.to_owned())));
        }
    }
}
