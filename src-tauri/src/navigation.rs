//! Where the window may go. Pure.
//!
//! Only to the app's own page: the bridge is behind it. What a person follows
//! to elsewhere is opened in their browser, and only if a browser is what it
//! is for.

use tauri::Url;

/// What becomes of an address.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The app's own page.
    Ours,
    /// A page for the person's browser.
    Browser,
    /// Nothing at all: files, scripts, other programs' links.
    Nowhere,
}

/// Judges an address.
pub fn judge(address: &Url) -> Verdict {
    let plain =
        address.username().is_empty() && address.password().is_none() && address.port().is_none();
    // How the app's own page is called on Linux and macOS, and on Windows.
    let ours = match address.scheme() {
        "tauri" => address.host_str() == Some("localhost"),
        "http" | "https" => cfg!(windows) && address.host_str() == Some("tauri.localhost"),
        _ => false,
    };
    match address.scheme() {
        _ if ours && plain => Verdict::Ours,
        "http" | "https" => Verdict::Browser,
        _ => Verdict::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: Verdict) {
        assert_eq!(judge(&address.parse().unwrap()), expected, "{address}");
    }

    #[test]
    fn only_our_own_page_is_shown() {
        check("tauri://localhost/", Verdict::Ours);
        check("tauri://localhost/index.html#/containers", Verdict::Ours);
        check("tauri://elsewhere/", Verdict::Nowhere);
        check("tauri://localhost:81/", Verdict::Nowhere);
    }

    #[test]
    fn pages_of_containers_are_for_the_browser() {
        check("http://127.0.0.1:8080/", Verdict::Browser);
        check("https://example.com/", Verdict::Browser);
        check("http://localhost/", Verdict::Browser);
        check("http://ipc.localhost/", Verdict::Browser);
    }

    #[test]
    fn nothing_else_goes_anywhere() {
        for address in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "about:blank",
            "ipc://localhost/engine_request",
            "blob:tauri://localhost/1",
            "ssh://host",
            "dhow://containers",
        ] {
            check(address, Verdict::Nowhere);
        }
    }
}
