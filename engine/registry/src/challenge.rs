//! Reading `WWW-Authenticate`: which scheme a registry wants, and where its
//! token server is (RFC 9110, 11.6.1).
//!
//! One header may hold several challenges, and several headers may come. What
//! can't be read is skipped: the result is then simply no known challenge.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// One challenge: its scheme in lower case and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter, by its lower-case name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Every challenge of `headers`, in order.
pub(crate) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(parse)
        .collect()
}

fn parse(text: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            return found;
        }
        let after_spaces = after.trim_start_matches([' ', '\t']);
        match (after_spaces.strip_prefix('='), found.last_mut()) {
            // `name=value` belongs to the challenge before it.
            (Some(value), Some(Challenge { parameters, .. })) => {
                let (value, remaining) = parameter(value.trim_start_matches([' ', '\t']));
                parameters.push((word.to_ascii_lowercase(), value));
                rest = remaining;
            }
            (Some(_), None) => return found,
            (None, _) => {
                found.push(Challenge {
                    scheme: word.to_ascii_lowercase(),
                    parameters: Vec::new(),
                });
                rest = after;
            }
        }
    }
}

fn token(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)))
        .unwrap_or(text.len());
    text.split_at(end)
}

fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        // Unquoted values should be tokens, but realms with slashes are seen.
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &[(&str, &str)])]) {
        let expected: Vec<Challenge> = expected
            .iter()
            .map(|(scheme, parameters)| Challenge {
                scheme: (*scheme).to_owned(),
                parameters: parameters
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
            })
            .collect();
        assert_eq!(parse(text), expected, "{text}");
    }

    #[test]
    fn challenges_as_registries_write_them() {
        check(
            r#"Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push""#,
            &[(
                "bearer",
                &[
                    ("realm", "https://auth.example/token"),
                    ("service", "reg"),
                    ("scope", "repository:a/b:pull,push"),
                ],
            )],
        );
        check(r#"Basic realm="x""#, &[("basic", &[("realm", "x")])]);
        check("Negotiate", &[("negotiate", &[])]);
        check(
            r#"Negotiate, basic Realm = "a \"b\"" , Bearer realm=https://h/t,error="invalid_token""#,
            &[
                ("negotiate", &[]),
                ("basic", &[("realm", "a \"b\"")]),
                (
                    "bearer",
                    &[("realm", "https://h/t"), ("error", "invalid_token")],
                ),
            ],
        );
    }

    #[test]
    fn broken_challenges_end_without_panic() {
        check("", &[]);
        check("=", &[]);
        check("a=b", &[]);
        check(r#"Bearer realm="open"#, &[("bearer", &[("realm", "open")])]);
        check("Bearer realm=", &[("bearer", &[("realm", "")])]);
        check("Bearer \u{e9}", &[("bearer", &[])]);
    }
}
