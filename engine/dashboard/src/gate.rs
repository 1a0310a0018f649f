//! Which requests come from our own pages, by what browsers say of where a
//! request comes from. It keeps out pages of the web, also those whose name
//! was pointed at loopback (DNS rebinding), and pages of other ports of the
//! same address, which containers serve and which share our cookies.
//!
//! It keeps out no program, since programs can say what they like: that is
//! what [`crate::sessions`] is for. Pure.

use http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use http::{Method, StatusCode, Uri};

/// How much a request is to be trusted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The pages: the same for all, and no secret.
    Pages,
    /// The engine.
    Engine,
}

/// A request that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    pub message: &'static str,
}

/// The rules for one address.
#[derive(Debug)]
pub struct Gate {
    authority: String,
    origin: String,
}

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

const HOST_UNKNOWN: Refusal = Refusal {
    status: StatusCode::MISDIRECTED_REQUEST,
    message: "this is the dashboard at another address: use the link as it was printed",
};
const FOREIGN: Refusal = Refusal {
    status: StatusCode::FORBIDDEN,
    message: "only the dashboard's own pages may ask this",
};

impl Gate {
    /// For the server that browsers call `authority`.
    pub fn new(authority: String) -> Self {
        let origin = format!("http://{authority}");
        Self { authority, origin }
    }

    /// Lets a request pass, or says why not.
    pub fn check(
        &self,
        trust: Trust,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let asked_elsewhere = uri
            .authority()
            .is_some_and(|named| named.as_str() != self.authority);
        if asked_elsewhere || only(headers, &HOST)? != Some(&self.authority) {
            return Err(HOST_UNKNOWN);
        }
        match only(headers, &ORIGIN)? {
            Some(origin) if origin == self.origin => {}
            Some(_) => return Err(FOREIGN),
            // Browsers leave it out where a page reads from its own origin.
            None if reads(method) && !headers.contains_key(http::header::UPGRADE) => {}
            None => return Err(FOREIGN),
        }
        match (only(headers, &FETCH_SITE)?, trust) {
            // Older browsers and programs say nothing.
            (None | Some("same-origin"), _) => Ok(()),
            // Typed, or from a bookmark.
            (Some("none"), Trust::Pages) => Ok(()),
            // A link somewhere to the page itself; not a frame, image or
            // script of it.
            (Some(_), Trust::Pages) if is_navigation(headers) => Ok(()),
            _ => Err(FOREIGN),
        }
    }
}

fn reads(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

fn is_navigation(headers: &HeaderMap) -> bool {
    let is = |name: &HeaderName, value: &str| headers.get(name).is_some_and(|v| v == value);
    is(&FETCH_MODE, "navigate") && is(&FETCH_DEST, "document")
}

/// The value of a header that may be there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = match values.next() {
        Some(value) => Some(value.to_str().map_err(|_| FOREIGN)?),
        None => None,
    };
    match values.next() {
        None => Ok(value),
        Some(_) => Err(FOREIGN),
    }
}

#[cfg(test)]
mod tests {
    use super::{Gate, Trust};
    use http::Request;

    const OURS: (&str, &str) = ("host", "127.0.0.1:3000");

    #[track_caller]
    fn check(trust: Trust, method: &str, headers: &[(&str, &str)], expected: u16) {
        let mut request = Request::builder().method(method).uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let gate = Gate::new("127.0.0.1:3000".to_owned());
        let status = match gate.check(trust, &head.method, &head.uri, &head.headers) {
            Ok(()) => 200,
            Err(refusal) => refusal.status.as_u16(),
        };
        assert_eq!(status, expected, "{trust:?} {method} {headers:?}");
    }

    #[test]
    fn the_host_has_to_be_the_address() {
        for trust in [Trust::Pages, Trust::Engine] {
            check(trust, "GET", &[OURS], 200);
            for host in [
                "evil.example",
                "evil.example:3000",
                "localhost:3000",
                "127.0.0.1",
                "127.0.0.1:3001",
                "127.0.0.1:3000.evil.example",
                "",
            ] {
                check(trust, "GET", &[("host", host)], 421);
            }
            check(trust, "GET", &[], 421);
            check(trust, "GET", &[OURS, OURS], 403);
        }
    }

    #[test]
    fn the_origin_has_to_be_ours() {
        let origin = |text| [OURS, ("origin", text)];
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            check(Trust::Engine, method, &origin("http://127.0.0.1:3000"), 200);
            for foreign in [
                "http://127.0.0.1:8080",
                "http://127.0.0.1",
                "https://127.0.0.1:3000",
                "http://localhost:3000",
                "http://evil.example",
                "null",
            ] {
                check(Trust::Engine, method, &origin(foreign), 403);
                check(Trust::Pages, method, &origin(foreign), 403);
            }
        }
        check(Trust::Engine, "POST", &[OURS], 403);
        check(Trust::Engine, "GET", &[OURS, ("upgrade", "websocket")], 403);
    }

    #[test]
    fn where_the_browser_says_from_where_it_counts() {
        let site = |text| [OURS, ("sec-fetch-site", text)];
        check(Trust::Engine, "GET", &site("same-origin"), 200);
        for foreign in ["same-site", "cross-site", "none", "new"] {
            check(Trust::Engine, "GET", &site(foreign), 403);
        }
        check(Trust::Pages, "GET", &site("none"), 200);
        check(Trust::Pages, "GET", &site("same-site"), 403);
        let following = |dest| {
            [
                OURS,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", dest),
            ]
        };
        check(Trust::Pages, "GET", &following("document"), 200);
        check(Trust::Pages, "GET", &following("iframe"), 403);
        check(Trust::Engine, "GET", &following("document"), 403);
    }
}
