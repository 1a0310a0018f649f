//! Pushing: the layers that the registry lacks, then the manifest, under one
//! tag or all.

use std::collections::BTreeSet;
use std::io;
use std::io::{Seek as _, SeekFrom};
use std::sync::Arc;

use bollard_stubs::query_parameters::PushImageOptions;
use bytes::Bytes;
use dhow_image::archive::PushPlan;
use dhow_image::image::NewImage;
use dhow_image::{ImageStore, Lease};
use dhow_model::{Digest, reference::Reference};
use dhow_registry::{
    Access, BlobPush, Descriptor, Pushed, Remote, Repository, Target, UploadSource,
};
use futures_util::future::BoxFuture;
use tokio::io::AsyncRead;
use tokio::sync::Semaphore;

use super::progress::{Report, reporting};
use super::pull::{blocking, failed};
use super::{Progress, RegistryAuth};
use crate::{Error, JsonStream, LocalEngine, Result};

/// How many other repositories are named to the registry as having a layer.
const CANDIDATES: usize = 3;

/// One push: from where, to where.
#[derive(Clone)]
pub(crate) struct Push {
    pub store: ImageStore,
    pub remote: Remote,
    /// Layers sent at once.
    pub layers_at_once: usize,
}

/// A blob of the store, to be sent.
struct StoredBlob {
    store: ImageStore,
    digest: Digest,
}

impl LocalEngine {
    /// Pushes the image called `name` with the tag of the options, or all tags
    /// of that repository where there is none.
    pub async fn push_image(
        &self,
        name: &str,
        options: PushImageOptions,
        auth: RegistryAuth,
    ) -> Result<JsonStream<Progress>> {
        let mut reference = super::pull::parse(name)?;
        if reference.digest().is_some() {
            return Err(Error::invalid("cannot push a digest reference"));
        }
        if let Some(tag) = options.tag.as_deref().filter(|tag| !tag.is_empty()) {
            reference = reference.with_tag(tag).map_err(Error::of)?;
        }
        let engine = self.clone();
        Ok(reporting(|report| async move {
            let repository = reference.name();
            report
                .tell(Progress::message(
                    None,
                    format!("The push refers to repository [{repository}]"),
                ))
                .await;
            let store = engine.shared.images.clone();
            let tagged = {
                let (store, reference) = (store.clone(), reference.clone());
                blocking(move || tagged(&store, &reference)).await?
            };
            let remote = engine
                .shared
                .registry
                .remote(
                    Repository::of(&reference),
                    auth.unwrap_or_default(),
                    Access::Push,
                )
                .await
                .map_err(failed)?;
            let push = Push {
                store,
                remote,
                layers_at_once: engine.config().registries.max_concurrent_uploads,
            };
            for (reference, id) in tagged {
                push.one(&reference, &id, &report).await?;
                engine.image_event("push", &reference);
            }
            Ok(())
        }))
    }
}

impl Push {
    /// Pushes image `id` under the tag of `reference`.
    pub(crate) async fn one(
        &self,
        reference: &Reference,
        id: &Digest,
        report: &Report,
    ) -> Result<()> {
        let lease = Arc::new(self.store.lease());
        let plan = {
            let (store, lease, id) = (self.store.clone(), lease.clone(), id.clone());
            blocking(move || held_plan(&store, &lease, &id)).await?
        };
        self.layers(reference, &plan, report).await?;
        let config = Descriptor::new(
            &plan.config.media_type,
            plan.config.digest.clone(),
            plan.config.size,
        );
        self.blob(&config, &[], Arc::new(|_| {})).await?;
        let Some(tag) = reference.tag() else {
            return Err(Error::invalid("a push needs a tag"));
        };
        let bytes = Bytes::from(plan.manifest.data.clone());
        let size = bytes.len();
        let digest = self
            .remote
            .push_manifest(
                &Target::Tag(tag.to_owned()),
                &plan.manifest.media_type,
                &bytes,
            )
            .await
            .map_err(failed)?;
        self.remember(reference, id, plan, lease).await?;
        report
            .tell(Progress::message(
                None,
                format!("{tag}: digest: {digest} size: {size}"),
            ))
            .await;
        let aux = serde_json::json!({ "Tag": tag, "Digest": digest.as_str(), "Size": size });
        report.tell(Progress::result(aux)).await;
        Ok(())
    }

    async fn layers(&self, reference: &Reference, plan: &PushPlan, report: &Report) -> Result<()> {
        let turns = Arc::new(Semaphore::new(self.layers_at_once.max(1)));
        let mut tasks = tokio::task::JoinSet::new();
        let mut seen = BTreeSet::new();
        let candidates = {
            let (store, reference) = (self.store.clone(), reference.clone());
            let diff_ids = plan.diff_ids.clone();
            blocking(move || candidates(&store, &reference, &diff_ids)).await?
        };
        let layers = plan.layers.iter().zip(&plan.diff_ids).zip(candidates);
        // The topmost first, as Docker lists them.
        for ((layer, diff_id), candidates) in layers.rev() {
            let descriptor = Descriptor::new(&layer.media_type, layer.digest.clone(), layer.size);
            if !seen.insert(layer.digest.clone()) {
                continue;
            }
            let id = diff_id.short().to_owned();
            report.tell(Progress::step(&id, "Preparing")).await;
            if descriptor.is_foreign() {
                report
                    .tell(Progress::step(&id, "Skipped foreign layer"))
                    .await;
                continue;
            }
            let (push, turns, report) = (self.clone(), turns.clone(), report.clone());
            tasks.spawn(async move {
                let turn = match turns.clone().try_acquire_owned() {
                    Ok(turn) => Ok(turn),
                    Err(_) => {
                        report.tell(Progress::step(&id, "Waiting")).await;
                        turns.acquire_owned().await
                    }
                };
                let result = push.layer(&descriptor, &id, &candidates, &report).await;
                drop(turn);
                result
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    }

    async fn layer(
        &self,
        descriptor: &Descriptor,
        id: &str,
        candidates: &[String],
        report: &Report,
    ) -> Result<()> {
        let total = descriptor.size;
        let (told, name) = (report.clone(), id.to_owned());
        let progress = Arc::new(move |sent| told.bytes(&name, "Pushing", sent, total));
        let status = match self.blob(descriptor, candidates, progress).await? {
            Pushed::Exists => "Layer already exists".to_owned(),
            Pushed::Mounted(from) => format!("Mounted from {from}"),
            Pushed::Uploaded => "Pushed".to_owned(),
        };
        report.tell(Progress::step(id, &status)).await;
        Ok(())
    }

    async fn blob(
        &self,
        descriptor: &Descriptor,
        mount_from: &[String],
        progress: Arc<dyn Fn(u64) + Send + Sync>,
    ) -> Result<Pushed> {
        let source = StoredBlob {
            store: self.store.clone(),
            digest: descriptor.digest.clone(),
        };
        let push = BlobPush {
            descriptor,
            source: &source,
            mount_from,
            progress,
        };
        self.remote.push_blob(&push).await.map_err(failed)
    }

    /// Keeps the manifest that was pushed, and the digest as a name of the
    /// image: pulling it back then finds that it is here.
    async fn remember(
        &self,
        reference: &Reference,
        id: &Digest,
        plan: PushPlan,
        lease: Arc<Lease>,
    ) -> Result<()> {
        let store = self.store.clone();
        let (name, id) = (reference.with_digest(plan.digest.clone()), id.clone());
        blocking(move || {
            let config = store.read_blob(&id).map_err(Error::of)?;
            store
                .commit_image(
                    &lease,
                    &NewImage {
                        config: &config,
                        manifest: Some(&plan.manifest),
                        names: &[name],
                        ..NewImage::default()
                    },
                )
                .map_err(Error::of)?;
            Ok(())
        })
        .await
    }
}

impl UploadSource for StoredBlob {
    fn open(&self, offset: u64) -> BoxFuture<'_, io::Result<Box<dyn AsyncRead + Send + Unpin>>> {
        let (store, digest) = (self.store.clone(), self.digest.clone());
        Box::pin(async move {
            let opened = tokio::task::spawn_blocking(move || {
                let mut file = store.open_blob(&digest).map_err(io::Error::other)?;
                file.seek(SeekFrom::Start(offset))?;
                io::Result::Ok(file)
            });
            let mut file = tokio::fs::File::from_std(opened.await.map_err(io::Error::other)??);
            file.set_max_buf_size(256 * 1024);
            Ok(Box::new(file) as Box<dyn AsyncRead + Send + Unpin>)
        })
    }
}

/// The images to push and their names: the one tag, or every tag of the
/// repository. Docker's texts where there is none.
fn tagged(store: &ImageStore, reference: &Reference) -> Result<Vec<(Reference, Digest)>> {
    if reference.tag().is_some() {
        let id = store.named(reference).map_err(Error::of)?;
        let id = id.ok_or_else(|| {
            let name = reference.familiar();
            Error::not_found(if is_known(store, reference) {
                format!("tag does not exist: {name}")
            } else {
                format!(
                    "An image does not exist locally with the tag: {}",
                    reference.familiar_name()
                )
            })
        })?;
        return Ok(vec![(reference.clone(), id)]);
    }
    let mut found = Vec::new();
    for image in store.images().map_err(Error::of)? {
        for name in image.names {
            if name.name() == reference.name() && name.tag().is_some() {
                found.push((name, image.id.clone()));
            }
        }
    }
    if found.is_empty() {
        return Err(Error::not_found(format!(
            "An image does not exist locally with the tag: {}",
            reference.familiar_name()
        )));
    }
    found.sort_by_key(|(name, _)| name.familiar());
    Ok(found)
}

/// Whether any image has a name in the repository of `reference`.
fn is_known(store: &ImageStore, reference: &Reference) -> bool {
    let images = store.images().unwrap_or_default();
    let mut names = images.iter().flat_map(|image| &image.names);
    names.any(|name| name.name() == reference.name())
}

/// What is to be sent, kept from being collected as long as the lease lives.
fn held_plan(store: &ImageStore, lease: &Lease, id: &Digest) -> Result<PushPlan> {
    let plan = store.push_plan(id).map_err(Error::of)?;
    lease.hold(&plan.digest);
    lease.hold(&plan.config.digest);
    for layer in &plan.layers {
        lease.hold(&layer.digest);
    }
    for diff_id in &plan.diff_ids {
        lease.hold(diff_id);
    }
    Ok(plan)
}

/// For each layer, other repositories of the same registry whose images here
/// have it: they were pulled from there or pushed to there.
fn candidates(
    store: &ImageStore,
    reference: &Reference,
    diff_ids: &[Digest],
) -> Result<Vec<Vec<String>>> {
    let mut found = vec![BTreeSet::new(); diff_ids.len()];
    for image in store.images().map_err(Error::of)? {
        let repositories = image.names.iter().filter(|name| {
            // A digest among the names says that the registry really had it.
            name.digest().is_some()
                && name.domain() == reference.domain()
                && name.path() != reference.path()
        });
        let repositories: BTreeSet<_> = repositories.map(|name| name.path().to_owned()).collect();
        for (diff_id, found) in diff_ids.iter().zip(&mut found) {
            if image.layers.iter().any(|layer| layer.diff_id == *diff_id) {
                found.extend(repositories.iter().cloned());
            }
        }
    }
    let some = |found: BTreeSet<String>| found.into_iter().take(CANDIDATES).collect();
    Ok(found.into_iter().map(some).collect())
}

#[cfg(test)]
mod tests;
