//! `POST /images/{name}/tag`, and telling what happens to images.

use std::collections::HashSet;

use bollard_stubs::models::EventMessageTypeEnum;
use bollard_stubs::query_parameters::TagImageOptions;
use dhow_image::{ImageError, ImageUser};
use dhow_model::{Digest, reference::Reference};

use super::pull::blocking;
use crate::containers::record::Mounted;
use crate::{Error, LocalEngine, Result, clock};

impl LocalEngine {
    /// Gives an image another name.
    pub async fn tag_image(&self, name: &str, options: TagImageOptions) -> Result<()> {
        let repository = options.repo.unwrap_or_default();
        let reference = reference(&repository, options.tag.as_deref())?;
        let (store, name) = (self.shared.images.clone(), name.to_owned());
        let (id, reference) = blocking(move || {
            let id = store.resolve(&name).map_err(Error::of)?;
            let reference = store.tag(&id, &reference).map_err(Error::of)?;
            Ok((id, reference))
        })
        .await?;
        self.image_changed("tag", &id, &reference.familiar());
        Ok(())
    }

    /// `action` happened to image `id`, known to whoever did it as `name`.
    pub(crate) fn image_changed(&self, action: &str, id: &Digest, name: &str) {
        let image = self.shared.images.image(id);
        let mut attributes = image.map(|i| i.config.labels()).unwrap_or_default();
        attributes.insert("name".to_owned(), name.to_owned());
        self.shared.events.publish(
            EventMessageTypeEnum::IMAGE,
            action,
            id.as_str(),
            attributes,
            clock::now(),
        );
    }

    /// Which containers use which images: were made of them, or mount them.
    pub(crate) fn image_users(&self) -> Vec<ImageUser> {
        let containers = self.shared.containers.all();
        let users = containers.iter().flat_map(|container| {
            container.read(|record| {
                let mounted = record.mounts.iter().filter_map(Mounted::image);
                let images = std::iter::once(record.image.clone()).chain(mounted);
                let images: HashSet<Digest> = images.collect();
                let user = |image| ImageUser {
                    image,
                    container: record.id.to_string(),
                    running: record.state.status.counts_as_running(),
                };
                images.into_iter().map(user).collect::<Vec<_>>()
            })
        });
        users.collect()
    }
}

/// The name that `repository` and `tag` make, `latest` without a tag; an error
/// for a name with a digest.
pub(super) fn reference(repository: &str, tag: Option<&str>) -> Result<Reference> {
    let name = Reference::parse_normalized(repository).map_err(Error::of)?;
    if name.digest().is_some() {
        return Err(Error::of(ImageError::TagWithDigest));
    }
    match tag.filter(|tag| !tag.is_empty()) {
        Some(tag) => name.with_tag(tag).map_err(Error::of),
        None => Ok(name.with_default_tag()),
    }
}

/// The same for a name that need not be given.
pub(super) fn optional_reference(
    repository: Option<&str>,
    tag: Option<&str>,
) -> Result<Option<Reference>> {
    match repository.filter(|name| !name.is_empty()) {
        Some(name) => reference(name, tag).map(Some),
        None => Ok(None),
    }
}
