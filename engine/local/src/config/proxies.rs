//! The proxies that the engine itself goes through, and how they are shown:
//! their addresses often hold passwords.

use std::fmt;

/// Proxies for registries and imports. Those not set come from the environment
/// (`HTTP_PROXY` and so on).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For plain HTTP.
    pub http: Option<ProxyAddress>,
    /// For HTTPS.
    pub https: Option<ProxyAddress>,
    /// Hosts, domains and ranges that are reached without one.
    pub no_proxy: Option<String>,
}

/// A proxy's address. Printed, it has no password.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct ProxyAddress(String);

impl ProxyAddress {
    /// Wraps `address`.
    pub fn new(address: impl Into<String>) -> Self {
        Self(address.into())
    }

    /// The whole address, for whoever connects.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = match self.0.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, self.0.as_str()),
        };
        // The last one: a password that nobody escaped may hold others.
        let Some((_, host)) = rest.rsplit_once('@') else {
            return f.write_str(&self.0);
        };
        if let Some(scheme) = scheme {
            write!(f, "{scheme}://")?;
        }
        write!(f, "xxxxx:xxxxx@{host}")
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let check = |address: &str, expected: &str| {
            let address = ProxyAddress::new(address);
            assert_eq!(address.to_string(), expected);
            assert_eq!(format!("{address:?}"), expected);
        };
        check("http://proxy:3128", "http://proxy:3128");
        check("proxy:3128", "proxy:3128");
        check(
            "http://me:secret@proxy:3128",
            "http://xxxxx:xxxxx@proxy:3128",
        );
        check("http://me:s@/cret@proxy/", "http://xxxxx:xxxxx@proxy/");
        check("me:secret@proxy:3128", "xxxxx:xxxxx@proxy:3128");
    }
}
