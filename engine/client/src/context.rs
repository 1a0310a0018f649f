//! Docker contexts: named endpoints kept under `contexts/` of the
//! configuration directory. Read only; making them is Docker's own business
//! for now.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::endpoint::{Endpoint, TlsFiles};
use crate::error::Error;

/// The name of the endpoint that comes from flags, environment and defaults.
pub const DEFAULT: &str = "default";

/// One stored context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// What its maker wrote about it.
    pub description: String,
    /// The endpoint's host text.
    pub host: String,
    /// Whether the server's certificate is taken unseen.
    pub skip_verify: bool,
    /// Where the metadata is.
    pub metadata: PathBuf,
    /// Where certificates and key are, if it has any.
    pub tls: Option<PathBuf>,
}

/// Every context under `config`, sorted by name. Directories that hold no
/// readable metadata are passed over, as Docker does.
pub fn list(config: &Path) -> Vec<Context> {
    let root = config.join("contexts");
    let Ok(entries) = std::fs::read_dir(root.join("meta")) else {
        return Vec::new();
    };
    let mut contexts: Vec<Context> = entries
        .filter_map(|entry| read(&root, &entry.ok()?.path()))
        .collect();
    contexts.sort_by(|a, b| a.name.cmp(&b.name));
    contexts
}

/// The context called `name`.
pub fn find(config: &Path, name: &str) -> Result<Context, Error> {
    list(config)
        .into_iter()
        .find(|context| context.name == name)
        .ok_or_else(|| Error::UnknownContext(name.to_owned()))
}

impl Context {
    /// Its endpoint, with its TLS files.
    pub fn endpoint(&self) -> Result<Endpoint, Error> {
        let endpoint: Endpoint = self.host.parse()?;
        let Some(tls) = &self.tls else {
            return Ok(endpoint);
        };
        let file = |name: &str| Some(tls.join(name)).filter(|path| path.exists());
        Ok(endpoint.with_tls(TlsFiles {
            ca: file("ca.pem"),
            cert: file("cert.pem"),
            key: file("key.pem"),
            skip_verify: self.skip_verify,
            server_name: None,
        }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetaFile {
    name: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    endpoints: Endpoints,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Metadata {
    description: String,
}

#[derive(Deserialize, Default)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DockerEndpoint {
    #[serde(rename = "Host")]
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skip_verify: bool,
}

fn read(root: &Path, directory: &Path) -> Option<Context> {
    let bytes = std::fs::read(directory.join("meta.json")).ok()?;
    let file: MetaFile = serde_json::from_slice(&bytes).ok()?;
    let docker = file.endpoints.docker.unwrap_or_default();
    let tls = root.join("tls").join(directory.file_name()?).join("docker");
    Some(Context {
        name: file.name,
        description: file.metadata.description,
        host: docker.host,
        skip_verify: docker.skip_verify,
        metadata: directory.to_owned(),
        tls: tls.is_dir().then_some(tls),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_found_by_the_name_inside_them() {
        let config = tempfile::tempdir().unwrap();
        let meta = config.path().join("contexts/meta/abc");
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"far","Metadata":{"Description":"d"},
               "Endpoints":{"docker":{"Host":"tcp://far:2376","SkipTLSVerify":true}}}"#,
        )
        .unwrap();
        let tls = config.path().join("contexts/tls/abc/docker");
        std::fs::create_dir_all(&tls).unwrap();
        std::fs::write(tls.join("ca.pem"), "").unwrap();

        let context = find(config.path(), "far").unwrap();
        assert_eq!(context.description, "d");
        let Endpoint::Tls { host, port, files } = context.endpoint().unwrap() else {
            panic!("not TLS");
        };
        assert_eq!((host.as_str(), port), ("far", 2376));
        assert!(files.skip_verify && files.ca.is_some() && files.key.is_none());
        assert!(matches!(
            find(config.path(), "near"),
            Err(Error::UnknownContext(name)) if name == "near"
        ));
    }
}
