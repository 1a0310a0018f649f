//! What `docker manifest inspect` and `/distribution/…/json` want to know:
//! what stands behind a name, and for which platforms.

use crate::error::Error;
use crate::manifest::{Descriptor, ImageConfig, Manifest, Platform};
use crate::remote::Remote;
use crate::repository::Target;

/// A name's descriptor and the platforms behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Media type, digest and size of the manifest or index.
    pub descriptor: Descriptor,
    /// One for each image, in the index's order.
    pub platforms: Vec<Platform>,
}

impl Remote {
    /// Inspects `target`. Refusals are passed on as the registry words them.
    pub async fn inspect(&self, target: &Target) -> Result<Inspection, Error> {
        let fetched = self.each(|source| self.manifest_at(source, target)).await?;
        let platforms = match &fetched.manifest {
            Manifest::Index(index) => index
                .manifests
                .iter()
                .filter_map(|entry| entry.platform.clone())
                .collect(),
            Manifest::Image(image) => {
                image.check_is_image()?;
                let config = self.config(&image.config).await?;
                vec![ImageConfig::parse(&config, &image.config.digest)?.platform]
            }
        };
        Ok(Inspection {
            descriptor: fetched.descriptor,
            platforms,
        })
    }
}
