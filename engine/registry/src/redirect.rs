//! Which redirects are followed. Pure.

use http::header::LOCATION;
use http::{Method, StatusCode};
use reqwest::{Response, Url};

use crate::endpoint::Base;
use crate::failure::Failure;

/// Where `response` wants to have the request go, if it may go anywhere else.
pub(crate) fn redirect(method: &Method, replayable: bool, response: &Response) -> Option<String> {
    let reading = matches!(*method, Method::GET | Method::HEAD);
    let follow = match response.status() {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => reading,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => replayable,
        _ => false,
    };
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    follow.then(|| location.to_owned())
}

/// Whether the way from `from` to `to` may be taken for a request to `home`.
pub(crate) fn check_redirect(
    from: &Url,
    to: &Url,
    home: &Base,
    next: &Base,
) -> Result<(), Failure> {
    let refuse = |reason| {
        Err(Failure::Redirect {
            to: to.origin().ascii_serialization(),
            reason,
        })
    };
    if !matches!(to.scheme(), "http" | "https") {
        return refuse("unsupported scheme");
    }
    if !to.username().is_empty() || to.password().is_some() {
        return refuse("credentials in the address");
    }
    if from.scheme() == "https" && to.scheme() == "http" && !home.insecure && !next.insecure {
        return refuse("it would leave TLS");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::host_port;

    fn check(from: &str, to: &str, insecure: bool, expected: Result<(), &str>) {
        let url = |text| Url::parse(text).unwrap();
        let base = |text, insecure| Base {
            host: host_port(&url(text)),
            url: url(text),
            insecure,
        };
        let found = check_redirect(
            &url(from),
            &url(to),
            &base(from, insecure),
            &base(to, false),
        );
        let found = found.map_err(|failure| failure.to_string());
        assert_eq!(
            found.as_ref().map(|&()| ()).map_err(String::as_str),
            expected
        );
    }

    #[test]
    fn redirects_do_not_leave_tls_or_bring_credentials() {
        check("https://a/x", "https://b/y", false, Ok(()));
        check("http://a/x", "http://b/y", false, Ok(()));
        check("https://a/x", "http://b/y", true, Ok(()));
        check(
            "https://a/x",
            "http://b/y?secret=1",
            false,
            Err("redirect to http://b refused: it would leave TLS"),
        );
        check(
            "https://a/x",
            "https://user:pass@b/",
            false,
            Err("redirect to https://b refused: credentials in the address"),
        );
        check(
            "https://a/x",
            "ftp://b/",
            true,
            Err("redirect to ftp://b refused: unsupported scheme"),
        );
    }
}
