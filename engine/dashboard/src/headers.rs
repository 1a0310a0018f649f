//! Which headers of a request are the engine's business, and which of an
//! answer the browser's. Pure.

use http::HeaderMap;
use http::header::{CONNECTION, HeaderName};

/// The header with the session's key.
pub const KEY: HeaderName = HeaderName::from_static("dhow-session");

/// About one connection, not about the message (RFC 9110, 7.6.1).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// About the browser and its session with us.
const BROWSERS: &[&str] = &[
    "accept-encoding",
    "accept-language",
    "cookie",
    "dhow-registry",
    "dhow-session",
    "expect",
    "host",
    "origin",
    "referer",
    "user-agent",
];

/// What an engine, which may be anybody's, must not tell a browser about this
/// origin.
const ORIGINS: &[&str] = &[
    "alt-svc",
    "clear-site-data",
    "link",
    "refresh",
    "service-worker-allowed",
    "set-cookie",
    "strict-transport-security",
    "www-authenticate",
];

/// Leaves what the engine is to see.
pub fn to_engine(headers: &HeaderMap) -> HeaderMap {
    kept(headers, |name| {
        !BROWSERS.contains(&name) && !name.starts_with("sec-")
    })
}

/// Leaves what the browser is to see.
pub fn to_browser(headers: &HeaderMap) -> HeaderMap {
    kept(headers, |name| {
        !ORIGINS.contains(&name) && !name.starts_with("access-control-")
    })
}

fn kept(headers: &HeaderMap, keep: impl Fn(&str) -> bool) -> HeaderMap {
    // A connection's own list of what is about it alone.
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    headers
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            !HOP_BY_HOP.contains(&name) && !named.iter().any(|n| n == name) && keep(name)
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{to_browser, to_engine};
    use http::HeaderMap;

    fn headers(names: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(*name, "x".parse().unwrap());
        }
        headers.insert("connection", "close, X-Own".parse().unwrap());
        headers.insert("x-own", "y".parse().unwrap());
        headers
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(|name| name.as_str()).collect()
    }

    #[test]
    fn the_engine_sees_the_request_and_not_the_session() {
        let sent = headers(&[
            "content-type",
            "x-registry-auth",
            "cookie",
            "origin",
            "sec-fetch-site",
            "transfer-encoding",
            "dhow-session",
            "dhow-registry",
        ]);
        assert_eq!(
            names(&to_engine(&sent)),
            ["content-type", "x-registry-auth"]
        );
    }

    #[test]
    fn the_browser_sees_the_answer_and_no_orders() {
        let answered = headers(&[
            "content-type",
            "api-version",
            "set-cookie",
            "access-control-allow-origin",
            "transfer-encoding",
            "clear-site-data",
        ]);
        assert_eq!(
            names(&to_browser(&answered)),
            ["content-type", "api-version"]
        );
    }
}
