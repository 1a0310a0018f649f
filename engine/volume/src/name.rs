//! Which names volumes may have. An allowed name is safe as a file name and
//! never begins with a dot.

use dhow_model::name;

/// A name that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVolumeName {
    /// A single character.
    #[error("volume name is too short, names should be at least two alphanumeric characters")]
    TooShort,
    /// Other characters.
    #[error(
        "{0:?} includes invalid characters for a local volume name, only {allowed:?} are allowed. If you intended to pass a host directory, use absolute path",
        allowed = name::ALLOWED
    )]
    Characters(String),
}

/// Checks a name.
pub fn check_name(text: &str) -> Result<(), InvalidVolumeName> {
    if text.chars().count() == 1 {
        Err(InvalidVolumeName::TooShort)
    } else if name::is_plain(text) && text.len() <= 255 {
        Ok(())
    } else {
        Err(InvalidVolumeName::Characters(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_allowed_or_refused_in_docker_s_words() {
        for name in ["data", "a1", "A.b_c-d"] {
            assert_eq!(check_name(name), Ok(()));
        }
        let error = check_name("a").unwrap_err().to_string();
        assert!(error.starts_with("volume name is too short"), "{error}");
        for name in ["", ".hidden", "..", "a/b", "a b", "-a", "é1"] {
            let error = check_name(name).expect_err(name).to_string();
            assert_eq!(
                error,
                format!(
                    "{name:?} includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
                )
            );
        }
        assert!(check_name(&"a".repeat(256)).is_err());
    }
}
