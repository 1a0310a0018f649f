//! Content digests: `sha256:` and 64 hexadecimal digits (OCI image spec,
//! descriptor, "Digests").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, HasKind};
use crate::id::{hex, is_hex};

/// A sha256 content digest. Other algorithms are refused by name: the store
/// verifies every digest, and only sha256 is in use anywhere.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// A text that is not a digest the store can verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDigest {
    /// Not of the form `algorithm:hex`.
    #[error("invalid checksum digest format")]
    Format,
    /// sha256, but not 64 digits.
    #[error("invalid checksum digest length")]
    Length,
    /// A registered or made-up algorithm that is not sha256.
    #[error("unsupported digest algorithm")]
    Algorithm,
}

impl HasKind for InvalidDigest {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Digest {
    /// The digest whose sha256 sum is `sum`.
    pub fn from_sha256(sum: [u8; 32]) -> Self {
        Self(format!("sha256:{}", hex(&sum)))
    }

    /// `sha256:` and the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 digits without the algorithm.
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }

    /// The first 12 digits, as people are shown them.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let (algorithm, digits) = text.split_once(':').ok_or(InvalidDigest::Format)?;
        if algorithm != "sha256" {
            return Err(InvalidDigest::Algorithm);
        }
        if digits.len() != 64 {
            Err(InvalidDigest::Length)
        } else if !is_hex(digits, 64) {
            Err(InvalidDigest::Format)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_sha256_digests_are_read() {
        let good = format!("sha256:{}", "0af9".repeat(16));
        let digest: Digest = good.parse().unwrap();
        assert_eq!(digest.as_str(), good);
        assert_eq!(digest.short(), "0af90af90af9");
        let check = |text: &str, error| assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        check("0af9", InvalidDigest::Format);
        check("sha256:0af9", InvalidDigest::Length);
        check(
            &good.to_uppercase().replace("SHA", "sha"),
            InvalidDigest::Format,
        );
        check(&good.replace("256", "512"), InvalidDigest::Algorithm);
        check(&format!("sha256:{}", "é".repeat(32)), InvalidDigest::Format);
    }
}
