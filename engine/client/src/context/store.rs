//! The store on disk: `meta/<id>/meta.json` and `tls/<id>/<endpoint>/<file>`,
//! where the id is the SHA-256 of the name.
//!
//! Certificates and keys are readable by their owner only, and are written
//! before the metadata that counts on them.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::error::ContextError;
use super::{Context, Material};
use crate::error::Error;
use crate::file::{self, Reader};

/// The contexts of one configuration directory.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetaFile {
    name: String,
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
    #[serde(default)]
    endpoints: Option<Map<String, Value>>,
}

impl Store {
    /// The store in the configuration directory `config`.
    pub fn under(config: &Path) -> Self {
        Self {
            root: config.join("contexts"),
        }
    }

    /// Every context, in no order. Folders without metadata are passed over;
    /// metadata that makes no sense is an error, as it is to Docker.
    pub fn list(&self) -> Result<Vec<Context>, Error> {
        let folder = self.root.join("meta");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(Error::unreadable(folder, source)),
        };
        let mut contexts = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| Error::unreadable(folder.clone(), source))?;
            contexts.extend(read(&entry.path())?);
        }
        Ok(contexts)
    }

    /// The context called `name`.
    pub fn find(&self, name: &str) -> Result<Context, Error> {
        let folder = self.metadata_folder(name);
        let unknown = || ContextError::Unknown {
            name: name.to_owned(),
            path: folder.join("meta.json"),
        };
        Ok(read(&folder)?.ok_or_else(unknown)?)
    }

    /// Whether there is a context of that name.
    pub fn has(&self, name: &str) -> bool {
        self.metadata_folder(name).join("meta.json").exists()
    }

    /// Where the metadata of `name` is, or would be.
    pub fn metadata_folder(&self, name: &str) -> PathBuf {
        self.root.join("meta").join(id(name))
    }

    /// Where certificates and keys of `name` are, or would be.
    pub fn material_folder(&self, name: &str) -> PathBuf {
        self.root.join("tls").join(id(name))
    }

    /// The names of the files that `name` has for TLS, by endpoint.
    pub fn material_names(&self, name: &str) -> Result<Vec<(String, Vec<String>)>, Error> {
        let folder = self.material_folder(name);
        let mut endpoints = Vec::new();
        for endpoint in names(&folder)? {
            let files = names(&folder.join(&endpoint))?;
            endpoints.push((endpoint, files));
        }
        Ok(endpoints)
    }

    /// The same with what is in them.
    pub fn material(&self, name: &str) -> Result<Material, Error> {
        let folder = self.material_folder(name);
        let mut material = Material::new();
        for (endpoint, files) in self.material_names(name)? {
            let contents = material.entry(endpoint.clone()).or_default();
            for file in files {
                let path = folder.join(&endpoint).join(&file);
                let bytes =
                    std::fs::read(&path).map_err(|source| Error::unreadable(path, source))?;
                contents.insert(file, bytes);
            }
        }
        Ok(material)
    }

    /// Writes `context` and all of its material, new or in place of what
    /// there was under its name.
    pub fn save(&self, context: &Context, material: &Material) -> Result<(), Error> {
        let before = names(&self.material_folder(&context.name))?;
        let gone = before.iter().filter(|name| !material.contains_key(*name));
        for (endpoint, files) in material {
            self.set_material(&context.name, endpoint, files)?;
        }
        self.save_metadata(context)?;
        for endpoint in gone {
            remove(&self.material_folder(&context.name).join(endpoint))?;
        }
        Ok(())
    }

    /// Writes what `context` says.
    fn save_metadata(&self, context: &Context) -> Result<(), Error> {
        let folder = self.metadata_folder(&context.name);
        let path = folder.join("meta.json");
        std::fs::create_dir_all(&folder)
            .and_then(|()| file::replace(&path, to_json(context).as_bytes(), Reader::Anyone))
            .map_err(|source| Error::Unwritable { path, source })
    }

    /// Replaces the material of one endpoint.
    fn set_material(
        &self,
        name: &str,
        endpoint: &str,
        files: &std::collections::BTreeMap<String, Vec<u8>>,
    ) -> Result<(), Error> {
        let folder = self.material_folder(name).join(endpoint);
        remove(&folder)?;
        if files.is_empty() {
            return Ok(());
        }
        let unwritable = |path: &Path, source| Error::Unwritable {
            path: path.to_owned(),
            source,
        };
        file::create_private_folder(&folder).map_err(|source| unwritable(&folder, source))?;
        for (name, bytes) in files {
            let path = folder.join(name);
            file::replace(&path, bytes, Reader::Owner)
                .map_err(|source| unwritable(&path, source))?;
        }
        Ok(())
    }

    /// Removes all of `name`, its keys first.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        remove(&self.material_folder(name))?;
        remove(&self.metadata_folder(name))
    }
}

/// `meta.json` as Go writes it.
pub(super) fn to_json(context: &Context) -> String {
    let value = |value: &Map<String, Value>| Value::Object(value.clone()).to_string();
    let text = format!(
        "{{\"Name\":{},\"Metadata\":{},\"Endpoints\":{}}}",
        Value::from(context.name.as_str()),
        value(&context.metadata),
        value(&context.endpoints),
    );
    // Outside of strings, JSON has none of these.
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(escaped, "\\u{:04x}", c as u32);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// A context out of the bytes of `meta.json`.
pub(super) fn from_json(bytes: &[u8]) -> Result<Context, serde_json::Error> {
    let file: MetaFile = serde_json::from_slice(bytes)?;
    Ok(Context {
        name: file.name,
        metadata: file.metadata.unwrap_or_default(),
        endpoints: file.endpoints.unwrap_or_default(),
    })
}

fn read(folder: &Path) -> Result<Option<Context>, Error> {
    let path = folder.join("meta.json");
    match std::fs::read(&path) {
        Ok(bytes) => match from_json(&bytes) {
            Ok(context) => Ok(Some(context)),
            Err(source) => Err(ContextError::Malformed { path, source }.into()),
        },
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(source) => Err(Error::unreadable(path, source)),
    }
}

/// What is in `folder`, sorted; nothing where it does not exist.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::unreadable(folder.to_owned(), source)),
    };
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(|source| Error::unreadable(folder.to_owned(), source))?;
    names.sort();
    Ok(names)
}

fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(|source| Error::Unwritable {
            path: folder.to_owned(),
            source,
        }),
    }
}

fn id(name: &str) -> String {
    Sha256::digest(name.as_bytes())
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::context::{CA, DOCKER, KEY};
    use crate::endpoint::Endpoint;

    fn far() -> Context {
        let mut context = Context {
            name: "far".into(),
            ..Context::default()
        };
        context.describe("over <there>");
        context.set_docker("tcp://far:2376", true);
        context
    }

    fn material() -> Material {
        let files = [
            (CA.to_owned(), b"ca".to_vec()),
            (KEY.to_owned(), b"k".to_vec()),
        ];
        Material::from([(DOCKER.to_owned(), files.into())])
    }

    #[test]
    fn what_is_saved_is_found_where_docker_looks() {
        let config = tempfile::tempdir().unwrap();
        let store = Store::under(config.path());
        store.save(&far(), &material()).unwrap();
        let id = "512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868";
        assert!(store.metadata_folder("far").ends_with(id));
        assert_eq!(store.list().unwrap(), [far()]);
        assert_eq!(store.find("far").unwrap(), far());
        assert!(store.material("far").unwrap() == material());
        let Some(Endpoint::Tls { host, port, files }) = store.endpoint("far").unwrap() else {
            panic!("not TLS");
        };
        assert_eq!((host.as_str(), port), ("far", 2376));
        assert!(files.skip_verify && files.ca.is_some() && files.cert.is_none());
        assert_eq!(
            std::fs::read_to_string(store.metadata_folder("far").join("meta.json")).unwrap(),
            r#"{"Name":"far","Metadata":{"Description":"over \u003cthere\u003e"},"Endpoints":{"docker":{"Host":"tcp://far:2376","SkipTLSVerify":true}}}"#
        );
    }

    #[test]
    fn keys_are_for_their_owner_only() {
        let config = tempfile::tempdir().unwrap();
        let store = Store::under(config.path());
        store.save(&far(), &material()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = store.material_folder("far");
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(DOCKER)), 0o700);
        assert_eq!(mode(&folder.join(DOCKER).join(KEY)), 0o600);
    }

    #[test]
    fn material_that_is_no_longer_there_is_removed() {
        let config = tempfile::tempdir().unwrap();
        let store = Store::under(config.path());
        store.save(&far(), &material()).unwrap();
        store.save(&far(), &Material::new()).unwrap();
        assert!(store.material("far").unwrap().is_empty());
        store.remove("far").unwrap();
        store.remove("far").unwrap();
        assert!(!store.has("far"));
        assert!(matches!(
            store.find("far"),
            Err(Error::Context(ContextError::Unknown { name, .. })) if name == "far"
        ));
    }

    #[test]
    fn what_others_keep_in_it_survives() {
        let json = r#"{"Name":"x","Metadata":{"a":1},"Endpoints":{"docker":{"Host":"tcp://x"},"other":{"y":2}}}"#;
        let context = from_json(json.as_bytes()).unwrap();
        assert_eq!(to_json(&context), json);
    }

    #[test]
    fn broken_metadata_is_named() {
        let config = tempfile::tempdir().unwrap();
        let store = Store::under(config.path());
        let folder = config.path().join("contexts/meta/zzz");
        std::fs::create_dir_all(&folder).unwrap();
        assert!(store.list().unwrap().is_empty(), "no metadata, no context");
        std::fs::write(folder.join("meta.json"), "{").unwrap();
        let error = store.list().unwrap_err();
        assert!(error.to_string().contains("zzz/meta.json"), "{error}");
    }
}
