//! `GET /images/{name}/json` and `/images/{name}/history`.

use std::collections::HashMap;

use bollard_stubs::models::{
    DriverData, ImageConfig, ImageHistoryResponseItem, ImageInspect, ImageInspectMetadata,
    ImageInspectRootFs,
};
use bollard_stubs::query_parameters::{ImageHistoryOptions, InspectImageOptions};
use dhow_image::ImageStore;
use dhow_image::image::{ImageRecord, Platformed as _};
use dhow_model::{Platform, Timestamp, reference::Reference};
use serde_json::{Map, Value};

use super::list::{descriptor, manifest_summary, signed};
use super::pull::blocking;
use crate::{Error, LocalEngine, Result, clock};

/// The name under which Docker tells this arrangement of layers.
const DRIVER: &str = "overlay2";

impl LocalEngine {
    /// Everything about one image.
    pub async fn inspect_image(
        &self,
        name: &str,
        options: Option<InspectImageOptions>,
    ) -> Result<ImageInspect> {
        let options = options.unwrap_or_default();
        let (store, name) = (self.shared.images.clone(), name.to_owned());
        let users = self.image_users();
        blocking(move || {
            let image = find(&store, &name, options.platform.as_deref())?;
            let manifests = options.manifests.then(|| {
                let users = users.iter().filter(|user| user.image == image.id);
                let containers = users.map(|user| user.container.clone()).collect();
                manifest_summary(&store, &image, containers)
            });
            let mut inspected = inspected(&store, &image)?;
            inspected.manifests = manifests.flatten();
            Ok(inspected)
        })
        .await
    }

    /// The steps an image was made by, newest first.
    pub async fn image_history(
        &self,
        name: &str,
        options: Option<ImageHistoryOptions>,
    ) -> Result<Vec<ImageHistoryResponseItem>> {
        let platform = options.and_then(|o| o.platform);
        let (store, name) = (self.shared.images.clone(), name.to_owned());
        blocking(move || {
            let image = find(&store, &name, platform.as_deref())?;
            let mut history = steps(&image)?;
            // The newest steps can be named after images that are here.
            let mut next = Some(image);
            for step in &mut history {
                let Some(image) = next else { break };
                step.id = image.id.to_string();
                step.tags = tags(&image.names);
                next = match &image.parent {
                    Some(parent) => store.image(parent).ok(),
                    None => None,
                };
            }
            Ok(history)
        })
        .await
    }
}

/// The image called `name`, which must run on `platform` (JSON, as the API
/// has it) if one is given.
pub(super) fn find(store: &ImageStore, name: &str, platform: Option<&str>) -> Result<ImageRecord> {
    let image = store.get(name).map_err(Error::of)?;
    let Some(text) = platform.filter(|text| !text.is_empty()) else {
        return Ok(image);
    };
    let wanted = read_platform(text)?;
    let own = image.platform();
    if wanted.rank(&own).is_none() {
        return Err(Error::not_found(format!(
            "image with reference {name} was found but does not provide the specified platform \
             ({wanted}), its platform is {own}"
        )));
    }
    Ok(image)
}

/// A platform as the API's newer endpoints take it: an OCI object in JSON.
/// The form with slashes does as well.
pub(super) fn read_platform(text: &str) -> Result<Platform> {
    if !text.trim_start().starts_with('{') {
        return text.parse().map_err(Error::of);
    }
    let parts: HashMap<String, Value> = serde_json::from_str(text)
        .map_err(|e| Error::invalid(format!("failed to parse platform: {e}")))?;
    let part = |key: &str| parts.get(key).and_then(Value::as_str).unwrap_or_default();
    Ok(Platform::new(
        part("os"),
        part("architecture"),
        part("variant"),
    ))
}

fn inspected(store: &ImageStore, image: &ImageRecord) -> Result<ImageInspect> {
    let config = &image.config;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let comment = match (config.text("comment"), config.history.last()) {
        ("", Some(last)) => last.comment.as_str(),
        (comment, _) => comment,
    };
    let digests = image.names.iter().filter(|name| name.digest().is_some());
    let mut paths: Vec<String> = image
        .layers
        .iter()
        .map(|layer| store.layer_dir(&layer.diff_id).display().to_string())
        .collect();
    let mut places = HashMap::new();
    if let Some(top) = paths.pop() {
        let beside = |name: &str| match top.strip_suffix("diff") {
            Some(dir) => format!("{dir}{name}"),
            None => String::new(),
        };
        places.insert("MergedDir".to_owned(), beside("merged"));
        places.insert("WorkDir".to_owned(), beside("work"));
        places.insert("UpperDir".to_owned(), top);
        paths.reverse();
        if !paths.is_empty() {
            places.insert("LowerDir".to_owned(), paths.join(":"));
        }
    }
    Ok(ImageInspect {
        id: Some(image.id.to_string()),
        descriptor: descriptor(store, image),
        manifests: None,
        identity: None,
        repo_tags: Some(tags(&image.names)),
        repo_digests: Some(digests.map(Reference::familiar).collect()),
        comment: Some(comment.to_owned()),
        created: config.created.clone(),
        author: Some(config.author.clone()),
        config: Some(read_config(config.config.as_ref())?),
        architecture: Some(config.architecture.clone()),
        variant: text(&config.variant),
        os: Some(config.os.clone()),
        os_version: text(config.text("os.version")),
        size: Some(signed(image.size())),
        graph_driver: Some(DriverData {
            name: DRIVER.to_owned(),
            data: places,
        }),
        root_fs: Some(ImageInspectRootFs {
            typ: "layers".to_owned(),
            layers: Some(
                image
                    .layers
                    .iter()
                    .map(|layer| layer.diff_id.to_string())
                    .collect(),
            ),
        }),
        metadata: Some(ImageInspectMetadata {
            last_tag_time: Some(match image.tagged {
                0 => Timestamp::format_optional(None),
                tagged => clock::rfc3339(tagged),
            }),
        }),
    })
}

/// The run configuration in an image, whose writers say `null` for unset.
fn read_config(config: Option<&Map<String, Value>>) -> Result<ImageConfig> {
    let mut config = config.cloned().unwrap_or_default();
    config.retain(|_, value| !value.is_null());
    serde_json::from_value(Value::Object(config))
        .map_err(|e| Error::system(format!("invalid image configuration: {e}")))
}

pub(super) fn tags(names: &[Reference]) -> Vec<String> {
    let tags = names.iter().filter(|name| name.digest().is_none());
    tags.map(Reference::familiar).collect()
}

/// The steps, newest first, none of them named yet.
fn steps(image: &ImageRecord) -> Result<Vec<ImageHistoryResponseItem>> {
    let mut layers = image.layers.iter();
    let mut steps = Vec::new();
    for step in &image.config.history {
        let size = match step.empty_layer {
            true => 0,
            false => match layers.next() {
                Some(layer) => signed(layer.size),
                None => {
                    return Err(Error::system(
                        "too many non-empty layers in History section",
                    ));
                }
            },
        };
        let created = step.created.as_deref().unwrap_or_default();
        let created = Timestamp::parse_optional(created).ok().flatten();
        steps.push(ImageHistoryResponseItem {
            id: "<missing>".to_owned(),
            created: created.map_or(ZERO_TIME, Timestamp::secs),
            created_by: step.created_by.clone(),
            tags: Vec::new(),
            size,
            comment: step.comment.clone(),
        });
    }
    steps.reverse();
    Ok(steps)
}

/// Go's zero time in seconds since the epoch: what Docker answers for a step
/// without a date.
const ZERO_TIME: i64 = -62_135_596_800;
