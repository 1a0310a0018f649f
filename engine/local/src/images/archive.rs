//! `GET /images/get`, `POST /images/load`, and the import half of
//! `POST /images/create`.

use bollard_stubs::query_parameters::{
    CreateImageOptions, ExportImagesOptions, ImportImageOptions,
};
use dhow_image::archive::{ImportSpec, Loaded};
use dhow_model::{ErrorKind, Platform};

use super::inspect::{find, read_platform};
use super::names::optional_reference;
use super::progress::reporting;
use super::pull::blocking;
use super::{Progress, instructions};
use crate::stream::{produce, reader};
use crate::{ByteStream, Error, JsonStream, LocalEngine, Result, clock};

impl LocalEngine {
    /// `docker save` of one or several names. What is not there is told before
    /// the first byte.
    pub async fn export_images(&self, options: ExportImagesOptions) -> Result<ByteStream> {
        let names = options.names.unwrap_or_default();
        if names.is_empty() {
            return Err(Error::invalid("no images to save were named"));
        }
        let platforms = options.platform.unwrap_or_default();
        let engine = self.clone();
        let plan = blocking(move || {
            for platform in &platforms {
                read_platform(platform)?;
                for name in &names {
                    find(&engine.shared.images, name, Some(platform))?;
                }
            }
            let plan = engine.shared.images.save(&names).map_err(Error::of)?;
            for id in plan.ids() {
                engine.image_changed("save", id, id.as_str());
            }
            Ok(plan)
        })
        .await?;
        Ok(produce(move |out| plan.write(out).map_err(Error::of)))
    }

    /// `docker load`.
    pub async fn import_image(
        &self,
        options: ImportImageOptions,
        quiet: bool,
        archive: ByteStream,
    ) -> Result<JsonStream<Progress>> {
        let platforms = options.platform.unwrap_or_default();
        let platforms = platforms.iter().map(|text| read_platform(text));
        let platforms: Vec<Platform> = platforms.collect::<Result<_>>()?;
        let engine = self.clone();
        let mut archive = reader(archive);
        Ok(reporting(move |report| async move {
            let telling = report.clone();
            let loaded = blocking({
                let engine = engine.clone();
                move || {
                    let mut progress = |step: dhow_image::archive::LoadProgress| {
                        if !quiet {
                            let id = step.layer.get(..12).unwrap_or(&step.layer);
                            telling.bytes(id, "Loading layer", step.current, step.total);
                        }
                    };
                    let loaded = engine.shared.images.load(&mut archive, &mut progress);
                    let loaded = loaded.map_err(Error::of)?;
                    for image in &loaded {
                        for platform in &platforms {
                            let json = platform.to_string();
                            find(&engine.shared.images, image.id.as_str(), Some(&json))?;
                        }
                    }
                    Ok(loaded)
                }
            })
            .await?;
            for image in &loaded {
                engine.image_changed("load", &image.id, image.id.as_str());
                for line in told(image) {
                    report
                        .tell(Progress {
                            stream: Some(line),
                            ..Progress::default()
                        })
                        .await;
                }
            }
            Ok(())
        }))
    }

    /// `from_src` set: `docker import` of `archive` (`-`). Fetching a tree
    /// from a URL is left to the caller, who has the tools and the trust.
    pub async fn import_archive(
        &self,
        options: CreateImageOptions,
        archive: ByteStream,
    ) -> Result<JsonStream<Progress>> {
        let source = options.from_src.unwrap_or_default();
        if source != "-" {
            return Err(Error::new(
                ErrorKind::NotImplemented,
                format!("cannot import from {source}: send the archive itself (fromSrc=-)"),
            ));
        }
        let platform = match options.platform.as_str() {
            "" => Platform::host(),
            text => text.parse().map_err(Error::of)?,
        };
        let name = optional_reference(options.repo.as_deref(), options.tag.as_deref())?;
        let mut config = Default::default();
        instructions::apply(&mut config, &options.changes.join("\n"))?;
        let spec = ImportSpec {
            config: instructions::image_config(&config)?,
            message: options
                .message
                .filter(|message| !message.is_empty())
                .unwrap_or_else(|| format!("Imported from {source}")),
            created: clock::rfc3339(clock::now()),
            os: platform.os().to_owned(),
            architecture: platform.architecture().to_owned(),
            variant: platform.variant().to_owned(),
            names: name.into_iter().collect(),
        };
        let engine = self.clone();
        let mut archive = reader(archive);
        Ok(reporting(move |report| async move {
            let id = blocking({
                let engine = engine.clone();
                move || {
                    let store = &engine.shared.images;
                    store.import(&spec, &mut archive).map_err(Error::of)
                }
            })
            .await?;
            engine.image_changed("import", &id, id.as_str());
            report.tell(Progress::message(None, id.as_str())).await;
            Ok(())
        }))
    }
}

/// What is said of a loaded image.
fn told(image: &Loaded) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, old) in &image.renamed {
        lines.push(format!(
            "The image {} already exists, renaming the old one with ID {old} to empty string\n",
            name.familiar()
        ));
    }
    for name in &image.names {
        lines.push(format!("Loaded image: {}\n", name.familiar()));
    }
    if image.names.is_empty() {
        lines.push(format!("Loaded image ID: {}\n", image.id));
    }
    lines
}
