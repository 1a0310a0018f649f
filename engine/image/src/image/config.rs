//! Image configurations (OCI image spec, "Image Configuration"), kept whole:
//! what this code doesn't know is carried along.

use dhow_model::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ImageError;
use crate::store::sha256;

/// An image's configuration. Its digest is the image's id, so parsed
/// configurations are for reading; new ones are made from scratch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "or_default"
    )]
    pub author: String,
    /// `amd64`, `arm64`.
    #[serde(default, deserialize_with = "or_default")]
    pub architecture: String,
    /// `v8`.
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "or_default"
    )]
    pub variant: String,
    /// `linux`.
    #[serde(default, deserialize_with = "or_default")]
    pub os: String,
    /// What a container of it runs and how, in Docker's own spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Map<String, Value>>,
    /// Its layers.
    pub rootfs: RootFs,
    /// How the layers came to be, and steps that made none.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "or_default"
    )]
    pub history: Vec<History>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The layers an image stands on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Digests of the plain archives, lowest first.
    #[serde(default, deserialize_with = "or_default")]
    pub diff_ids: Vec<Digest>,
}

/// One step of an image's making.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The command.
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "or_default"
    )]
    pub created_by: String,
    /// By whom.
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "or_default"
    )]
    pub author: String,
    /// A remark.
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "or_default"
    )]
    pub comment: String,
    /// Whether the step left the files as they were.
    #[serde(
        default,
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "or_default"
    )]
    pub empty_layer: bool,
}

impl Config {
    /// Reads a configuration.
    pub fn parse(data: &[u8]) -> Result<Self, ImageError> {
        serde_json::from_slice(data).map_err(|e| ImageError::Document("image configuration", e))
    }

    /// The document, as new images store it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ImageError> {
        serde_json::to_vec(self).map_err(|e| ImageError::Document("image configuration", e))
    }

    /// A text field this code does not know otherwise, `""` where absent.
    pub fn text(&self, field: &str) -> &str {
        self.rest.get(field).and_then(Value::as_str).unwrap_or("")
    }

    /// The labels of the image.
    pub fn labels(&self) -> std::collections::HashMap<String, String> {
        let labels = self.config.as_ref().and_then(|c| c.get("Labels"));
        let labels = labels.and_then(Value::as_object);
        labels
            .into_iter()
            .flatten()
            .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())))
            .collect()
    }
}

/// The chain id of each layer with all those below it (OCI image spec,
/// "Layer ChainID").
pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        let next = match chain.last() {
            Some(below) => sha256(format!("{below} {diff_id}").as_bytes()),
            None => diff_id.clone(),
        };
        chain.push(next);
    }
    chain
}

/// Go programs write `null` for what is empty.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_of_three() {
        let digests: Vec<Digest> = ["a", "b", "c"].map(|d| sha256(d.as_bytes())).into();
        let chain = chain_ids(&digests);
        assert_eq!(chain[0], digests[0]);
        let second = sha256(format!("{} {}", digests[0], digests[1]).as_bytes());
        assert_eq!(chain[1], second);
        assert_eq!(
            chain[2],
            sha256(format!("{second} {}", digests[2]).as_bytes())
        );
    }

    #[test]
    fn nulls_and_unknown_fields() {
        let text = r#"{"architecture":"amd64","os":"linux","author":null,"history":null,
            "rootfs":{"type":"layers","diff_ids":null},"config":null,"docker_version":"20.10"}"#;
        let config = Config::parse(text.as_bytes()).expect("valid");
        assert_eq!(config.text("docker_version"), "20.10");
        assert!(config.rootfs.diff_ids.is_empty());
        let again = Config::parse(&config.to_bytes().expect("json")).expect("valid");
        assert_eq!(again, config);
    }
}
