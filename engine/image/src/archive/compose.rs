//! Images made on this machine: from a container's changes, from a tree.

use std::io::{BufReader, Cursor, Read, Write};

use dhow_model::{Digest, reference::Reference};
use serde_json::{Map, Value};

use super::ArchiveError;
use crate::image::{Config, History, NewImage, RootFs};
use crate::layer::{Compression, LayerWriter, MadeLayer, decoder};
use crate::store::{ImageStore, Lease};

/// What a commit adds to its parent.
#[derive(Debug, Clone, Default)]
pub struct CommitSpec {
    /// The image the container was made from, if it still exists.
    pub parent: Option<Digest>,
    /// What containers of the new image run, in Docker's spelling.
    pub config: Map<String, Value>,
    /// Who did it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// The command that led there, for the history.
    pub created_by: String,
    /// When, RFC 3339.
    pub created: String,
    /// Names for the new image.
    pub names: Vec<Reference>,
    /// `linux`; the parent's where there is one.
    pub os: String,
    /// `amd64`; the parent's where there is one.
    pub architecture: String,
}

/// How a tree becomes an image.
#[derive(Debug, Clone, Default)]
pub struct ImportSpec {
    /// What containers of the new image run, in Docker's spelling.
    pub config: Map<String, Value>,
    /// For the history.
    pub message: String,
    /// When, RFC 3339.
    pub created: String,
    /// `linux`.
    pub os: String,
    /// `amd64`.
    pub architecture: String,
    /// `v8`.
    pub variant: String,
    /// Names for the new image.
    pub names: Vec<Reference>,
}

impl ImageStore {
    /// Makes an image of the parent's layers and the one that `pack` writes.
    pub fn commit(
        &self,
        spec: &CommitSpec,
        pack: impl FnOnce(&mut dyn Write) -> Result<(), ArchiveError>,
    ) -> Result<Digest, ArchiveError> {
        let lease = self.lease();
        let mut config = match &spec.parent {
            Some(parent) => self.image(parent)?.config,
            None => Config {
                os: spec.os.clone(),
                architecture: spec.architecture.clone(),
                rootfs: RootFs {
                    kind: "layers".into(),
                    diff_ids: Vec::new(),
                },
                ..Config::default()
            },
        };
        let mut writer = LayerWriter::new(self)?;
        pack(&mut writer)?;
        let mut layer = writer.finish()?;
        layer.publish(&lease)?;
        // What the parent's configuration says of its own making is not true
        // of the new image.
        for field in [
            "container",
            "container_config",
            "docker_version",
            "id",
            "parent",
        ] {
            config.rest.shift_remove(field);
        }
        config.config = Some(spec.config.clone());
        config.author.clone_from(&spec.author);
        if !spec.comment.is_empty() {
            config
                .rest
                .insert("comment".into(), spec.comment.clone().into());
        } else {
            config.rest.shift_remove("comment");
        }
        self.record(&lease, config, &layer, spec.parent.as_ref(), &spec.names, {
            History {
                created: Some(spec.created.clone()),
                created_by: spec.created_by.clone(),
                author: spec.author.clone(),
                comment: spec.comment.clone(),
                empty_layer: false,
            }
        })
    }

    /// Makes an image of one layer: the tree in the archive `input`, compressed
    /// or not.
    pub fn import(&self, spec: &ImportSpec, input: &mut dyn Read) -> Result<Digest, ArchiveError> {
        let lease = self.lease();
        let mut layer = self.make_layer(input)?;
        layer.publish(&lease)?;
        let config = Config {
            architecture: spec.architecture.clone(),
            variant: spec.variant.clone(),
            os: spec.os.clone(),
            config: Some(spec.config.clone()),
            rootfs: RootFs {
                kind: "layers".into(),
                diff_ids: Vec::new(),
            },
            ..Config::default()
        };
        self.record(&lease, config, &layer, None, &spec.names, {
            History {
                created: Some(spec.created.clone()),
                comment: spec.message.clone(),
                ..History::default()
            }
        })
    }

    /// Takes a layer from `input`: as it comes where a registry will take it
    /// that way, else unpacked.
    pub(super) fn make_layer(&self, input: &mut dyn Read) -> Result<MadeLayer, ArchiveError> {
        let broken = |e| ArchiveError::Tar(crate::tar::TarError::Read(e));
        let mut input = BufReader::with_capacity(256 * 1024, input);
        let mut head = Vec::new();
        (&mut input)
            .take(6)
            .read_to_end(&mut head)
            .map_err(broken)?;
        let as_it_comes = Compression::detect(&head).is_for_layers();
        let whole = Cursor::new(head).chain(input);
        let mut source: Box<dyn Read + '_> = match as_it_comes {
            true => Box::new(whole),
            false => Box::new(decoder(whole).map_err(ArchiveError::Compression)?),
        };
        let mut writer = LayerWriter::new(self)?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return Ok(writer.finish()?),
                Ok(count) => writer.take(&buffer[..count])?,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
        }
    }

    fn record(
        &self,
        lease: &Lease,
        mut config: Config,
        layer: &MadeLayer,
        parent: Option<&Digest>,
        names: &[Reference],
        step: History,
    ) -> Result<Digest, ArchiveError> {
        config.created.clone_from(&step.created);
        config.rootfs.diff_ids.push(layer.diff_id().clone());
        config.history.push(step);
        let config = config.to_bytes()?;
        let image = NewImage {
            config: &config,
            names,
            parent,
            ..NewImage::default()
        };
        Ok(self.commit_image(lease, &image)?)
    }
}
