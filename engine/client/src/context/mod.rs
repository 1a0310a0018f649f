//! Docker contexts: named endpoints kept under `contexts/` of the
//! configuration directory, in the form that Docker's own client keeps them,
//! so that each client works with what the other made.
//!
//! What is kept is [`Context`]; [`Store`] reads and writes it, [`archive`]
//! packs it into one file. Which context is the current one is not decided
//! here; see [`crate::discovery`].

pub mod archive;
mod check;
mod error;
mod store;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::endpoint::{Endpoint, TlsFiles};
use crate::error::Error;

pub use check::check;
pub use error::ContextError;
pub use store::Store;

/// The name of the endpoint that comes from flags, environment and defaults.
pub const DEFAULT: &str = "default";

/// The endpoint that is an engine; other tools keep their own beside it.
pub const DOCKER: &str = "docker";

/// What a context says, without certificates and keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// What its makers noted; a description, and what is not ours to know.
    pub metadata: Map<String, Value>,
    /// Endpoints by kind.
    pub endpoints: Map<String, Value>,
}

/// Certificates and keys: the contents of files by their names, by the kind
/// of the endpoint they are for. Not `Debug`, because there are secrets in it.
pub type Material = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// The parts of the material of a Docker endpoint.
pub const CA: &str = "ca.pem";
/// The client's certificate.
pub const CERTIFICATE: &str = "cert.pem";
/// The client's key.
pub const KEY: &str = "key.pem";

impl Context {
    /// What its maker wrote about it.
    pub fn description(&self) -> &str {
        let text = self.metadata.get("Description").and_then(Value::as_str);
        text.unwrap_or_default()
    }

    /// Describes it anew.
    pub fn describe(&mut self, text: &str) {
        self.metadata.insert("Description".into(), text.into());
    }

    /// The host text of the Docker endpoint.
    pub fn host(&self) -> &str {
        let host = self.docker("Host").and_then(Value::as_str);
        host.unwrap_or_default()
    }

    /// Whether the server's certificate is taken unseen.
    pub fn skip_verify(&self) -> bool {
        let skip = self.docker("SkipTLSVerify").and_then(Value::as_bool);
        skip.unwrap_or_default()
    }

    /// Sets the Docker endpoint.
    pub fn set_docker(&mut self, host: &str, skip_verify: bool) {
        let mut endpoint = Map::new();
        if !host.is_empty() {
            endpoint.insert("Host".into(), host.into());
        }
        endpoint.insert("SkipTLSVerify".into(), skip_verify.into());
        self.endpoints.insert(DOCKER.into(), endpoint.into());
    }

    /// Whether it has a Docker endpoint at all.
    pub fn is_docker(&self) -> bool {
        self.endpoints.contains_key(DOCKER)
    }

    fn docker(&self, key: &str) -> Option<&Value> {
        self.endpoints.get(DOCKER)?.get(key)
    }
}

/// Refuses what cannot be a stored context's name.
pub fn check_name(name: &str) -> Result<(), ContextError> {
    if name.is_empty() {
        return Err(ContextError::NoName);
    }
    if name == DEFAULT {
        return Err(ContextError::Reserved);
    }
    let mut letters = name.chars();
    let starts_well = letters.next().is_some_and(|c| c.is_ascii_alphanumeric());
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
    if starts_well && name.len() > 1 && letters.all(goes_on) {
        return Ok(());
    }
    Err(ContextError::BadName(name.to_owned()))
}

impl Store {
    /// The endpoint of the context called `name`, with its TLS files; `None`
    /// where the context leaves the host open.
    pub fn endpoint(&self, name: &str) -> Result<Option<Endpoint>, Error> {
        let context = self.find(name)?;
        if context.host().is_empty() {
            return Ok(None);
        }
        let endpoint: Endpoint = context.host().parse()?;
        let folder = self.material_folder(name).join(DOCKER);
        if !folder.is_dir() && !context.skip_verify() {
            return Ok(Some(endpoint));
        }
        let file = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        Ok(Some(endpoint.with_tls(TlsFiles {
            ca: file(CA),
            cert: file(CERTIFICATE),
            key: file(KEY),
            skip_verify: context.skip_verify(),
            server_name: None,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_docker_has_them() {
        for name in ["far", "a1", "0_.+-"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["a", "-a", "a b", "a/b", "ä1", "../x"] {
            assert!(
                matches!(check_name(name), Err(ContextError::BadName(_))),
                "{name}"
            );
        }
        assert!(matches!(check_name(""), Err(ContextError::NoName)));
        assert!(matches!(check_name("default"), Err(ContextError::Reserved)));
    }
}
