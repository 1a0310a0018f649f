//! Manifests and indexes, OCI's and Docker's schema 2: types and reading them.

use std::collections::BTreeMap;

use bytes::Bytes;
use dhow_model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// The media types of the protocol.
pub mod media_type {
    /// OCI image manifest.
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index.
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// OCI image config.
    pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker manifest list.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker image config.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// Docker plugin config, which makes a manifest that of a plugin.
    pub const DOCKER_PLUGIN: &str = "application/vnd.docker.plugin.v1+json";
    /// Docker image manifest, schema 1, signed or not: refused.
    pub const DOCKER_SCHEMA1: [&str; 2] = [
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    ];
    /// Layers that lie at addresses of their own.
    pub const FOREIGN_LAYERS: [&str; 4] = [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    ];
}

/// What content is and where: its type, digest and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type, or empty.
    #[serde(default)]
    pub media_type: String,
    /// The digest.
    pub digest: Digest,
    /// The size in bytes.
    pub size: u64,
    /// Where else the content may be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// In an index: what the image is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Remarks of whoever made it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// OCI artifacts: what sort of thing this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

/// A platform as manifests write it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`.
    #[serde(default)]
    pub os: String,
    /// `amd64`, `arm64`, ….
    #[serde(default)]
    pub architecture: String,
    /// `v7`, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Windows only.
    #[serde(
        default,
        rename = "os.version",
        skip_serializing_if = "String::is_empty"
    )]
    pub os_version: String,
    /// Windows only.
    #[serde(default, rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
}

/// The manifest of one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    /// Always 2.
    pub schema_version: u32,
    /// May be missing in OCI manifests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The image's config.
    pub config: Descriptor,
    /// The layers, lowest first.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
}

/// A list of manifests, one for each platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// May be missing in OCI indexes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The entries.
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
}

/// What stands behind a tag or digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// One image.
    Image(Box<ImageManifest>),
    /// Several.
    Index(Index),
}

/// A manifest with its bytes, whose digest they have.
#[derive(Debug, Clone)]
pub struct FetchedManifest {
    /// Media type, digest and size.
    pub descriptor: Descriptor,
    /// The very bytes.
    pub bytes: Bytes,
    /// What they say.
    pub manifest: Manifest,
}

/// The part of an image's config that concerns fetching it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ImageConfig {
    /// The platform, whose keys lie at the config's top level.
    #[serde(flatten)]
    pub platform: Platform,
    /// The layers' digests when unpacked.
    #[serde(default)]
    pub rootfs: RootFs,
}

/// The layers of an image's config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RootFs {
    /// Lowest first.
    #[serde(default)]
    pub diff_ids: Vec<Digest>,
}

impl Platform {
    /// The platform in the engine's own spelling.
    pub fn normalized(&self) -> dhow_model::platform::Platform {
        dhow_model::platform::Platform::new(&self.os, &self.architecture, &self.variant)
    }
}

impl Descriptor {
    /// A descriptor without any of the optional parts.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            urls: Vec::new(),
            platform: None,
            annotations: BTreeMap::new(),
            artifact_type: None,
        }
    }

    /// Whether the content is a layer that may lie elsewhere than in the registry.
    pub fn is_foreign(&self) -> bool {
        media_type::FOREIGN_LAYERS.contains(&self.media_type.as_str())
    }
}

/// Reads a manifest. `media_type` is what the server says it is.
pub(crate) fn parse(
    media_type: &str,
    bytes: &[u8],
    digest: &Digest,
    reference: &str,
) -> Result<(String, Manifest), Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        schema_version: Option<u32>,
        media_type: Option<String>,
        config: Option<serde::de::IgnoredAny>,
        layers: Option<serde::de::IgnoredAny>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let invalid = |source| Error::InvalidManifest {
        digest: digest.clone(),
        source,
    };
    let schema1 = || Error::Schema1 {
        reference: reference.to_owned(),
    };
    if media_type::DOCKER_SCHEMA1.contains(&media_type) {
        return Err(schema1());
    }
    let shape: Shape = serde_json::from_slice(bytes).map_err(invalid)?;
    if shape.schema_version == Some(1) {
        return Err(schema1());
    }
    // One document that can be read as both an image and a list would mean
    // different things to different readers.
    let image = shape.config.is_some() || shape.layers.is_some();
    let list = shape.manifests.is_some();
    let inner = shape.media_type.as_deref().unwrap_or_default();
    let declared = match (media_type, inner) {
        ("" | "application/json" | "text/plain" | "application/octet-stream", "") if list => {
            media_type::OCI_INDEX
        }
        ("" | "application/json" | "text/plain" | "application/octet-stream", "") => {
            media_type::OCI_MANIFEST
        }
        ("" | "application/json" | "text/plain" | "application/octet-stream", inner) => inner,
        (outer, _) => outer,
    };
    if (image && list) || (!inner.is_empty() && inner != declared) {
        return Err(Error::UnsupportedMediaType(declared.to_owned()));
    }
    let manifest = match declared {
        media_type::OCI_INDEX | media_type::DOCKER_LIST => {
            Manifest::Index(serde_json::from_slice(bytes).map_err(invalid)?)
        }
        media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST => {
            Manifest::Image(serde_json::from_slice(bytes).map_err(invalid)?)
        }
        other => return Err(Error::UnsupportedMediaType(other.to_owned())),
    };
    Ok((declared.to_owned(), manifest))
}

impl ImageManifest {
    /// Refuses what is no image, in Docker's words: plugins, charts, policies.
    pub fn check_is_image(&self) -> Result<(), Error> {
        let class = match self.config.media_type.as_str() {
            media_type::OCI_CONFIG
            | media_type::DOCKER_CONFIG
            // Old Docker registries wrote these for images.
            | "application/octet-stream"
            | "application/json"
            | "text/html"
            | "" => return Ok(()),
            media_type::DOCKER_PLUGIN => "plugin",
            _ => "unknown",
        };
        Err(Error::NotAnImage {
            media_type: self.config.media_type.clone(),
            class,
        })
    }
}

impl ImageConfig {
    /// Reads the config of digest `digest`.
    pub fn parse(bytes: &[u8], digest: &Digest) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|source| Error::InvalidConfig {
            digest: digest.clone(),
            source,
        })
    }
}

pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_sha256(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content_type: &str, json: &str, expected: Result<&str, &str>) {
        let digest = digest_of(json.as_bytes());
        let found = parse(
            content_type,
            json.as_bytes(),
            &digest,
            "docker.io/library/x:y",
        );
        let found = found
            .map(|(media_type, _)| media_type)
            .map_err(|e| e.to_string());
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(found), Err(expected)) => {
                assert!(found.starts_with(expected), "{found}");
            }
            (found, expected) => panic!("{found:?}, expected {expected:?}"),
        }
    }

    const CONFIG: &str = r#"{"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":1}"#;

    #[test]
    fn a_manifest_is_what_its_type_says() {
        let image = format!(r#"{{"schemaVersion":2,"config":{CONFIG},"layers":[]}}"#);
        check(
            media_type::OCI_MANIFEST,
            &image,
            Ok(media_type::OCI_MANIFEST),
        );
        check(
            media_type::DOCKER_MANIFEST,
            &image,
            Ok(media_type::DOCKER_MANIFEST),
        );
        check("text/plain", &image, Ok(media_type::OCI_MANIFEST));
        let list = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#,
            media_type::DOCKER_LIST
        );
        check("", &list, Ok(media_type::DOCKER_LIST));
        check(
            "application/json",
            r#"{"manifests":[],"schemaVersion":2}"#,
            Ok(media_type::OCI_INDEX),
        );
    }

    #[test]
    fn schema_1_is_refused_by_name() {
        let text = "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support \
                    has been removed. Suggest the author of docker.io/library/x:y to upgrade";
        check(media_type::DOCKER_SCHEMA1[1], "{}", Err(text));
        check("application/json", r#"{"schemaVersion":1}"#, Err(text));
    }

    #[test]
    fn ambiguous_or_contradictory_documents_are_refused() {
        let both = format!(r#"{{"schemaVersion":2,"config":{CONFIG},"manifests":[]}}"#);
        check(
            media_type::OCI_MANIFEST,
            &both,
            Err("unsupported media type"),
        );
        let other = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#,
            media_type::OCI_INDEX
        );
        check(
            media_type::OCI_MANIFEST,
            &other,
            Err("unsupported media type"),
        );
        check(
            "application/x",
            "{}",
            Err("unsupported media type application/x"),
        );
        check(media_type::OCI_MANIFEST, "{}", Err("invalid manifest"));
        check(media_type::OCI_MANIFEST, "", Err("invalid manifest"));
    }
}
