//! `GET /images/json`: the list and its filters.

use bollard_stubs::models::{
    ImageManifestSummary, ImageManifestSummaryImageData, ImageManifestSummaryImageDataSize,
    ImageManifestSummaryKindEnum, ImageManifestSummarySize, ImageSummary, OciDescriptor,
    OciPlatform,
};
use bollard_stubs::query_parameters::ListImagesOptions;
use dhow_image::image::{ImageRecord, Platformed as _, shared_sizes};
use dhow_image::{ImageStore, image};
use dhow_model::{Digest, Filters, Timestamp};

use super::pattern;
use super::pull::blocking;
use crate::{Error, LocalEngine, Result, clock};

/// What Docker's specification lets one filter by.
const FILTERS: &[&str] = &["before", "dangling", "label", "reference", "since", "until"];

impl LocalEngine {
    /// Images, newest first.
    pub async fn list_images(
        &self,
        options: Option<ListImagesOptions>,
    ) -> Result<Vec<ImageSummary>> {
        let options = options.unwrap_or_default();
        let filters = Filters::from_map(options.filters.clone().unwrap_or_default());
        filters.validate(FILTERS).map_err(Error::of)?;
        let store = self.shared.images.clone();
        let users = self.image_users();
        blocking(move || {
            let wanted = Wanted::read(&store, &filters)?;
            let images = store.images().map_err(Error::of)?;
            let shared = options.shared_size.then(|| shared_sizes(&images));
            let mut list = Vec::new();
            for image in &images {
                let children = store.children(&image.id).map_err(Error::of)?;
                let Some(mut summary) = wanted.summary(image, options.all, !children.is_empty())
                else {
                    continue;
                };
                if let Some(shared) = &shared {
                    let bytes = shared.get(&image.id).copied().unwrap_or(0);
                    summary.shared_size = signed(bytes);
                }
                summary.descriptor = descriptor(&store, image);
                if options.manifests {
                    let containers = users.iter().filter(|user| user.image == image.id);
                    let containers = containers.map(|user| user.container.clone()).collect();
                    summary.manifests = manifest_summary(&store, image, containers);
                }
                list.push(summary);
            }
            list.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
            Ok(list)
        })
        .await
    }
}

/// The filters, read once for all images.
struct Wanted<'a> {
    filters: &'a Filters,
    dangling: Option<bool>,
    before: Option<i64>,
    since: Option<i64>,
    until: Option<i64>,
    references: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn read(store: &ImageStore, filters: &'a Filters) -> Result<Self> {
        // Of several images the one that narrows most counts.
        let times = |key: &str| -> Result<Vec<i64>> {
            let times = filters.get(key).map(|name| {
                let image = store.get(name).map_err(Error::of)?;
                Ok(created(&image).unwrap_or(0))
            });
            times.collect()
        };
        let now = Timestamp::from_nanos(clock::now());
        let until = filters
            .get("until")
            .map(|text| Timestamp::parse_relative(text, now, 0))
            .collect::<Result<Vec<_>, _>>()
            .map_err(Error::of)?;
        let references: Vec<&str> = filters.get("reference").collect();
        for pattern in &references {
            pattern::check(pattern)?;
        }
        let dangling = match filters.contains("dangling") {
            true => Some(filters.boolean("dangling", false).map_err(Error::of)?),
            false => None,
        };
        Ok(Self {
            filters,
            dangling,
            before: times("before")?.into_iter().min(),
            since: times("since")?.into_iter().max(),
            until: until.into_iter().map(Timestamp::nanos).min(),
            references,
        })
    }

    /// What is shown of `image`, if it is shown.
    fn summary(&self, image: &ImageRecord, all: bool, has_children: bool) -> Option<ImageSummary> {
        let made = created(image).unwrap_or(0);
        let in_time = self.before.is_none_or(|before| made < before)
            && self.since.is_none_or(|since| made > since)
            && self.until.is_none_or(|until| made <= until);
        let labels = image.config.labels();
        if !in_time || !self.filters.matches_labels("label", &labels) {
            return None;
        }
        let (mut tags, mut digests) = (Vec::new(), Vec::new());
        for name in &image.names {
            let passes = self.references.is_empty()
                || self.references.iter().any(|pattern| {
                    pattern::matches(pattern, &name.familiar())
                        || pattern::matches(pattern, &name.familiar_name())
                });
            if passes {
                let list = match name.digest() {
                    Some(_) => &mut digests,
                    None => &mut tags,
                };
                list.push(name.familiar());
            }
        }
        if tags.is_empty() && digests.is_empty() {
            // Steps on the way to other images are shown to those who ask.
            let hidden = has_children && !all;
            if hidden || self.dangling == Some(false) || !self.references.is_empty() {
                return None;
            }
        } else if self.dangling == Some(true) && !tags.is_empty() {
            return None;
        }
        Some(ImageSummary {
            id: image.id.to_string(),
            parent_id: image
                .parent
                .as_ref()
                .map(Digest::to_string)
                .unwrap_or_default(),
            repo_tags: tags,
            repo_digests: digests,
            created: made.div_euclid(1_000_000_000),
            size: signed(image.size()),
            shared_size: -1,
            labels,
            containers: -1,
            manifests: None,
            descriptor: None,
        })
    }
}

/// When an image was made, in nanoseconds, if it says.
pub(super) fn created(image: &ImageRecord) -> Option<i64> {
    let text = image.config.created.as_deref()?;
    Timestamp::parse_optional(text).ok()?.map(Timestamp::nanos)
}

pub(super) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// What a push of the image would send as its manifest, where that is known
/// without compressing anything.
pub(super) fn descriptor(store: &ImageStore, image: &ImageRecord) -> Option<OciDescriptor> {
    let (digest, media_type) = image.manifest.as_ref()?;
    Some(OciDescriptor {
        media_type: Some(media_type.clone()),
        digest: Some(digest.to_string()),
        size: store.blob_size(digest).map(signed),
        ..OciDescriptor::default()
    })
}

/// The image's one manifest, as stores of many platforms tell it.
pub(super) fn manifest_summary(
    store: &ImageStore,
    image: &ImageRecord,
    containers: Vec<String>,
) -> Option<Vec<ImageManifestSummary>> {
    let descriptor = descriptor(store, image)?;
    let (digest, _) = image.manifest.as_ref()?;
    let manifest = image::Manifest::parse(&store.read_blob(digest).ok()?).ok()?;
    let blobs = std::iter::once(&manifest.config).chain(&manifest.layers);
    let content = signed(blobs.map(|blob| blob.size).sum());
    let unpacked = signed(image.size());
    let platform = image.platform();
    let text = |part: &str| (!part.is_empty()).then(|| part.to_owned());
    Some(vec![ImageManifestSummary {
        id: digest.to_string(),
        descriptor,
        available: true,
        size: ImageManifestSummarySize {
            total: content.saturating_add(unpacked),
            content,
        },
        kind: Some(ImageManifestSummaryKindEnum::IMAGE),
        image_data: Some(ImageManifestSummaryImageData {
            platform: OciPlatform {
                architecture: text(platform.architecture()),
                os: text(platform.os()),
                variant: text(platform.variant()),
                ..OciPlatform::default()
            },
            containers,
            size: ImageManifestSummaryImageDataSize { unpacked },
        }),
        attestation_data: None,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhow_image::image::{Config, LayerRecord};
    use dhow_model::reference::Reference;

    fn image(number: u8, names: &[&str]) -> ImageRecord {
        let digest: Digest = format!("sha256:{}", format!("{number:02x}").repeat(32))
            .parse()
            .unwrap();
        let config = format!(
            r#"{{"created":"2026-01-{number:02}T00:00:00Z","rootfs":{{}},
                "config":{{"Labels":{{"n":"{number}"}}}}}}"#
        );
        ImageRecord {
            id: digest.clone(),
            parent: None,
            added: 0,
            tagged: 0,
            config: Config::parse(config.as_bytes()).unwrap(),
            manifest: None,
            names: names
                .iter()
                .map(|n| Reference::parse_normalized(n).unwrap())
                .collect(),
            layers: vec![LayerRecord {
                diff_id: digest.clone(),
                chain_id: digest,
                size: 7,
            }],
        }
    }

    fn shown(filters: &str, image: &ImageRecord, all: bool, children: bool) -> Option<String> {
        let filters = Filters::from_json(filters).unwrap();
        let wanted = Wanted {
            filters: &filters,
            dangling: filters
                .contains("dangling")
                .then(|| filters.boolean("dangling", false).unwrap()),
            before: None,
            since: None,
            until: None,
            references: filters.get("reference").collect(),
        };
        let summary = wanted.summary(image, all, children)?;
        Some(summary.repo_tags.join(" "))
    }

    #[test]
    fn filters_are_dockers() {
        let digest = format!("host:5000/a/b@sha256:{}", "1".repeat(64));
        let named = image(1, &["app:1", "app:2", "host:5000/a/b:x", &digest]);
        let only_digest = image(2, &[&digest]);
        let nameless = image(3, &[]);
        let some = |text: &str| Some(text.to_owned());

        assert_eq!(
            shown("{}", &named, false, true),
            some("app:1 app:2 host:5000/a/b:x")
        );
        assert_eq!(shown("{}", &nameless, false, false), some(""));
        assert_eq!(shown("{}", &nameless, false, true), None);
        assert_eq!(shown("{}", &nameless, true, true), some(""));

        let dangling = r#"{"dangling":["true"]}"#;
        assert_eq!(shown(dangling, &named, false, false), None);
        assert_eq!(shown(dangling, &only_digest, false, false), some(""));
        assert_eq!(shown(dangling, &nameless, false, false), some(""));
        let tagged = r#"{"dangling":["false"]}"#;
        assert_eq!(shown(tagged, &nameless, false, false), None);

        let reference = |pattern: &str| format!(r#"{{"reference":["{pattern}"]}}"#);
        assert_eq!(
            shown(&reference("app"), &named, false, false),
            some("app:1 app:2")
        );
        assert_eq!(
            shown(&reference("app:*"), &named, false, false),
            some("app:1 app:2")
        );
        assert_eq!(
            shown(&reference("*:2"), &named, false, false),
            some("app:2")
        );
        assert_eq!(
            shown(&reference("*/a/*"), &named, false, false),
            some("host:5000/a/b:x")
        );
        assert_eq!(shown(&reference("other"), &named, false, false), None);

        assert!(shown(r#"{"label":["n=1"]}"#, &named, false, false).is_some());
        assert!(shown(r#"{"label":["n=2"]}"#, &named, false, false).is_none());
    }
}
