//! `DELETE /images/{name}` and `POST /images/prune`.

use std::collections::HashMap;

use bollard_stubs::models::{EventMessageTypeEnum, ImageDeleteResponseItem, ImagePruneResponse};
use bollard_stubs::query_parameters::{PruneImagesOptions, RemoveImageOptions};
use dhow_image::image::{ImageRecord, RemoveOptions, Removed};
use dhow_model::{Digest, Filters, Timestamp};

use super::inspect::{find, read_platform};
use super::list::{created, signed};
use super::pull::blocking;
use crate::{Error, LocalEngine, Result, clock};

impl LocalEngine {
    /// Removes an image or one of its names, by the rules of `docker rmi`.
    pub async fn remove_image(
        &self,
        name: &str,
        options: Option<RemoveImageOptions>,
    ) -> Result<Vec<ImageDeleteResponseItem>> {
        let options = options.unwrap_or_default();
        let platforms = options.platforms.unwrap_or_default();
        let (engine, name) = (self.clone(), name.to_owned());
        let how = RemoveOptions {
            force: options.force,
            no_prune: options.noprune,
        };
        blocking(move || {
            // Images here are of one platform each.
            for platform in &platforms {
                read_platform(platform)?;
                find(&engine.shared.images, &name, Some(platform))?;
            }
            let removed = engine.remove_named(&name, how)?;
            Ok(removed.iter().map(wire).collect())
        })
        .await
    }

    /// Removes images that no container uses: those without a tag, or all.
    pub async fn prune_images(
        &self,
        options: Option<PruneImagesOptions>,
    ) -> Result<ImagePruneResponse> {
        let filters = Filters::from_map(options.and_then(|o| o.filters).unwrap_or_default());
        filters
            .validate(&["dangling", "label", "label!", "until"])
            .map_err(Error::of)?;
        let dangling = filters.boolean("dangling", true).map_err(Error::of)?;
        let now = Timestamp::from_nanos(clock::now());
        let until = filters.get("until").next();
        let until = until
            .map(|text| Timestamp::parse_relative(text, now, 0))
            .transpose()
            .map_err(Error::of)?;
        let engine = self.clone();
        blocking(move || engine.prune(&filters, dangling, until)).await
    }

    fn remove_named(&self, name: &str, how: RemoveOptions) -> Result<Vec<Removed>> {
        let users = self.image_users();
        // What an event says of an image is gone with the image.
        let labels = match self.shared.images.get(name) {
            Ok(image) => image.config.labels(),
            Err(_) => HashMap::new(),
        };
        let images = &self.shared.images;
        let removed = images.remove(name, how, &users).map_err(Error::of)?;
        for step in &removed {
            let (action, id) = match step {
                Removed::Untagged { image, .. } => ("untag", image),
                Removed::Image(id) => ("delete", id),
                Removed::Layer(_) => continue,
            };
            let mut attributes = labels.clone();
            attributes.insert("name".to_owned(), id.to_string());
            self.shared.events.publish(
                EventMessageTypeEnum::IMAGE,
                action,
                id.as_str(),
                attributes,
                clock::now(),
            );
        }
        Ok(removed)
    }

    fn prune(
        &self,
        filters: &Filters,
        dangling: bool,
        until: Option<Timestamp>,
    ) -> Result<ImagePruneResponse> {
        let store = &self.shared.images;
        let images = store.images().map_err(Error::of)?;
        let sizes: HashMap<Digest, u64> = images
            .iter()
            .flat_map(|image| &image.layers)
            .map(|layer| (layer.chain_id.clone(), layer.size))
            .collect();
        let mut removed = Vec::new();
        for image in &images {
            let labels = image.config.labels();
            let young = until
                .is_some_and(|until| created(image).is_none_or(|created| created > until.nanos()));
            let chosen = !young
                && filters.matches_labels("label", &labels)
                && filters.spares_labels("label!", &labels);
            if !chosen {
                continue;
            }
            for name in self.names_to_prune(image, dangling)? {
                // In use, or gone with another one: left alone.
                if let Ok(steps) = self.remove_named(&name, RemoveOptions::default()) {
                    removed.extend(steps);
                }
            }
        }
        let mut reclaimed: u64 = removed
            .iter()
            .filter_map(|step| match step {
                Removed::Layer(chain_id) => sizes.get(chain_id),
                _ => None,
            })
            .sum();
        // What interrupted pulls left, and what removed containers stood on.
        reclaimed += store.collect().map_err(Error::of)?.bytes;
        self.daemon_event(
            EventMessageTypeEnum::IMAGE,
            "prune",
            "",
            &[("reclaimed", &reclaimed.to_string())],
        );
        Ok(ImagePruneResponse {
            images_deleted: Some(removed.iter().map(wire).collect()),
            space_reclaimed: Some(signed(reclaimed)),
        })
    }

    /// The words by which to remove `image`: none if it is to stay.
    fn names_to_prune(&self, image: &ImageRecord, dangling: bool) -> Result<Vec<String>> {
        if image.names.is_empty() {
            let children = self.shared.images.children(&image.id).map_err(Error::of)?;
            // A step on the way to another image goes with that one.
            return Ok(match children.is_empty() {
                true => vec![image.id.hex().to_owned()],
                false => Vec::new(),
            });
        }
        let tagged = image.names.iter().any(|name| name.digest().is_none());
        if dangling && tagged {
            return Ok(Vec::new());
        }
        Ok(image.names.iter().map(ToString::to_string).collect())
    }
}

fn wire(step: &Removed) -> ImageDeleteResponseItem {
    match step {
        Removed::Untagged { name, .. } => ImageDeleteResponseItem {
            untagged: Some(name.clone()),
            deleted: None,
        },
        Removed::Image(digest) | Removed::Layer(digest) => ImageDeleteResponseItem {
            untagged: None,
            deleted: Some(digest.to_string()),
        },
    }
}
