//! `dhow://` links, and the routes of the window that they mean. Pure.
//!
//! Anybody can make such a link, so it can only show something: it has no
//! query, and nothing in it is an action.

/// The screens that links may open.
const SCREENS: &[&str] = &[
    "containers",
    "images",
    "volumes",
    "networks",
    "activity",
    "settings",
    "help",
];

/// The route of `dhow://containers/web/logs`: `#/containers/web/logs`.
pub fn route(link: &str) -> Option<String> {
    let rest = link.strip_prefix("dhow://")?;
    let rest = rest.trim_end_matches('/');
    if rest.is_empty() {
        return Some("#/containers".to_owned());
    }
    let segments: Vec<&str> = rest.split('/').collect();
    let plain = |segment: &&str| {
        (1..=128).contains(&segment.len())
            && !segment.starts_with('.')
            && segment.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')
            })
    };
    let known = SCREENS.contains(&segments[0]) && segments.len() <= 4;
    (known && segments.iter().all(plain)).then(|| format!("#/{}", segments.join("/")))
}

#[cfg(test)]
mod tests {
    use super::route;

    #[track_caller]
    fn check(link: &str, expected: Option<&str>) {
        assert_eq!(route(link).as_deref(), expected, "{link}");
    }

    #[test]
    fn links_show_screens() {
        check(
            "dhow://containers/web-1/logs",
            Some("#/containers/web-1/logs"),
        );
        check("dhow://images/sha256:0a", Some("#/images/sha256:0a"));
        check("dhow://settings/", Some("#/settings"));
        check("dhow://", Some("#/containers"));
    }

    #[test]
    fn links_can_do_nothing_else() {
        for link in [
            "https://containers",
            "dhow:containers",
            "dhow://elsewhere",
            "dhow://containers?run=x",
            "dhow://containers/a b",
            "dhow://containers/../settings",
            "dhow://containers/%2e%2e",
            "dhow://containers/a'b",
            "dhow://containers//a",
            "dhow://containers/a/b/c/d",
        ] {
            check(link, None);
        }
    }
}
