//! Images as the store keeps them.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use dhow_model::{Digest, platform::Platform, reference::Reference};
use rusqlite::{Connection, OptionalExtension, params};

use super::names::{names_of, put_name};
use super::{Config, Document, ImageError, Manifest, chain_ids};
use crate::layer::LayerError;
use crate::store::{ImageStore, Lease, StoreError, sha256};

/// An image about to be recorded. Its layers are in the store already.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewImage<'a> {
    /// The configuration as it was sent; its digest becomes the id.
    pub config: &'a [u8],
    /// The manifest it came with, if it came with one.
    pub manifest: Option<&'a Document>,
    /// Indexes that led to the manifest, kept for digest references.
    pub indexes: &'a [Document],
    /// Names to give it: tags, and digests it was fetched by.
    pub names: &'a [Reference],
    /// The image it was made from on this machine.
    pub parent: Option<&'a Digest>,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerRecord {
    /// Digest of the plain archive.
    pub diff_id: Digest,
    /// Digest of it and all below it.
    pub chain_id: Digest,
    /// Bytes in its files.
    pub size: u64,
}

/// All the store knows of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRecord {
    /// Digest of the configuration.
    pub id: Digest,
    /// The image it was made from on this machine.
    pub parent: Option<Digest>,
    /// When it came here, nanoseconds since 1970.
    pub added: i64,
    /// When it last got a name, nanoseconds since 1970.
    pub tagged: i64,
    /// The configuration.
    pub config: Config,
    /// The manifest it came with, and its media type.
    pub manifest: Option<(Digest, String)>,
    /// Its names.
    pub names: Vec<Reference>,
    /// Its layers, lowest first.
    pub layers: Vec<LayerRecord>,
}

/// Things that say what they run on.
pub trait Platformed {
    /// The platform.
    fn platform(&self) -> Platform;
}

impl Platformed for ImageRecord {
    fn platform(&self) -> Platform {
        let config = &self.config;
        Platform::new(&config.os, &config.architecture, &config.variant)
    }
}

impl ImageRecord {
    /// Bytes in the files of all its layers.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }
}

/// For each image, the bytes in layers that it shares with another one of
/// `images`.
pub fn shared_sizes(images: &[ImageRecord]) -> HashMap<Digest, u64> {
    let mut users: HashMap<&Digest, u32> = HashMap::new();
    for layer in images.iter().flat_map(|image| &image.layers) {
        *users.entry(&layer.chain_id).or_default() += 1;
    }
    let shared = |image: &ImageRecord| {
        let layers = image.layers.iter();
        let layers = layers.filter(|layer| users.get(&layer.chain_id) > Some(&1));
        layers.map(|layer| layer.size).sum()
    };
    images.iter().map(|i| (i.id.clone(), shared(i))).collect()
}

impl ImageStore {
    /// Records an image whose layers are all unpacked, and names it. When this
    /// returns, a power cut does not take the image away.
    pub fn commit_image(&self, lease: &Lease, image: &NewImage<'_>) -> Result<Digest, ImageError> {
        let config = Config::parse(image.config)?;
        let diff_ids = &config.rootfs.diff_ids;
        let id = sha256(image.config);
        for diff_id in diff_ids {
            lease.hold(diff_id);
            if !self.has_layer(diff_id)? {
                return Err(LayerError::Store(StoreError::MissingLayer(diff_id.clone())).into());
            }
        }
        let mut documents = Vec::new();
        if let Some(document) = image.manifest {
            let manifest = Manifest::parse(&document.data)?;
            if manifest.config.digest != id {
                return Err(ImageError::WrongConfig {
                    named: manifest.config.digest,
                    actual: id,
                });
            }
            if manifest.layers.len() != diff_ids.len() {
                return Err(ImageError::Nonsense("number of layers in image manifest"));
            }
            documents.push(document);
        }
        documents.extend(image.indexes);
        self.put_blob(lease, image.config)?;
        let mut digests = Vec::new();
        for document in &documents {
            digests.push((self.put_blob(lease, &document.data)?, &document.media_type));
        }
        self.sync_blob_names()?;
        let manifest = image.manifest.and(digests.first());

        let mut db = self.db();
        let tx = db.transaction()?;
        let now = now();
        tx.execute(
            "INSERT INTO images (id, parent, added, tagged, manifest, manifest_type)
             VALUES (?1, ?2, ?3, 0, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET
                 parent = coalesce(parent, excluded.parent),
                 manifest = coalesce(excluded.manifest, manifest),
                 manifest_type = coalesce(excluded.manifest_type, manifest_type)",
            params![
                id.as_str(),
                image.parent.map(Digest::as_str),
                now,
                manifest.map(|(digest, _)| digest.as_str()),
                manifest.map(|(_, media_type)| media_type.as_str()),
            ],
        )?;
        for (digest, media_type) in &digests {
            tx.execute(
                "INSERT OR IGNORE INTO image_manifests (image, digest, media_type)
                 VALUES (?1, ?2, ?3)",
                params![id.as_str(), digest.as_str(), media_type],
            )?;
        }
        for (position, (diff_id, chain_id)) in diff_ids.iter().zip(chain_ids(diff_ids)).enumerate()
        {
            tx.execute(
                "INSERT OR IGNORE INTO image_layers (image, position, diff_id, chain_id)
                 VALUES (?1, ?2, ?3, ?4)",
                params![
                    id.as_str(),
                    position as i64,
                    diff_id.as_str(),
                    chain_id.as_str()
                ],
            )?;
        }
        for name in image.names {
            put_name(&tx, &id, name)?;
        }
        tx.commit()?;
        drop(db);
        self.settle_soon();
        Ok(id)
    }

    /// The image with this id.
    pub fn image(&self, id: &Digest) -> Result<ImageRecord, ImageError> {
        let record = read(&self.db(), id)?;
        let record = record.ok_or_else(|| ImageError::NotFound(id.to_string()))?;
        self.with_config(record)
    }

    /// The image that `word` means.
    pub fn get(&self, word: &str) -> Result<ImageRecord, ImageError> {
        self.image(&self.resolve(word)?)
    }

    /// Every image, in order of id.
    pub fn images(&self) -> Result<Vec<ImageRecord>, ImageError> {
        let records: Vec<ImageRecord> = {
            let db = self.db();
            let mut query = db.prepare_cached("SELECT id FROM images ORDER BY id")?;
            let ids: Vec<String> = query
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let mut records = Vec::with_capacity(ids.len());
            for id in ids {
                let id: Digest = id.parse().map_err(|_| StoreError::Record("image id"))?;
                records.extend(read(&db, &id)?);
            }
            records
        };
        let mut images = Vec::with_capacity(records.len());
        for record in records {
            let id = record.id.clone();
            match self.with_config(record) {
                Ok(image) => images.push(image),
                // One damaged image must not hide all others.
                Err(error) => {
                    let error = dhow_model::error::chain(&error);
                    tracing::warn!(%id, error, "image cannot be read");
                }
            }
        }
        Ok(images)
    }

    /// Images made from image `id` on this machine.
    pub fn children(&self, id: &Digest) -> Result<Vec<Digest>, ImageError> {
        Ok(children(&self.db(), id)?)
    }

    /// Manifests and indexes kept for image `id`, with their media types.
    pub fn manifests(&self, id: &Digest) -> Result<Vec<(Digest, String)>, ImageError> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT digest, media_type FROM image_manifests WHERE image = ?1 ORDER BY rowid",
        )?;
        let rows = query.query_map([id.as_str()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (digest, media_type) = row?;
            let digest = digest.parse().map_err(|_| StoreError::Record("digest"))?;
            Ok((digest, media_type))
        })
        .collect()
    }

    fn with_config(&self, mut record: ImageRecord) -> Result<ImageRecord, ImageError> {
        record.config = Config::parse(&self.read_blob(&record.id)?)?;
        Ok(record)
    }
}

pub(super) fn children(db: &Connection, id: &Digest) -> Result<Vec<Digest>, StoreError> {
    let mut query = db.prepare_cached("SELECT id FROM images WHERE parent = ?1 ORDER BY id")?;
    let rows = query.query_map([id.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|row| row?.parse().map_err(|_| StoreError::Record("image id")))
        .collect()
}

/// Everything but the configuration.
fn read(db: &Connection, id: &Digest) -> Result<Option<ImageRecord>, StoreError> {
    let digest = |text: Option<String>| {
        text.map(|text| text.parse::<Digest>())
            .transpose()
            .map_err(|_| StoreError::Record("digest"))
    };
    let row = db
        .prepare_cached(
            "SELECT parent, added, tagged, manifest, manifest_type FROM images WHERE id = ?1",
        )?
        .query_row([id.as_str()], |row| {
            Ok((
                row.get::<_, Option<String>>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, Option<String>>(3)?,
                row.get::<_, Option<String>>(4)?,
            ))
        })
        .optional()?;
    let Some((parent, added, tagged, manifest, manifest_type)) = row else {
        return Ok(None);
    };
    let mut query = db.prepare_cached(
        "SELECT i.diff_id, i.chain_id,
                coalesce(l.size, (SELECT max(b.unpacked_size) FROM layer_blobs b
                                  WHERE b.diff_id = i.diff_id), 0)
         FROM image_layers i LEFT JOIN layers l ON l.diff_id = i.diff_id
         WHERE i.image = ?1 ORDER BY i.position",
    )?;
    let rows = query.query_map([id.as_str()], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, i64>(2)?,
        ))
    })?;
    let mut layers = Vec::new();
    for row in rows {
        let (diff_id, chain_id, size) = row?;
        layers.push(LayerRecord {
            diff_id: diff_id.parse().map_err(|_| StoreError::Record("diff id"))?,
            chain_id: chain_id
                .parse()
                .map_err(|_| StoreError::Record("chain id"))?,
            size: size.cast_unsigned(),
        });
    }
    Ok(Some(ImageRecord {
        id: id.clone(),
        parent: digest(parent)?,
        added,
        tagged,
        config: Config::default(),
        manifest: digest(manifest)?.zip(manifest_type),
        names: names_of(db, id)?,
        layers,
    }))
}

/// Nanoseconds since 1970.
pub(super) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    elapsed.map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}
