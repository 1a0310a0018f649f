//! Paths as texts, without looking at any file system.

/// The shortest path that means the same: no empty, `.` or inner `..` parts.
/// An empty path is `.`.
pub fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// Whether a path stays below where it starts, as far as its text tells.
pub fn is_local(path: &str) -> bool {
    !path.is_empty() && !path.starts_with('/') && {
        let cleaned = clean(path);
        cleaned != ".." && !cleaned.starts_with("../")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_shortened() {
        for (path, shortest) in [
            ("", "."),
            ("/", "/"),
            ("//a//b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../../a", "/a"),
            ("a/../..", ".."),
            ("../../a", "../../a"),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path), shortest, "{path}");
        }
    }

    #[test]
    fn local_paths_stay_inside() {
        for path in ["a", "a/b", "a/../b", ".", "..a"] {
            assert!(is_local(path), "{path}");
        }
        for path in ["", "/a", "..", "../a", "a/../..", "a/../../b"] {
            assert!(!is_local(path), "{path}");
        }
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(path in "[a./]{0,16}") {
            let once = clean(&path);
            prop_assert_eq!(clean(&once), once.clone());
            prop_assert!(once != "/.." && !once.starts_with("/../"), "{}", once);
        }
    }
}
