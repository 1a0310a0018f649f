//! Images into one archive that both Docker (`manifest.json`) and OCI tools
//! (`index.json`) read, as Docker writes it since 25.
//!
//! Documents come first, then the layers from the lowest up, so that a reader
//! of the stream knows what it gets before it gets it.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufWriter, Write};

use dhow_model::{
    Digest,
    reference::{AnyReference, Reference},
};
use serde_json::{Value, json};

use super::{ArchiveError, PushPlan};
use crate::image::{Descriptor, ImageError, Platformed, media_type};
use crate::store::{ImageStore, Lease};
use crate::tar::{Record, TarWriter};

/// What OCI tools take for the tag, and containerd for the whole name.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const IMAGE_NAME: &str = "io.containerd.image.name";

/// An archive about to be written: everything it needs is known to be there,
/// and stays as long as the plan does.
#[derive(Debug)]
pub struct SavePlan {
    store: ImageStore,
    images: Vec<Saved>,
    _lease: Lease,
}

#[derive(Debug)]
struct Saved {
    plan: PushPlan,
    tags: Vec<Reference>,
    platform: dhow_model::platform::Platform,
}

impl ImageStore {
    /// Plans an archive of the images that `words` mean. A repository without
    /// a tag means all its tags.
    pub fn save(&self, words: &[String]) -> Result<SavePlan, ArchiveError> {
        let lease = self.lease();
        let mut wanted: Vec<(Digest, Vec<Reference>)> = Vec::new();
        for word in words {
            for (id, tag) in self.meant(word)? {
                let at = wanted.iter().position(|(known, _)| *known == id);
                let at = at.unwrap_or_else(|| {
                    wanted.push((id, Vec::new()));
                    wanted.len() - 1
                });
                if let Some(tag) = tag
                    && !wanted[at].1.contains(&tag)
                {
                    wanted[at].1.push(tag);
                }
            }
        }
        let mut images = Vec::new();
        for (id, tags) in wanted {
            let image = self.image(&id)?;
            lease.hold(&id);
            let plan = self.archive_plan(&lease, &image)?;
            images.push(Saved {
                plan,
                tags,
                platform: image.platform(),
            });
        }
        Ok(SavePlan {
            store: self.clone(),
            images,
            _lease: lease,
        })
    }

    fn meant(&self, word: &str) -> Result<Vec<(Digest, Option<Reference>)>, ArchiveError> {
        if let Ok(AnyReference::Named(name)) = AnyReference::parse(word) {
            if name.is_name_only() {
                let tags = self.tags_of(&name)?;
                if !tags.is_empty() {
                    return Ok(tags.into_iter().map(|(id, tag)| (id, Some(tag))).collect());
                }
            }
            if let Some(id) = self.named(&name)? {
                let tag = name.digest().is_none().then(|| name.with_default_tag());
                return Ok(vec![(id, tag)]);
            }
        }
        Ok(vec![(self.resolve(word)?, None)])
    }

    fn tags_of(&self, repository: &Reference) -> Result<Vec<(Digest, Reference)>, ImageError> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT image, tag FROM names WHERE repository = ?1 AND tag IS NOT NULL ORDER BY tag",
        )?;
        let rows = query.query_map([repository.name()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (id, tag) = row?;
            let id = id.parse();
            let id = id.map_err(|_| crate::store::StoreError::Record("image id"))?;
            Ok((id, repository.with_tag(&tag)?))
        })
        .collect()
    }
}

impl SavePlan {
    /// The images in the archive.
    pub fn ids(&self) -> impl Iterator<Item = &Digest> {
        self.images.iter().map(|image| &image.plan.config.digest)
    }

    /// Writes the archive.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), ArchiveError> {
        let out = BufWriter::with_capacity(256 * 1024, out);
        let mut archive = TarWriter::new(out);
        self.documents(&mut archive)
            .and_then(|()| {
                let mut written = HashSet::new();
                for image in &self.images {
                    for layer in &image.plan.layers {
                        if written.insert(layer.digest.clone()) {
                            self.blob(&mut archive, layer)?;
                        }
                    }
                }
                archive.finish().map(drop)
            })
            .map_err(ArchiveError::Write)
    }

    fn documents<W: Write>(&self, archive: &mut TarWriter<W>) -> std::io::Result<()> {
        let json = |value: &Value| serde_json::to_vec(value).map_err(std::io::Error::other);
        archive.header(&Record::dir(b"blobs", 0))?;
        archive.header(&Record::dir(b"blobs/sha256", 0))?;
        archive.bytes(b"oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0)?;
        archive.bytes(b"index.json", &json(&self.index())?, 0)?;
        archive.bytes(b"manifest.json", &json(&self.manifest())?, 0)?;
        let repositories = self.repositories();
        if !repositories.is_empty() {
            archive.bytes(b"repositories", &json(&json!(repositories))?, 0)?;
        }
        let mut written = HashSet::new();
        for Saved { plan, .. } in &self.images {
            if written.insert(&plan.digest) {
                archive.bytes(blob_name(&plan.digest).as_bytes(), &plan.manifest.data, 0)?;
            }
            if written.insert(&plan.config.digest) {
                self.blob(archive, &plan.config)?;
            }
        }
        Ok(())
    }

    fn blob<W: Write>(&self, archive: &mut TarWriter<W>, blob: &Descriptor) -> std::io::Result<()> {
        let mut data = self.store.archived(blob)?;
        let name = blob_name(&blob.digest);
        archive.copy(&Record::file(name.as_bytes(), blob.size, 0), &mut data)
    }

    fn index(&self) -> Value {
        let mut manifests = Vec::new();
        for Saved {
            plan,
            tags,
            platform,
        } in &self.images
        {
            let base = json!({
                "mediaType": plan.manifest.media_type,
                "digest": plan.digest,
                "size": plan.manifest.data.len(),
                "platform": {
                    "architecture": platform.architecture(),
                    "os": platform.os(),
                },
            });
            if tags.is_empty() {
                manifests.push(base.clone());
            }
            for tag in tags {
                let mut named = base.clone();
                named["annotations"] = json!({
                    IMAGE_NAME: tag.to_string(),
                    REF_NAME: tag.tag(),
                });
                manifests.push(named);
            }
        }
        json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_INDEX,
            "manifests": manifests,
        })
    }

    fn manifest(&self) -> Value {
        let image = |Saved { plan, tags, .. }: &Saved| {
            let tags: Vec<String> = tags.iter().map(Reference::familiar).collect();
            let layers: Vec<String> = plan.layers.iter().map(|l| blob_name(&l.digest)).collect();
            let sources: BTreeMap<&Digest, &Descriptor> =
                plan.diff_ids.iter().zip(&plan.layers).collect();
            json!({
                "Config": blob_name(&plan.config.digest),
                "RepoTags": if tags.is_empty() { Value::Null } else { json!(tags) },
                "Layers": layers,
                "LayerSources": sources,
            })
        };
        self.images.iter().map(image).collect()
    }

    /// For readers older than `manifest.json`: names and their topmost layer.
    fn repositories(&self) -> BTreeMap<String, BTreeMap<&str, &str>> {
        let mut repositories: BTreeMap<String, BTreeMap<&str, &str>> = BTreeMap::new();
        for Saved { plan, tags, .. } in &self.images {
            let Some(top) = plan.layers.last() else {
                continue;
            };
            for tag in tags {
                repositories
                    .entry(tag.familiar_name())
                    .or_default()
                    .insert(tag.tag().unwrap_or("latest"), top.digest.hex());
            }
        }
        repositories
    }
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
