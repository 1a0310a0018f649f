//! API versions (`1.41`) and how client and engine agree on one.
//!
//! Does not talk to anything: [`crate::Client`] feeds it what it hears.

use std::fmt;
use std::str::FromStr;

/// A version of the Docker Engine API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// Always 1 so far.
    pub major: u16,
    /// What people call the API version.
    pub minor: u16,
}

/// The newest version this client was written for.
pub const NEWEST: ApiVersion = ApiVersion::new(1, 55);

/// The oldest version that engines are still expected to accept.
pub const OLDEST: ApiVersion = ApiVersion::new(1, 24);

/// A text that is not `major.minor`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an API version")]
pub struct InvalidVersion(pub String);

impl ApiVersion {
    /// `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// The version both ends know: the older of ours and theirs.
    pub fn agreed_with(self, theirs: ApiVersion) -> ApiVersion {
        self.min(theirs)
    }

    /// One number, so that it fits an atomic.
    pub(crate) fn pack(self) -> u32 {
        (u32::from(self.major) << 16) | u32::from(self.minor)
    }

    pub(crate) fn unpack(packed: u32) -> Self {
        Self::new((packed >> 16) as u16, (packed & 0xffff) as u16)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(text.to_owned());
        let bare = text.strip_prefix('v').unwrap_or(text);
        let (major, minor) = bare.split_once('.').ok_or_else(invalid)?;
        Ok(Self {
            major: major.parse().map_err(|_| invalid())?,
            minor: minor.parse().map_err(|_| invalid())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_versions_compare_as_numbers() {
        let old: ApiVersion = "1.9".parse().unwrap();
        let new: ApiVersion = "v1.41".parse().unwrap();
        assert!(old < new);
        assert_eq!(new.agreed_with(NEWEST), new);
        assert_eq!(ApiVersion::unpack(new.pack()), new);
        assert!("1".parse::<ApiVersion>().is_err());
        assert!("1.x".parse::<ApiVersion>().is_err());
    }
}
