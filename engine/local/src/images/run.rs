//! What containers need of images: their configuration, their layers, and
//! whether they are the ancestor somebody filters by.

use bollard_stubs::models::ContainerConfig;
use dhow_image::image::chain_ids;
use dhow_image::{ImageRecord, image::Platformed};
use dhow_model::{Digest, Filters, Platform};

use crate::containers::record::Record;
use crate::{Error, LocalEngine, Result};

/// An image as a new container takes it.
pub(crate) struct ImageToRun {
    pub id: Digest,
    pub config: ContainerConfig,
    /// Diff ids, bottom first.
    pub layers: Vec<Digest>,
    pub warnings: Vec<String>,
}

impl LocalEngine {
    /// The image called `name`, for `platform` (any when empty).
    pub(crate) fn image_to_run(&self, name: &str, platform: &str) -> Result<ImageToRun> {
        if name.is_empty() {
            return Err(Error::invalid(
                "config cannot be empty in order to create a container",
            ));
        }
        let image = self.shared.images.get(name).map_err(Error::of)?;
        let mut warnings = Vec::new();
        let own = image.platform();
        if !platform.is_empty() {
            let wanted: Platform = platform.parse().map_err(Error::of)?;
            if wanted.rank(&own).is_none() {
                return Err(Error::not_found(format!(
                    "image with reference {name} was found but does not provide the specified \
                     platform ({wanted}), its platform is {own}"
                )));
            }
        }
        let host = Platform::host();
        if host.rank(&own).is_none() && platform.is_empty() {
            warnings.push(format!(
                "The requested image's platform ({own}) does not match the detected host platform \
                 ({host}) and no specific platform was requested"
            ));
        }
        let config = match &image.config.config {
            Some(map) => serde_json::from_value(serde_json::Value::Object(map.clone()))
                .map_err(|e| Error::system(format!("image {name}: {e}")))?,
            None => ContainerConfig::default(),
        };
        Ok(ImageToRun {
            id: image.id,
            config,
            layers: image.config.rootfs.diff_ids,
            warnings,
        })
    }

    /// How many images there are.
    pub(crate) fn image_count(&self) -> i64 {
        self.shared
            .images
            .images()
            .map_or(0, |list| list.len() as i64)
    }

    /// The directories of a container's layers, top first.
    pub(crate) fn layer_directories(&self, record: &Record) -> Vec<String> {
        self.shared
            .images
            .pinned_rootfs(record.id.as_str())
            .map(|dirs| dirs.iter().map(|d| d.path.display().to_string()).collect())
            .unwrap_or_default()
    }

    /// What `docker ps` shows as the image: the name it was created by as long
    /// as that name means the same image, else the image's id.
    pub(crate) fn image_shown(&self, record: &Record) -> String {
        let asked = record.config.image.clone().unwrap_or_default();
        match self.shared.images.resolve(&asked) {
            Ok(id) if id == record.image => asked,
            _ => record.image.to_string(),
        }
    }

    /// The images that the `ancestor` filters name, as chains of layers.
    pub(crate) fn ancestors(&self, filters: &Filters) -> Option<Vec<Ancestor>> {
        filters.get("ancestor").next()?;
        let found = filters
            .get("ancestor")
            .filter_map(|name| self.shared.images.get(name).ok());
        Some(found.map(Ancestor::new).collect())
    }

    /// Whether the container's image is, or was made from, one of `ancestors`.
    pub(crate) fn descends(&self, record: &Record, ancestors: &[Ancestor]) -> bool {
        let chains = chain_ids(&record.layers);
        ancestors.iter().any(|ancestor| {
            ancestor.id == record.image
                || ancestor
                    .top
                    .as_ref()
                    .is_some_and(|top| chains.contains(top))
        })
    }
}

/// An image as the `ancestor` filter needs it.
pub(crate) struct Ancestor {
    id: Digest,
    /// The chain id of all its layers.
    top: Option<Digest>,
}

impl Ancestor {
    fn new(image: ImageRecord) -> Self {
        Self {
            top: image.layers.last().map(|l| l.chain_id.clone()),
            id: image.id,
        }
    }
}
