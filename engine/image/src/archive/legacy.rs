//! Archives from before `manifest.json`: a folder per layer, each an image of
//! its own that knows its parent, and `repositories` with the names (Docker
//! Image Specification v1). Their configurations are made new, as Docker makes
//! them, for they did not list layers then.

use std::collections::{BTreeMap, HashMap, HashSet};

use dhow_model::{Digest, reference::Reference};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ArchiveError;
use super::load::{Checked, Loading, parse};
use crate::image::{Config, History, RootFs};
use crate::store::sha256;

/// Images above images beyond this are nonsense, as layers are.
const MAX_PARENTS: usize = 500;

/// What of a folder's `json` counts beside what is carried along.
#[derive(Debug, Deserialize)]
struct Layer {
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    container_config: Option<Made>,
}

/// The container a layer was made in.
#[derive(Debug, Default, Deserialize)]
struct Made {
    #[serde(default, rename = "Cmd")]
    command: Option<Vec<String>>,
}

/// Names to tags to folders.
type Repositories = BTreeMap<String, BTreeMap<String, String>>;

/// What is true of the old format only, or is known better by the store.
const FORGOTTEN: [&str; 6] = ["id", "parent", "Size", "parent_id", "layer_id", "throwaway"];

impl Loading<'_> {
    /// All images of the archive, parents before children.
    pub(super) fn legacy(&mut self) -> Result<Vec<Checked>, ArchiveError> {
        let mut folders = self.folders();
        folders.sort();
        let mut made: HashMap<String, usize> = HashMap::new();
        let mut images: Vec<Checked> = Vec::new();
        for folder in &folders {
            for folder in self.lineage(folder, &made)? {
                let image = self.image(&folder, &made, &images)?;
                made.insert(folder, images.len());
                images.push(image);
            }
        }
        let repositories = match self.spool.document("repositories") {
            Ok(data) => parse("repositories", data)?,
            Err(_) => Repositories::new(),
        };
        for (repository, tags) in repositories {
            for (tag, folder) in tags {
                let name = Reference::parse_normalized(&repository)
                    .and_then(|name| name.with_tag(&tag))
                    .map_err(crate::image::ImageError::from)?;
                let Some(&image) = made.get(&folder) else {
                    return Err(ArchiveError::Target(folder));
                };
                images[image].names.push(name);
            }
        }
        // Nobody asked for what is only there to be built upon.
        let parents: HashSet<Digest> = images.iter().filter_map(|i| i.parent.clone()).collect();
        for image in &mut images {
            image.told = !image.names.is_empty() || !parents.contains(&sha256(&image.config));
        }
        Ok(images)
    }

    /// Whether there is anything of that kind in the archive.
    pub(super) fn is_legacy(&self) -> bool {
        !self.folders().is_empty()
    }

    fn folders(&self) -> Vec<String> {
        let documents = self.spool.documents.keys();
        documents
            .filter_map(|path| path.strip_suffix(b"/json"))
            .filter(|folder| !folder.contains(&b'/'))
            .map(|folder| String::from_utf8_lossy(folder).into_owned())
            .collect()
    }

    /// `folder` and those below it that are not made yet, the lowest first.
    fn lineage(
        &self,
        folder: &str,
        made: &HashMap<String, usize>,
    ) -> Result<Vec<String>, ArchiveError> {
        let mut lineage = Vec::new();
        let mut next = Some(folder.to_owned());
        while let Some(folder) = next
            && !made.contains_key(&folder)
        {
            if lineage.len() == MAX_PARENTS || lineage.contains(&folder) {
                return Err(ArchiveError::Lineage(folder));
            }
            next = self.layer(&folder)?.parent.filter(|id| !id.is_empty());
            lineage.push(folder);
        }
        lineage.reverse();
        Ok(lineage)
    }

    fn layer(&self, folder: &str) -> Result<Layer, ArchiveError> {
        parse("json", self.spool.document(&format!("{folder}/json"))?)
    }

    /// The image that `folder` is, upon its parent among `images`.
    fn image(
        &mut self,
        folder: &str,
        made: &HashMap<String, usize>,
        images: &[Checked],
    ) -> Result<Checked, ArchiveError> {
        let layer = self.layer(folder)?;
        let parent = layer.parent.as_ref().and_then(|id| made.get(id));
        let parent = parent.and_then(|&at| images.get(at));
        let (mut diff_ids, mut history) = match parent {
            Some(parent) => {
                let config = Config::parse(&parent.config)?;
                (config.rootfs.diff_ids, config.history)
            }
            None => (Vec::new(), Vec::new()),
        };
        diff_ids.push(self.own_layer(folder)?);
        history.push(History {
            created: layer.created,
            created_by: layer
                .container_config
                .and_then(|made| made.command)
                .unwrap_or_default()
                .join(" "),
            author: layer.author.unwrap_or_default(),
            comment: layer.comment.unwrap_or_default(),
            empty_layer: false,
        });
        let document = self.spool.document(&format!("{folder}/json"))?;
        let mut config: Map<String, Value> = parse("json", document)?;
        for key in FORGOTTEN {
            config.shift_remove(key);
        }
        config.entry("os").or_insert_with(|| json!("linux"));
        let rootfs = RootFs {
            kind: "layers".into(),
            diff_ids,
        };
        config.insert("rootfs".into(), json!(rootfs));
        config.insert("history".into(), json!(history));
        let config = Value::Object(config).to_string().into_bytes();
        // What is stored must be readable.
        Config::parse(&config)?;
        Ok(Checked {
            parent: parent.map(|parent| sha256(&parent.config)),
            ..Checked::new(config)
        })
    }

    /// The layer in `folder`, made visible.
    fn own_layer(&mut self, folder: &str) -> Result<Digest, ArchiveError> {
        let path = format!("{folder}/layer.tar");
        let resolved = self.spool.resolve(&path);
        let layer = resolved.and_then(|path| self.spool.layers.get_mut(&path));
        let Some(layer) = layer else {
            return Err(ArchiveError::Missing(path));
        };
        layer.publish(&self.lease)?;
        Ok(layer.diff_id().clone())
    }
}
