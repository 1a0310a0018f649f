//! Pulling: from a name to an image in the store, layers in parallel, straight
//! from the network into unpacked directories.

mod layer;

use std::sync::Arc;

use bollard_stubs::models::EventMessageTypeEnum;
use bollard_stubs::query_parameters::CreateImageOptions;
use dhow_image::image::{Document, NewImage, Platformed as _};
use dhow_image::{ImageStore, Lease};
use dhow_model::{Digest, ErrorKind, HasKind as _, Platform, error::chain, reference::Reference};
use dhow_registry::{
    Access, FetchedManifest, ImageConfig, ImageManifest, Manifest, Remote, Repository, Target,
    choose,
};

use self::layer::LayerPull;
use super::progress::{Report, reporting};
use super::{Progress, RegistryAuth};
use crate::{Error, JsonStream, LocalEngine, Result};

/// Indexes may hold indexes; a chain of more is a circle or a joke.
const DEPTH: usize = 4;

/// One pull: where from, where to, and for what machine.
#[derive(Clone)]
pub(crate) struct Pull {
    pub store: ImageStore,
    pub remote: Remote,
    /// What was asked for, if anything was.
    pub platform: Option<Platform>,
    /// Layers fetched at once.
    pub layers_at_once: usize,
}

/// What a tag or digest was found to point at.
pub(crate) struct Found {
    digest: Digest,
    /// The manifest, where finding it needed fetching it.
    fetched: Option<FetchedManifest>,
}

impl LocalEngine {
    /// `from_image` set: a pull. Errors found before the first byte (bad
    /// reference, manifest unknown, access denied) come from the call; later
    /// ones as the last `Progress` with `error` set. Dropping the stream
    /// cancels the pull.
    pub async fn create_image(
        &self,
        options: CreateImageOptions,
        auth: RegistryAuth,
    ) -> Result<JsonStream<Progress>> {
        let reference = asked(&options)?;
        if reference.familiar_name() == "scratch" {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "'scratch' is a reserved name",
            ));
        }
        let platform = match options.platform.as_str() {
            "" => None,
            text => Some(text.parse::<Platform>().map_err(Error::of)?),
        };
        let repository = Repository::of(&reference);
        let remote = self
            .shared
            .registry
            .remote(repository, auth.unwrap_or_default(), Access::Pull)
            .await
            .map_err(failed)?;
        let pull = Pull {
            store: self.shared.images.clone(),
            remote,
            platform,
            layers_at_once: self.config().registries.max_concurrent_downloads,
        };
        let engine = self.clone();
        // Found before the stream begins, so that errors have their status.
        let wanted = match Target::of(&reference) {
            Some(target) => vec![(reference.clone(), pull.find(&target).await?)],
            None => pull.find_all(&reference).await?,
        };
        Ok(reporting(|report| async move {
            let mut newer = false;
            for (reference, found) in wanted {
                newer |= pull.one(&reference, found, &report).await?;
                engine.image_event("pull", &reference);
            }
            report
                .tell(Progress::message(
                    None,
                    format!(
                        "Status: {} for {}",
                        if newer {
                            "Downloaded newer image"
                        } else {
                            "Image is up to date"
                        },
                        reference.familiar()
                    ),
                ))
                .await;
            Ok(())
        }))
    }

    /// `action` was done with what `reference` names.
    pub(super) fn image_event(&self, action: &str, reference: &Reference) {
        self.daemon_event(
            EventMessageTypeEnum::IMAGE,
            action,
            &reference.familiar(),
            &[("name", &reference.familiar_name())],
        );
    }
}

impl Pull {
    /// What `target` points at now.
    pub(crate) async fn find(&self, target: &Target) -> Result<Found> {
        if let Some(descriptor) = self.remote.head_manifest(target).await.map_err(failed)? {
            return Ok(Found {
                digest: descriptor.digest,
                fetched: None,
            });
        }
        let fetched = self.remote.manifest(target).await.map_err(failed)?;
        Ok(Found {
            digest: fetched.descriptor.digest.clone(),
            fetched: Some(fetched),
        })
    }

    /// Every tag of the repository, in order.
    async fn find_all(&self, repository: &Reference) -> Result<Vec<(Reference, Found)>> {
        let mut tags = self.remote.tags().await.map_err(failed)?;
        tags.sort();
        let mut wanted = Vec::new();
        for tag in tags {
            // A registry may hold tags that no reference can have.
            let Ok(reference) = repository.with_tag(&tag) else {
                continue;
            };
            wanted.push((reference, self.find(&Target::Tag(tag)).await?));
        }
        Ok(wanted)
    }

    /// Pulls what was found under `reference`; whether that changed anything.
    pub(crate) async fn one(
        &self,
        reference: &Reference,
        found: Found,
        report: &Report,
    ) -> Result<bool> {
        let Some(target) = Target::of(reference) else {
            return Err(Error::invalid("a pull needs a tag or a digest"));
        };
        let name = target.to_string();
        let from = format!("Pulling from {}", reference.path());
        report.tell(Progress::message(Some(&name), from)).await;
        let digest = found.digest.clone();
        let newer = if self.is_up_to_date(reference, &digest).await? {
            false
        } else {
            self.fetch(reference, found, report).await?
        };
        report
            .tell(Progress::message(None, format!("Digest: {digest}")))
            .await;
        Ok(newer)
    }

    /// Whether `reference` and its digest name the same image here already,
    /// for the platform asked for.
    async fn is_up_to_date(&self, reference: &Reference, digest: &Digest) -> Result<bool> {
        let (store, wanted) = (self.store.clone(), self.wanted());
        let (by_name, by_digest) = (reference.clone(), reference.with_digest(digest.clone()));
        blocking(move || {
            let named = store.named(&by_name).map_err(Error::of)?;
            let Some(id) = store.named(&by_digest).map_err(Error::of)? else {
                return Ok(false);
            };
            if named.as_ref() != Some(&id) {
                return Ok(false);
            }
            let image = store.image(&id).map_err(Error::of)?;
            Ok(wanted.rank(&image.platform()).is_some())
        })
        .await
    }

    async fn fetch(&self, reference: &Reference, found: Found, report: &Report) -> Result<bool> {
        let top = Target::Digest(found.digest.clone());
        let mut fetched = match found.fetched {
            Some(fetched) => fetched,
            None => self.remote.manifest(&top).await.map_err(failed)?,
        };
        let mut indexes = Vec::new();
        let image = loop {
            match &fetched.manifest {
                Manifest::Image(image) => break image.clone(),
                Manifest::Index(index) => {
                    if indexes.len() == DEPTH {
                        return Err(Error::invalid("indexes are nested too deeply"));
                    }
                    let entry = choose(index, &self.wanted()).map_err(failed)?;
                    let next = Target::Digest(entry.digest.clone());
                    indexes.push(document(&fetched));
                    fetched = self.remote.manifest(&next).await.map_err(failed)?;
                }
            }
        };
        image.check_is_image().map_err(failed)?;
        let config_bytes = self.remote.config(&image.config).await.map_err(failed)?;
        let config = ImageConfig::parse(&config_bytes, &image.config.digest).map_err(failed)?;
        self.check_platform(reference, &config.platform.normalized())?;
        let diff_ids = config.rootfs.diff_ids;
        if diff_ids.len() != image.layers.len() {
            return Err(Error::system(
                "layers from manifest don't match image configuration",
            ));
        }

        let lease = Arc::new(self.store.lease());
        self.layers(&image, &diff_ids, &lease, report).await?;

        let (store, reference) = (self.store.clone(), reference.clone());
        let manifest = document(&fetched);
        blocking(move || {
            let before = store.named(&reference).map_err(Error::of)?;
            let by_digest = reference.with_digest(found.digest);
            let names = match reference.digest() {
                Some(_) => vec![by_digest],
                None => vec![reference, by_digest],
            };
            let id = store
                .commit_image(
                    &lease,
                    &NewImage {
                        config: &config_bytes,
                        manifest: Some(&manifest),
                        indexes: &indexes,
                        names: &names,
                        parent: None,
                    },
                )
                .map_err(Error::of)?;
            Ok(before != Some(id))
        })
        .await
    }

    /// All layers at once, as far as allowed. The first failure ends the others;
    /// what they had is kept for the next attempt.
    async fn layers(
        &self,
        image: &ImageManifest,
        diff_ids: &[Digest],
        lease: &Arc<Lease>,
        report: &Report,
    ) -> Result<()> {
        let turns = Arc::new(tokio::sync::Semaphore::new(self.layers_at_once.max(1)));
        let mut tasks = tokio::task::JoinSet::new();
        let mut seen = std::collections::HashSet::new();
        for (descriptor, diff_id) in image.layers.iter().zip(diff_ids) {
            // An image may have the same layer several times.
            if !seen.insert(diff_id) {
                continue;
            }
            let layer = LayerPull {
                store: self.store.clone(),
                remote: self.remote.clone(),
                lease: lease.clone(),
                descriptor: descriptor.clone(),
                diff_id: diff_id.clone(),
                report: report.clone(),
            };
            if layer.is_here().await? {
                layer.tell("Already exists").await;
                continue;
            }
            layer.tell("Pulling fs layer").await;
            let turns = turns.clone();
            tasks.spawn(async move {
                let turn = match turns.clone().try_acquire_owned() {
                    Ok(turn) => Ok(turn),
                    Err(_) => {
                        layer.tell("Waiting").await;
                        turns.acquire_owned().await
                    }
                };
                let result = layer.pull().await;
                drop(turn);
                result
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    }

    fn wanted(&self) -> Platform {
        self.platform.clone().unwrap_or_else(Platform::host)
    }

    /// Where the manifest offered no choice, the image may still be for another
    /// machine. That matters only where a person named one; without, it is
    /// warned of when the image is run.
    fn check_platform(&self, reference: &Reference, actual: &Platform) -> Result<()> {
        if actual.os() != "linux" {
            return Err(Error::invalid(format!(
                "image operating system {:?} cannot be used on this platform: \
                 operating system is not supported",
                actual.os()
            )));
        }
        match &self.platform {
            Some(wanted) if wanted.rank(actual).is_none() => Err(Error::not_found(format!(
                "image with reference {} was found but does not match the specified platform: \
                 wanted {wanted}, actual: {actual}",
                reference.familiar()
            ))),
            _ => Ok(()),
        }
    }
}

/// The reference that the parameters of a pull mean. The tag may be a digest.
fn asked(options: &CreateImageOptions) -> Result<Reference> {
    let name = options.from_image.as_deref().unwrap_or_default();
    // Clients of old send `name:`.
    let reference = parse(name.trim_end_matches(':'))?;
    match options.tag.as_deref() {
        None | Some("") => Ok(reference),
        Some(tag) if tag.contains(':') => {
            let digest = tag
                .parse()
                .map_err(|error: dhow_model::digest::InvalidDigest| {
                    Error::invalid(error.to_string())
                })?;
            Ok(reference.with_digest(digest))
        }
        Some(tag) => reference.with_tag(tag).map_err(Error::of),
    }
}

/// The reference that `name` is; Docker's text where it is none.
pub(super) fn parse(name: &str) -> Result<Reference> {
    Reference::parse_normalized(name).map_err(Error::of)
}

/// An error of the registry as Docker answers it to a pull or push: only what
/// isn't there and what makes no sense has a status of its own.
pub(super) fn failed(error: dhow_registry::Error) -> Error {
    let kind = match error.kind() {
        kind @ (ErrorKind::NotFound | ErrorKind::InvalidParameter) => kind,
        _ => ErrorKind::System,
    };
    Error::new(kind, chain(&error))
}

/// Runs what blocks on disk away from the threads that serve connections.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

fn document(fetched: &FetchedManifest) -> Document {
    Document {
        media_type: fetched.descriptor.media_type.clone(),
        data: fetched.bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests;
