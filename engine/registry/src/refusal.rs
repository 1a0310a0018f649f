//! What a registry said when it did not do what it was asked.
//!
//! The texts are those Docker prints. They come from another machine, so they
//! are cut to a sane length and stripped of control characters.

use std::fmt;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::challenge::challenges;

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    items: Vec<RefusedItem>,
    /// A body that isn't the protocol's, kept as far as it is shown.
    body: Option<String>,
}

/// One entry of the protocol's `errors` list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedItem {
    /// The protocol's code, such as `MANIFEST_UNKNOWN`.
    pub code: String,
    /// The message beside it.
    pub message: String,
}

#[derive(Deserialize)]
struct Body {
    errors: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Some registries answer with this instead.
#[derive(Deserialize)]
struct Details {
    details: String,
}

/// How much of a server's text is repeated.
const SHOWN: usize = 1024;

impl Refusal {
    /// Reads an answer's status, headers and body.
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut refusal = Self {
            status: status.as_u16(),
            items: Vec::new(),
            body: None,
        };
        if !status.is_client_error() {
            return refusal;
        }
        // RFC 6750 puts the reason into the challenge, where it is the more
        // telling one: Docker reads it first.
        for challenge in challenges(headers) {
            let code = match challenge.get("error") {
                Some("invalid_token") => "UNAUTHORIZED",
                Some("insufficient_scope") => "DENIED",
                _ => continue,
            };
            let message = challenge
                .get("error_description")
                .unwrap_or_else(|| standard_message(code));
            refusal.items.push(item(code, message));
            break;
        }
        if let Ok(Body { errors }) = serde_json::from_slice(body) {
            refusal.items.extend(errors.into_iter().map(|error| {
                let code = error.code.unwrap_or_else(|| "UNKNOWN".to_owned());
                let message = error.message.filter(|message| !message.is_empty());
                item(
                    &code,
                    message
                        .as_deref()
                        .unwrap_or_else(|| standard_message(&code)),
                )
            }));
        } else if let Ok(Details { details }) = serde_json::from_slice(body) {
            let code = match status {
                StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
                StatusCode::TOO_MANY_REQUESTS => "TOOMANYREQUESTS",
                _ => "UNKNOWN",
            };
            refusal.items.push(item(code, &details));
        }
        if refusal.items.is_empty() {
            match status {
                StatusCode::UNAUTHORIZED => refusal
                    .items
                    .push(item("UNAUTHORIZED", standard_message("UNAUTHORIZED"))),
                _ => refusal.body = Some(tame(&String::from_utf8_lossy(body))),
            }
        }
        refusal
    }

    /// The same with its most telling item alone, as Docker prints it where it
    /// says what the refusal means.
    pub(crate) fn first(mut self) -> Self {
        self.items.truncate(1);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What the registry listed, most telling first.
    pub fn items(&self) -> &[RefusedItem] {
        &self.items
    }

    /// The code that decides what the refusal means.
    pub fn code(&self) -> Option<&str> {
        self.items.first().map(|item| item.code.as_str())
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.items.as_slice(), &self.body) {
            ([only], _) => write!(f, "{only}"),
            ([], Some(body)) if body.is_empty() => {
                let status = self.status;
                write!(
                    f,
                    "error parsing HTTP {status} response body: unexpected end of JSON input: \"\""
                )
            }
            ([], Some(body)) => {
                let status = self.status;
                write!(f, "error parsing HTTP {status} response body: {body:?}")
            }
            ([], None) => {
                let status = StatusCode::from_u16(self.status).ok();
                let reason = status.and_then(|status| status.canonical_reason());
                write!(f, "received unexpected HTTP status: {}", self.status)?;
                reason.map_or(Ok(()), |reason| write!(f, " {reason}"))
            }
            (items, _) => {
                f.write_str("errors:\n")?;
                items.iter().try_for_each(|item| writeln!(f, "{item}"))
            }
        }
    }
}

impl fmt::Display for RefusedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.to_lowercase().replace('_', " ");
        write!(f, "{code}: {}", self.message)
    }
}

fn item(code: &str, message: &str) -> RefusedItem {
    RefusedItem {
        code: tame(code),
        message: tame(message),
    }
}

/// The protocol's own wording of a code, for answers that leave it out.
fn standard_message(code: &str) -> &'static str {
    match code {
        "UNAUTHORIZED" => "authentication required",
        "DENIED" => "requested access to the resource is denied",
        "MANIFEST_UNKNOWN" => "manifest unknown",
        "NAME_UNKNOWN" => "repository name not known to registry",
        "BLOB_UNKNOWN" => "blob unknown to registry",
        "TOOMANYREQUESTS" => "too many requests",
        "UNSUPPORTED" => "The operation is unsupported.",
        _ => "unknown error",
    }
}

fn tame(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .take(SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, challenge: Option<&str>, body: &str, expected: &str) {
        let mut headers = HeaderMap::new();
        if let Some(challenge) = challenge {
            headers.insert("www-authenticate", challenge.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        let refusal = Refusal::new(status, &headers, body.as_bytes());
        assert_eq!(refusal.to_string(), expected);
    }

    #[test]
    fn texts_are_dockers() {
        check(
            404,
            None,
            r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]}"#,
            "manifest unknown: manifest unknown",
        );
        check(
            401,
            Some(r#"Bearer realm="r",error="insufficient_scope""#),
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
            "errors:\ndenied: requested access to the resource is denied\n\
             unauthorized: authentication required\n",
        );
        check(401, None, "", "unauthorized: authentication required");
        check(
            429,
            None,
            r#"{"details":"slow down"}"#,
            "toomanyrequests: slow down",
        );
        check(
            502,
            None,
            "<html>",
            "received unexpected HTTP status: 502 Bad Gateway",
        );
        check(
            403,
            None,
            "<html>",
            "error parsing HTTP 403 response body: \"<html>\"",
        );
    }

    #[test]
    fn a_servers_text_is_tamed() {
        let body = format!(
            r#"{{"errors":[{{"code":"X","message":"a\u001b[31m{}"}}]}}"#,
            "y".repeat(5000)
        );
        let refusal = Refusal::new(StatusCode::BAD_REQUEST, &HeaderMap::new(), body.as_bytes());
        let text = refusal.to_string();
        assert!(text.len() < 1100 && !text.contains('\u{1b}'));
    }
}
