//! The import half of `POST /images/create`: an archive of a tree, out of the
//! request or from the web, becomes an image of one layer.

use bollard_stubs::query_parameters::CreateImageOptions;
use dhow_image::archive::ImportSpec;
use dhow_model::{Platform, error::chain};
use dhow_registry::{Download, Failure, shown_address};
use futures_util::{StreamExt as _, stream};

use super::names::optional_reference;
use super::progress::{Report, reporting};
use super::pull::{blocking, failed};
use super::{Progress, instructions};
use crate::stream::reader;
use crate::{ByteStream, Error, JsonStream, LocalEngine, Result, clock};

/// The source that means the request's own body.
const BODY: &str = "-";

impl LocalEngine {
    /// `from_src` set: `docker import`, of `body` where the source is `-`, else
    /// of what lies at that address. What can be told before the first byte of
    /// the archive is an error of the call.
    pub async fn import_archive(
        &self,
        options: CreateImageOptions,
        body: ByteStream,
    ) -> Result<JsonStream<Progress>> {
        let source = options.from_src.as_deref().unwrap_or_default();
        let spec = spec(&options, source)?;
        let download = match source {
            BODY => None,
            address => {
                let found = self.shared.registry.download(address).await;
                Some((found.map_err(fetch_failed)?, shown(address)?))
            }
        };
        let engine = self.clone();
        Ok(reporting(move |report| async move {
            let archive = match download {
                None => body,
                Some((download, address)) => {
                    let from = format!("Downloading from {address}");
                    report.tell(Progress::message(None, from)).await;
                    told(download, report.clone())
                }
            };
            let mut archive = reader(archive);
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

/// What the image will be, as far as the options say.
fn spec(options: &CreateImageOptions, source: &str) -> Result<ImportSpec> {
    let platform = match options.platform.as_str() {
        "" => Platform::host(),
        text => text.parse().map_err(Error::of)?,
    };
    let name = optional_reference(options.repo.as_deref(), options.tag.as_deref())?;
    let mut config = Default::default();
    instructions::apply(&mut config, &options.changes.join("\n"))?;
    let message = options.message.as_deref().filter(|text| !text.is_empty());
    Ok(ImportSpec {
        config: instructions::image_config(&config)?,
        message: match message {
            Some(message) => message.to_owned(),
            None => format!("Imported from {}", noted(source)?),
        },
        created: clock::rfc3339(clock::now()),
        os: platform.os().to_owned(),
        architecture: platform.architecture().to_owned(),
        variant: platform.variant().to_owned(),
        names: name.into_iter().collect(),
    })
}

/// The source as the image's history keeps it: as it was given, but without
/// passwords and signatures, which whoever gets the image would read.
fn noted(source: &str) -> Result<String> {
    match source {
        source if source.contains(['@', '?', '#']) => shown(source),
        source => Ok(source.to_owned()),
    }
}

fn shown(address: &str) -> Result<String> {
    shown_address(address).map_err(fetch_failed)
}

/// An error of the web server as Docker answers it: unlike a registry's, its
/// own status counts, and so does a host that is nowhere.
fn fetch_failed(error: dhow_registry::Error) -> Error {
    match &error {
        dhow_registry::Error::Request {
            failure: Failure::Lookup { .. },
            ..
        } => Error::not_found(chain(&error)),
        _ => Error::of(error),
    }
}

/// The bytes of `download`, with `report` told how far they are.
fn told(download: Download, report: Report) -> ByteStream {
    let total = download.length().unwrap_or(0);
    let begin = (download, report, 0u64);
    stream::unfold(Some(begin), move |state| async move {
        let (mut download, report, mut at) = state?;
        match download.next_chunk().await {
            Ok(Some(bytes)) => {
                at += bytes.len() as u64;
                report.bytes("", "Importing", at, total);
                Some((Ok(bytes), Some((download, report, at))))
            }
            Ok(None) => {
                report
                    .tell(Progress::bytes("", "Importing", at, total))
                    .await;
                None
            }
            Err(error) => Some((Err(failed(error)), None)),
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_keeps_no_secrets() {
        let check = |source: &str, expected: &str| {
            assert_eq!(noted(source).unwrap(), expected);
        };
        check("-", "-");
        check("host/tree.tar", "host/tree.tar");
        check("http://host/tree.tar", "http://host/tree.tar");
        check("http://me:secret@host/tree.tar", "http://host/tree.tar");
        check("https://host/tree.tar?sig=secret", "https://host/tree.tar");
    }
}
