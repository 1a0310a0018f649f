//! What a client sends along to speak for itself at a registry: Docker's
//! `AuthConfig`, as JSON or in the `X-Registry-Auth` header.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use crate::secret::Secret;

/// Credentials for one registry. The default is to have none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "AuthConfig")]
pub struct Credentials {
    /// User name for basic authentication and token requests.
    pub username: String,
    /// Password or personal access token.
    pub password: Secret,
    /// A refresh token that a token server gave at login.
    pub identity_token: Secret,
    /// A bearer token to be sent as it is.
    pub registry_token: Secret,
    /// The registry these are meant for, as the client wrote it.
    pub server_address: String,
}

/// A header or body that holds no `AuthConfig`. The text names the fault but
/// never quotes the input, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredentials {
    /// Not base64 (URL alphabet).
    #[error("must be a valid base64url-encoded string")]
    Encoding,
    /// Not the JSON of an `AuthConfig`.
    #[error("invalid JSON at line {line}, column {column}")]
    Json {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
}

/// The wire form. Clients send other fields too (`email`), which are ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AuthConfig {
    username: Option<String>,
    password: Option<Secret>,
    auth: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
    serveraddress: Option<String>,
}

/// Either alphabet, with padding or without: clients in the wild send all four.
const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

impl Credentials {
    /// Reads the value of an `X-Registry-Auth` header. An empty value, or an
    /// empty JSON object, means that there are no credentials.
    pub fn from_header(value: &str) -> Result<Self, InvalidCredentials> {
        let value = value.trim();
        if value.is_empty() {
            return Ok(Self::default());
        }
        let json = URL
            .decode(value)
            .or_else(|_| STANDARD.decode(value))
            .map_err(|_| InvalidCredentials::Encoding)?;
        Self::from_json(&json)
    }

    /// Reads the JSON of an `AuthConfig`.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidCredentials> {
        serde_json::from_slice(json).map_err(|error| InvalidCredentials::Json {
            line: error.line(),
            column: error.column(),
        })
    }

    /// Whether there is nothing to authenticate with.
    pub fn is_anonymous(&self) -> bool {
        !self.has_password() && self.identity_token.is_empty() && self.registry_token.is_empty()
    }

    /// Whether there is a name and password pair to send.
    pub(crate) fn has_password(&self) -> bool {
        !self.username.is_empty() && !self.password.is_empty()
    }

    /// The value of an `Authorization` header with the pair.
    pub(crate) fn basic(&self) -> Secret {
        let pair = format!("{}:{}", self.username, self.password.expose());
        Secret::new(format!("Basic {}", STANDARD.encode(pair)))
    }
}

impl From<AuthConfig> for Credentials {
    fn from(wire: AuthConfig) -> Self {
        let mut credentials = Self {
            username: wire.username.unwrap_or_default(),
            password: wire.password.unwrap_or_default(),
            identity_token: wire.identitytoken.unwrap_or_default(),
            registry_token: wire.registrytoken.unwrap_or_default(),
            server_address: wire.serveraddress.unwrap_or_default(),
        };
        // `auth` is how the client's configuration file keeps the pair.
        if credentials.username.is_empty()
            && credentials.password.is_empty()
            && let Some((username, password)) = wire.auth.as_ref().and_then(split_pair)
        {
            credentials.username = username;
            credentials.password = password;
        }
        credentials
    }
}

fn split_pair(auth: &Secret) -> Option<(String, Secret)> {
    let text = STANDARD.decode(auth.expose()).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (username, password) = text.split_once(':')?;
    Some((
        username.to_owned(),
        Secret::new(password.trim_matches('\0')),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(username: &str, password: &str) -> Credentials {
        Credentials {
            username: username.into(),
            password: password.into(),
            ..Credentials::default()
        }
    }

    #[test]
    fn header_is_read_in_every_base64_form() {
        // `>>?` and `~~~` encode to characters in which the alphabets differ.
        let json = br#"{"username":">>?","password":"~~~~"}"#;
        for encoded in [
            base64::engine::general_purpose::URL_SAFE.encode(json),
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json),
            base64::engine::general_purpose::STANDARD.encode(json),
            base64::engine::general_purpose::STANDARD_NO_PAD.encode(json),
        ] {
            assert_eq!(Credentials::from_header(&encoded), Ok(pair(">>?", "~~~~")));
        }
    }

    #[test]
    fn empty_forms_are_anonymous() {
        for value in ["", "e30", "e30="] {
            assert!(Credentials::from_header(value).unwrap().is_anonymous());
        }
    }

    #[test]
    fn auth_field_stands_in_for_the_pair() {
        let json = br#"{"auth":"dXNlcjpwYTpzcw==","email":"x","serveraddress":"h"}"#;
        let mut expected = pair("user", "pa:ss");
        expected.server_address = "h".into();
        assert_eq!(Credentials::from_json(json), Ok(expected));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let credentials = Credentials {
            identity_token: "hunter2".into(),
            registry_token: "hunter2".into(),
            ..pair("user", "hunter2")
        };
        assert!(!format!("{credentials:?}").contains("hunter2"));
        let broken = Credentials::from_json(br#"{"password":"hunter2" x}"#).unwrap_err();
        assert!(!format!("{broken:?} {broken}").contains("hunter2"));
        let wrong_type = Credentials::from_json(br#"{"password":["hunter2"]}"#).unwrap_err();
        assert!(!format!("{wrong_type:?} {wrong_type}").contains("hunter2"));
    }
}
