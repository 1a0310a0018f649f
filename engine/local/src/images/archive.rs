//! `GET /images/get` and `POST /images/load`.

use bollard_stubs::query_parameters::{ExportImagesOptions, ImportImageOptions};
use dhow_image::archive::Loaded;
use dhow_model::Platform;

use super::Progress;
use super::inspect::{find, read_platform};
use super::progress::reporting;
use super::pull::blocking;
use crate::stream::{produce, reader};
use crate::{ByteStream, Error, JsonStream, LocalEngine, Result};

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
