//! What of the engine's API the page may ask for: paths, and nothing that
//! only looks like one. Pure.

use std::fmt;

use percent_encoding::percent_decode_str;

/// A path of the engine's API, with its query, that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(String);

/// A text that is no path of the engine's API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path of the engine's API")]
pub struct InvalidPath(pub String);

/// Longer ones are no paths that any client makes.
const LONGEST: usize = 16 * 1024;

impl Path {
    /// Takes `/_ping`, `/version`, `/v1.51/…` and `/dhow/…`; refuses whole
    /// URLs, fragments, dot segments, and anything that could end the line.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let path = text.split('?').next().unwrap_or_default();
        let printable = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\'));
        let known = matches!(path, "/_ping" | "/version")
            || path
                .strip_prefix("/dhow/")
                .is_some_and(|rest| !rest.is_empty())
            || versioned(path);
        if printable && known && text.len() <= LONGEST && !climbs(path) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPath(text.chars().take(200).collect()))
        }
    }

    /// The path without version and query: `/containers/json`.
    pub fn route(&self) -> &str {
        let path = self.0.split('?').next().unwrap_or_default();
        match path.strip_prefix("/v").and_then(|rest| rest.find('/')) {
            Some(end) => &path[end + 2..],
            None => path,
        }
    }

    /// The value of the query's `name`, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.0.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| decoded(value))
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// `/v`, digits, a dot, digits, and more behind a slash.
fn versioned(path: &str) -> bool {
    let digits =
        |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let parts = path
        .strip_prefix("/v")
        .and_then(|rest| rest.split_once('/'))
        .and_then(|(version, rest)| Some((version.split_once('.')?, rest)));
    parts.is_some_and(|((major, minor), rest)| digits(major) && digits(minor) && !rest.is_empty())
}

/// Whether a segment means another folder, however it is written.
fn climbs(path: &str) -> bool {
    path.split('/').any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    })
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_api_are_taken() {
        for text in [
            "/_ping",
            "/version",
            "/v1.51/containers/json?all=1&filters=%7B%7D",
            "/v1.24/containers/a%2Fb/logs?tail=..",
            "/dhow/machine",
            "/v1.51/images/registry.example:5000/a/b:c/json",
        ] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "/",
            "v1.51/info",
            "/containers/json",
            "/v1/info",
            "/v1.51",
            "/v1.51/",
            "/vx.y/info",
            "/v1.1234/info",
            "/dhow/",
            "http://elsewhere/v1.51/info",
            "//elsewhere/v1.51/info",
            "/v1.51/../dhow",
            "/v1.51/%2e%2E/info",
            "/v1.51/info#x",
            "/v1.51/a b",
            "/v1.51/info\r\nHost: x",
            "/v1.51/info\n",
            "/v1.51/\u{e9}",
            "/v1.51\\info",
        ] {
            assert!(Path::parse(text).is_err(), "{text:?}");
        }
        assert!(Path::parse(&format!("/v1.51/{}", "a".repeat(LONGEST))).is_err());
    }

    #[test]
    fn routes_and_queries_are_read() {
        let path = Path::parse("/v1.51/images/create?fromImage=a%2Fb&tag=c+d").unwrap();
        assert_eq!(path.route(), "/images/create");
        assert_eq!(path.query("fromImage").as_deref(), Some("a/b"));
        assert_eq!(path.query("tag").as_deref(), Some("c d"));
        assert_eq!(path.query("none"), None);
        assert_eq!(Path::parse("/_ping").unwrap().route(), "/_ping");
        assert_eq!(Path::parse("/version").unwrap().route(), "/version");
    }
}
