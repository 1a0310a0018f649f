//! Images made on the spot, down to the byte.
//!
//! An [`Image`] becomes an archive that is both an OCI layout and what
//! `docker save` writes, so that `docker load` and skopeo read the same
//! file. Equal images give equal bytes.

mod layer;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub use layer::Layer;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// An image: layers and how to run them.
#[derive(Clone, Default)]
pub struct Image {
    layers: Vec<(Vec<u8>, String)>,
    config: serde_json::Map<String, Value>,
    compress: bool,
}

impl Image {
    /// No layers, no command, layers kept plain.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a layer on top.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        let bytes = layer.bytes();
        let diff_id = digest(&bytes);
        self.layers.push((bytes, diff_id));
        self
    }

    /// Stores the layers compressed with gzip.
    #[must_use]
    pub fn gzip(mut self) -> Self {
        self.compress = true;
        self
    }

    /// Sets a key of the configuration, spelt as Docker does: `Cmd`, `Env`.
    #[must_use]
    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.config.insert(key.to_owned(), value);
        self
    }

    /// The command that runs without arguments.
    #[must_use]
    pub fn cmd(self, words: &[&str]) -> Self {
        self.set("Cmd", json!(words))
    }

    /// The digests of the plain layers, bottom first.
    pub fn diff_ids(&self) -> Vec<String> {
        self.layers
            .iter()
            .map(|(_, diff_id)| diff_id.clone())
            .collect()
    }

    /// The configuration's bytes; their digest is the image's id.
    pub fn config(&self) -> Vec<u8> {
        let config = json!({
            "architecture": architecture(),
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            "config": self.config,
            "rootfs": { "type": "layers", "diff_ids": self.diff_ids() },
            "history": self.layers.iter()
                .map(|_| json!({ "created": "2026-01-01T00:00:00Z", "created_by": "dhow-testkit" }))
                .collect::<Vec<_>>(),
        });
        config.to_string().into_bytes()
    }

    /// What `docker image inspect` calls the image.
    pub fn id(&self) -> String {
        digest(&self.config())
    }

    /// The archive, with the image named `reference` in it.
    pub fn archive(&self, reference: &str) -> Vec<u8> {
        let mut blobs = Vec::new();
        let mut put = |bytes: Vec<u8>| {
            let found = (digest(&bytes), bytes.len());
            blobs.push((format!("blobs/{}", found.0.replace(':', "/")), bytes));
            found
        };
        let (config, config_size) = put(self.config());
        let kind = if self.compress {
            format!("{LAYER}+gzip")
        } else {
            LAYER.to_owned()
        };
        let layers: Vec<(String, usize)> = self
            .layers
            .iter()
            .map(|(layer, _)| put(self.stored(layer)))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": CONFIG, "digest": config, "size": config_size },
            "layers": layers.iter()
                .map(|(digest, size)| json!({ "mediaType": kind, "digest": digest, "size": size }))
                .collect::<Vec<_>>(),
        });
        let (manifest, manifest_size) = put(manifest.to_string().into_bytes());
        let path = |digest: &str| format!("blobs/{}", digest.replace(':', "/"));
        let files = [
            ("oci-layout", json!({ "imageLayoutVersion": "1.0.0" })),
            (
                "index.json",
                json!({ "schemaVersion": 2, "manifests": [{
                    "mediaType": MANIFEST, "digest": manifest, "size": manifest_size,
                    "annotations": { "org.opencontainers.image.ref.name": tag_of(reference),
                                     "io.containerd.image.name": reference } }] }),
            ),
            (
                "manifest.json",
                json!([{ "Config": path(&config), "RepoTags": [reference],
                         "Layers": layers.iter().map(|(digest, _)| path(digest)).collect::<Vec<_>>() }]),
            ),
        ];
        let mut archive = Layer::new();
        for (name, bytes) in &blobs {
            archive = archive.file(name, 0o644, bytes);
        }
        for (name, value) in &files {
            archive = archive.file(name, 0o644, value.to_string().as_bytes());
        }
        archive.bytes()
    }

    fn stored(&self, layer: &[u8]) -> Vec<u8> {
        if self.compress {
            gzip(layer)
        } else {
            layer.to_vec()
        }
    }
}

/// `sha256:` and the sum of `bytes`.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// Docker's name for the machine's architecture.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes every byte")
}

fn tag_of(reference: &str) -> &str {
    reference.rsplit_once(':').map_or("latest", |(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::{Image, Layer};

    #[test]
    fn equal_images_are_equal_bytes_and_different_ones_are_not() {
        let image = |text: &str| {
            Image::new()
                .layer(Layer::new().file("a", 0o644, text.as_bytes()))
                .cmd(&["/a"])
        };
        assert_eq!(image("x").archive("a:b"), image("x").archive("a:b"));
        assert_ne!(image("x").id(), image("y").id());
        assert!(image("x").gzip().archive("a:b").len() > 100);
    }
}
