//! API versions: the range we speak, the `/v1.NN` prefix, and Docker's words
//! for versions beyond the range. Pure.

use std::cmp::Ordering;
use std::fmt;

/// The newest API version we speak, and what a request without prefix gets.
pub const NEWEST: ApiVersion = ApiVersion::new(1, 55);

/// The oldest API version we speak.
pub const OLDEST: ApiVersion = ApiVersion::new(1, 24);

/// An API version, compared number by number as dockerd does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    major: u32,
    minor: u32,
}

/// A version that is out of range, with the text that Docker answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutOfRange {
    /// Older than anything we still speak.
    #[error(
        "client version {0} is too old. Minimum supported API version is {OLDEST}, \
         please upgrade your client to a newer version"
    )]
    TooOld(String),
    /// Newer than we know.
    #[error("client version {0} is too new. Maximum supported API version is {NEWEST}")]
    TooNew(String),
}

impl ApiVersion {
    /// Version `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Whether this is `1.minor` or newer.
    pub fn at_least(self, minor: u32) -> bool {
        self >= Self::new(1, minor)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The version a path asks for and the path behind the prefix. Paths that do
/// not begin with a version are for the newest.
pub fn split(path: &str) -> Result<(ApiVersion, &str), OutOfRange> {
    let Some((text, rest)) = prefix(path) else {
        return Ok((NEWEST, path));
    };
    let numbers = numbers(text);
    if compare(&numbers, OLDEST) == Ordering::Less {
        return Err(OutOfRange::TooOld(text.to_owned()));
    }
    if compare(&numbers, NEWEST) == Ordering::Greater {
        return Err(OutOfRange::TooNew(text.to_owned()));
    }
    let number = |index: usize| numbers.get(index).copied().unwrap_or(0);
    Ok((ApiVersion::new(number(0), number(1)), rest))
}

/// `/v1.24/info` is `1.24` and `/info`; digits and dots only, and something
/// must follow, else it is a path like any other (and not found).
fn prefix(path: &str) -> Option<(&str, &str)> {
    let behind = path.strip_prefix("/v")?;
    let end = behind.find('/')?;
    let (text, rest) = behind.split_at(end);
    let valid = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    valid.then_some((text, rest))
}

fn numbers(text: &str) -> Vec<u32> {
    text.split('.')
        .map(|part| match part {
            "" => 0,
            digits => digits.parse().unwrap_or(u32::MAX),
        })
        .collect()
}

fn compare(numbers: &[u32], version: ApiVersion) -> Ordering {
    let other = [version.major, version.minor];
    (0..numbers.len().max(other.len()))
        .map(|i| {
            let (a, b) = (numbers.get(i), other.get(i));
            a.unwrap_or(&0).cmp(b.unwrap_or(&0))
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Result<(ApiVersion, &str), &str>) {
        let got = split(path).map_err(|e| e.to_string());
        assert_eq!(got, expected.map_err(str::to_owned), "{path}");
    }

    #[test]
    fn takes_the_prefix_off() {
        check("/info", Ok((NEWEST, "/info")));
        check("/v1.24/info", Ok((ApiVersion::new(1, 24), "/info")));
        check("/v1.55/info", Ok((NEWEST, "/info")));
        check("/v1.41/", Ok((ApiVersion::new(1, 41), "/")));
    }

    #[test]
    fn leaves_other_paths_alone() {
        check("/v1.41", Ok((NEWEST, "/v1.41")));
        check("/vx/info", Ok((NEWEST, "/vx/info")));
        check("/volumes/x", Ok((NEWEST, "/volumes/x")));
        check("/v/x", Ok((NEWEST, "/v/x")));
    }

    #[test]
    fn says_what_docker_says_beyond_the_range() {
        check(
            "/v1.12/info",
            Err(
                "client version 1.12 is too old. Minimum supported API version is 1.24, please \
                 upgrade your client to a newer version",
            ),
        );
        let too_new =
            |v| format!("client version {v} is too new. Maximum supported API version is 1.55");
        check("/v9.99/info", Err(&too_new("9.99")));
        check("/v1.56/info", Err(&too_new("1.56")));
        check("/v1.55.1/info", Err(&too_new("1.55.1")));
        check("/v99999999999.1/info", Err(&too_new("99999999999.1")));
    }

    #[test]
    fn compares_numbers_and_not_text() {
        assert!(ApiVersion::new(1, 100).at_least(55));
        assert!(!ApiVersion::new(1, 9).at_least(24));
    }
}
