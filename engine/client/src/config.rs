//! Docker's client configuration file, `~/.docker/config.json`: read whole,
//! written back with every key it does not know kept as it was.
//!
//! Secrets in it are never part of a `Debug` text or an error.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::file::{self, Reader};

/// One configuration file, present or not.
#[derive(Clone, Default)]
pub struct ConfigFile {
    path: PathBuf,
    keys: Map<String, Value>,
}

/// Proxy settings for new containers (`proxies` in the file).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Proxy {
    pub http_proxy: String,
    pub https_proxy: String,
    pub no_proxy: String,
    pub ftp_proxy: String,
    pub all_proxy: String,
}

impl ConfigFile {
    /// The file `config.json` in `directory`; one that does not exist is empty.
    pub fn load(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("config.json");
        let failed = |source| Error::File {
            path: path.clone(),
            source,
        };
        let keys = match std::fs::read(&path) {
            Ok(bytes) if bytes.is_empty() => Map::new(),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| failed(e.into()))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Map::new(),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => Map::new(),
            Err(e) => return Err(failed(e)),
        };
        Ok(Self { path, keys })
    }

    /// Where it is, or would be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the file.
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// A key whose value is a text, empty ones left out.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.keys
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// The helper program's suffix for `registry`, from `credHelpers` or
    /// `credsStore`.
    pub fn credential_helper(&self, registry: &str) -> Option<&str> {
        self.keys
            .get("credHelpers")
            .and_then(|helpers| helpers.get(registry))
            .and_then(Value::as_str)
            .or_else(|| self.text("credsStore"))
    }

    /// Every helper program's suffix, each once.
    pub fn credential_helpers(&self) -> BTreeSet<&str> {
        let chosen = self.keys.get("credHelpers").and_then(Value::as_object);
        let chosen = chosen.into_iter().flatten();
        chosen
            .filter_map(|(_, helper)| helper.as_str())
            .chain(self.text("credsStore"))
            .collect()
    }

    /// What `auths` holds, by registry.
    pub fn auths(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.keys
            .get("auths")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Sets or removes an entry of `auths`.
    pub fn set_auth(&mut self, registry: &str, value: Option<Value>) {
        let auths = self
            .keys
            .entry("auths")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(auths) = auths.as_object_mut() {
            match value {
                Some(value) => auths.insert(registry.to_owned(), value),
                None => auths.shift_remove(registry),
            };
        }
    }

    /// Sets or removes a text.
    pub fn set_text(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.keys.insert(key.to_owned(), value.into()),
            None => self.keys.shift_remove(key),
        };
    }

    /// Extra HTTP headers for every request to the engine.
    pub fn http_headers(&self) -> BTreeMap<String, String> {
        self.typed("HttpHeaders").unwrap_or_default()
    }

    /// The proxies new containers get for the engine at `host`.
    pub fn proxy(&self, host: &str) -> Option<Proxy> {
        let proxies: BTreeMap<String, Proxy> = self.typed("proxies")?;
        proxies
            .get(host)
            .or_else(|| proxies.get("default"))
            .cloned()
    }

    /// Writes the file so that a crash leaves either the old or the new one,
    /// readable by its owner only.
    pub fn save(&self) -> Result<(), Error> {
        let failed = |source| Error::Unwritable {
            path: self.path.clone(),
            source,
        };
        // The file may be a link into a person's dotfiles: write through it.
        let target = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let directory = target.parent().unwrap_or(Path::new("."));
        let text = indented(&self.keys).map_err(|e| failed(e.into()))?;
        file::create_private_folder(directory)
            .and_then(|()| file::replace(&target, &text, Reader::Owner))
            .map_err(failed)
    }

    fn typed<T: for<'de> Deserialize<'de>>(&self, key: &str) -> Option<T> {
        serde_json::from_value(self.keys.get(key)?.clone()).ok()
    }
}

impl std::fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// JSON indented by tabs, as the file is by custom.
fn indented(keys: &Map<String, Value>) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    keys.serialize(&mut serializer)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_survive_a_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, r#"{"plugins":{"x":{"a":"b"}},"auths":{"r":{}}}"#).unwrap();
        let mut file = ConfigFile::load(directory.path()).unwrap();
        file.set_auth("r", None);
        file.set_text("currentContext", Some("other"));
        file.save().unwrap();
        let again = ConfigFile::load(directory.path()).unwrap();
        assert_eq!(again.keys["plugins"]["x"]["a"], "b");
        assert_eq!(again.text("currentContext"), Some("other"));
        assert_eq!(again.auths().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_what_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let nested = directory.path().join("new");
        let mut file = ConfigFile::load(&nested).unwrap();
        file.set_text("currentContext", Some("x"));
        file.save().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(mode(&nested), 0o700);
    }

    #[test]
    fn a_broken_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.json"), "{").unwrap();
        let error = ConfigFile::load(directory.path()).unwrap_err();
        assert!(error.to_string().contains("config.json"), "{error}");
    }
}
