//! Images from an archive: Docker's, old, [older](super::legacy) and new, and
//! OCI layouts.

use std::io::{BufReader, Read};

use dhow_model::{Digest, platform::Platform, reference::Reference};
use serde::Deserialize;

use super::ArchiveError;
use super::spool::Spool;
use crate::image::{Config, Descriptor, Document, Index, Manifest, NewImage, media_type};
use crate::layer::decoder;
use crate::store::{ImageStore, Lease};

/// One image of an archive, now in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The image.
    pub id: Digest,
    /// Names the archive gave it.
    pub names: Vec<Reference>,
    /// Names taken from other images for that, with the images that lost them.
    pub renamed: Vec<(Reference, Digest)>,
}

/// How far reading a layer of an archive is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadProgress {
    /// The layer, by the name of its file in the archive.
    pub layer: String,
    /// Bytes taken.
    pub current: u64,
    /// Bytes of the whole file.
    pub total: u64,
}

/// An entry of Docker's `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// How deep indexes may lead to indexes.
const MAX_NESTING: usize = 4;

impl ImageStore {
    /// Takes in all images of the archive `input`, compressed or not. Nothing
    /// of it is seen unless all of it is right.
    pub fn load(
        &self,
        input: &mut dyn Read,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Vec<Loaded>, ArchiveError> {
        let input = BufReader::with_capacity(256 * 1024, input);
        let input = decoder(input).map_err(ArchiveError::Compression)?;
        let input = BufReader::with_capacity(256 * 1024, input);
        let spool = Spool::read(self, input, progress)?;
        let mut loading = Loading {
            store: self,
            lease: self.lease(),
            spool,
        };
        let images = if loading.spool.document("manifest.json").is_ok() {
            loading.docker()?
        } else if loading.spool.document("index.json").is_ok() {
            loading.oci()?
        } else if loading.is_legacy() {
            loading.legacy()?
        } else {
            return Err(ArchiveError::Unknown);
        };
        let mut loaded = Vec::new();
        for image in images {
            let recorded = loading.record(&image)?;
            if image.told {
                loaded.push(recorded);
            }
        }
        Ok(loaded)
    }
}

/// An archive on its way into the store.
pub(super) struct Loading<'a> {
    pub store: &'a ImageStore,
    pub lease: Lease,
    pub spool: Spool,
}

/// An image whose documents agree with its layers.
pub(super) struct Checked {
    pub config: Vec<u8>,
    pub manifest: Option<Document>,
    pub names: Vec<Reference>,
    /// The image it was made from, in the same archive.
    pub parent: Option<Digest>,
    /// Whether it is one of those that whoever loads the archive wants.
    pub told: bool,
}

impl Checked {
    /// With a configuration and nothing else.
    pub fn new(config: Vec<u8>) -> Self {
        Self {
            config,
            manifest: None,
            names: Vec::new(),
            parent: None,
            told: true,
        }
    }
}

impl Loading<'_> {
    fn docker(&mut self) -> Result<Vec<Checked>, ArchiveError> {
        let list: Vec<DockerImage> = parse("manifest.json", self.spool.document("manifest.json")?)?;
        let manifests = self.manifests()?;
        let mut checked = Vec::new();
        for image in list {
            let config = self.spool.document(&image.config)?.to_vec();
            let layers = image.layers.unwrap_or_default();
            self.layers(&config, &layers)?;
            let mut names = Vec::new();
            for tag in image.repo_tags.unwrap_or_default() {
                let name = Reference::parse_normalized(&tag)
                    .map_err(crate::image::ImageError::from)?
                    .with_default_tag();
                names.push(name);
            }
            let id = crate::store::sha256(&config);
            let manifest = manifests.iter().find(|(m, _)| m.config.digest == id);
            checked.push(Checked {
                manifest: manifest.map(|(_, document)| document.clone()),
                names,
                ..Checked::new(config)
            });
        }
        Ok(checked)
    }

    /// Manifests that stand beside `manifest.json`, as newer writers do.
    fn manifests(&self) -> Result<Vec<(Manifest, Document)>, ArchiveError> {
        let Ok(index) = self.spool.document("index.json") else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for descriptor in Index::parse(index)?.manifests {
            let Ok(data) = self.spool.document(&blob_name(&descriptor.digest)) else {
                continue;
            };
            if let Ok(manifest) = Manifest::parse(data) {
                let document = Document {
                    media_type: descriptor.media_type,
                    data: data.to_vec(),
                };
                found.push((manifest, document));
            }
        }
        Ok(found)
    }

    fn oci(&mut self) -> Result<Vec<Checked>, ArchiveError> {
        let index = Index::parse(self.spool.document("index.json")?)?;
        let mut checked: Vec<Checked> = Vec::new();
        for descriptor in index.manifests {
            let name = oci_name(&descriptor);
            let (manifest, document) = self.manifest(&descriptor, MAX_NESTING)?;
            let config = self.spool.document(&blob_name(&manifest.config.digest))?;
            let config = config.to_vec();
            let layers: Vec<String> = manifest
                .layers
                .iter()
                .map(|l| blob_name(&l.digest))
                .collect();
            if let Some(same) = checked.iter_mut().find(|c| c.config == config) {
                same.names.extend(name);
                continue;
            }
            self.layers(&config, &layers)?;
            checked.push(Checked {
                manifest: Some(document),
                names: name.into_iter().collect(),
                ..Checked::new(config)
            });
        }
        Ok(checked)
    }

    /// The manifest that `descriptor` means on this machine.
    fn manifest(
        &self,
        descriptor: &Descriptor,
        nesting: usize,
    ) -> Result<(Manifest, Document), ArchiveError> {
        let data = self.spool.document(&blob_name(&descriptor.digest))?;
        if !media_type::is_index(&descriptor.media_type) {
            let document = Document {
                media_type: descriptor.media_type.clone(),
                data: data.to_vec(),
            };
            return Ok((Manifest::parse(data)?, document));
        }
        let host = Platform::host();
        let missing = || ArchiveError::Platform(host.to_string());
        if nesting == 0 {
            return Err(missing());
        }
        // Archives often hold only the one platform that was copied.
        let index = Index::parse(data)?;
        let here = index.manifests.into_iter();
        let here: Vec<Descriptor> = here
            .filter(|d| self.spool.document(&blob_name(&d.digest)).is_ok())
            .collect();
        let platforms: Vec<Platform> = here
            .iter()
            .map(|d| match &d.platform {
                Some(p) => Platform::new(&p.os, &p.architecture, &p.variant),
                None => host.clone(),
            })
            .collect();
        let chosen = host.choose(&platforms).ok_or_else(missing)?;
        self.manifest(&here[chosen], nesting - 1)
    }

    /// Holds the layers at `paths` against what the configuration lists.
    /// Layers may be missing where the store has them already.
    fn layers(&mut self, config: &[u8], paths: &[String]) -> Result<(), ArchiveError> {
        let config = Config::parse(config)?;
        let expected = config.rootfs.diff_ids;
        if expected.len() != paths.len() {
            return Err(ArchiveError::Missing(format!(
                "one of {} layers",
                expected.len().max(paths.len())
            )));
        }
        for (position, (path, expected)) in paths.iter().zip(&expected).enumerate() {
            let resolved = self.spool.resolve(path);
            let layer = resolved.and_then(|path| self.spool.layers.get_mut(&path));
            let Some(layer) = layer else {
                if self.store.has_layer(expected)? {
                    self.lease.hold(expected);
                    continue;
                }
                return Err(ArchiveError::Missing(path.clone()));
            };
            if layer.diff_id() != expected {
                return Err(ArchiveError::DiffId {
                    position,
                    expected: expected.to_string(),
                    actual: layer.diff_id().to_string(),
                });
            }
            layer.publish(&self.lease)?;
        }
        Ok(())
    }

    fn record(&self, image: &Checked) -> Result<Loaded, ArchiveError> {
        let id = crate::store::sha256(&image.config);
        let mut renamed = Vec::new();
        for name in &image.names {
            if let Some(other) = self.store.named(name)?
                && other != id
            {
                renamed.push((name.clone(), other));
            }
        }
        let new = NewImage {
            config: &image.config,
            manifest: image.manifest.as_ref(),
            names: &image.names,
            parent: image.parent.as_ref(),
            ..NewImage::default()
        };
        let id = self.store.commit_image(&self.lease, &new)?;
        Ok(Loaded {
            id,
            names: image.names.clone(),
            renamed,
        })
    }
}

/// The name an OCI layout gives a manifest. A bare tag names no repository.
fn oci_name(descriptor: &Descriptor) -> Option<Reference> {
    let note = |key: &str| descriptor.annotations.get(key).map(String::as_str);
    let whole = note("io.containerd.image.name");
    let short = note("org.opencontainers.image.ref.name").filter(|n| n.contains([':', '/']));
    let name = Reference::parse_normalized(whole.or(short)?).ok()?;
    name.name_only()
        .with_tag(name.tag().unwrap_or("latest"))
        .ok()
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// Reads the document called `what`.
pub(super) fn parse<'a, T: Deserialize<'a>>(
    what: &'static str,
    data: &'a [u8],
) -> Result<T, ArchiveError> {
    let parsed = serde_json::from_slice(data);
    Ok(parsed.map_err(|e| crate::image::ImageError::Document(what, e))?)
}
