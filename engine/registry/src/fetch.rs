//! Fetching manifests, configs and lists of tags: whole, bounded, verified.

use bytes::Bytes;
use dhow_model::Digest;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method};
use reqwest::{Response, Url};
use serde::Deserialize;

use crate::error::Error;
use crate::failure::Failure;
use crate::manifest::{Descriptor, FetchedManifest, digest_of, media_type, parse};
use crate::remote::Remote;
use crate::repository::Target;
use crate::transport::{Outgoing, redacted};

/// The longest manifest or config that is read, as registries themselves have it.
const LIMIT: u64 = 4 * 1024 * 1024;
const DOCKER_CONTENT_DIGEST: &str = "docker-content-digest";

impl Remote {
    /// What `target` points at, without fetching it. `None` if the registry
    /// says only that it is there.
    pub async fn head_manifest(&self, target: &Target) -> Result<Option<Descriptor>, Error> {
        self.each(|source| self.head_at(source, target))
            .await
            .map_err(|error| self.pull_error(error, target))
    }

    /// The manifest or index `target` points at.
    pub async fn manifest(&self, target: &Target) -> Result<FetchedManifest, Error> {
        self.each(|source| self.manifest_at(source, target))
            .await
            .map_err(|error| self.pull_error(error, target))
    }

    /// The config `descriptor` names: whole, verified.
    pub async fn config(&self, descriptor: &Descriptor) -> Result<Bytes, Error> {
        if descriptor.size > LIMIT {
            return Err(Error::TooLarge {
                what: format!("image config {}", descriptor.digest),
                limit: LIMIT,
            });
        }
        let mut stream = self.blob(descriptor, 0);
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next_chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        if digest_of(&bytes) != descriptor.digest {
            return Err(Error::ConfigMismatch(descriptor.digest.clone()));
        }
        Ok(bytes.into())
    }

    /// The repository's tags, all pages of the list.
    pub async fn tags(&self) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Page {
            tags: Option<Vec<String>>,
        }
        const PAGES: usize = 1000;
        let nothing = Target::Tag("latest".to_owned());
        self.each(|source| async move {
            let mut tags = Vec::new();
            let path = format!("{}/tags/list", self.repository().path());
            let mut response = self.call(source, &path, Outgoing::get).await?;
            for _ in 0..PAGES {
                response = self.transport().success(response).await?;
                let next = next_page(&response);
                let body = self
                    .transport()
                    .body(&mut response, LIMIT, "list of tags")
                    .await?;
                let page: Page = serde_json::from_slice(&body)
                    .map_err(|_| self.malformed(&response, "no list of tags in the answer"))?;
                tags.extend(page.tags.unwrap_or_default());
                let Some(next) = next else { break };
                // The next page must be the same server's.
                if next.origin() != response.url().origin() {
                    break;
                }
                response = self
                    .call_url(source, || Outgoing::get(next.clone()), &[])
                    .await?;
            }
            Ok(tags)
        })
        .await
        .map_err(|error| self.pull_error(error, &nothing))
    }

    pub(crate) async fn head_at(
        &self,
        source: usize,
        target: &Target,
    ) -> Result<Option<Descriptor>, Error> {
        let path = format!("{}/manifests/{target}", self.repository().path());
        let response = self
            .call(source, &path, |url| accepting(Method::HEAD, url))
            .await?;
        if !response.status().is_success() {
            // A HEAD has no body to say why; a GET does.
            return match self.manifest_at(source, target).await {
                Ok(fetched) => Ok(Some(fetched.descriptor)),
                Err(error) => Err(error),
            };
        }
        let headers = response.headers();
        let digest = content_digest(headers);
        let media_type = content_type(headers);
        let size = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let (Some(digest), Some(media_type), Some(size)) = (digest, media_type, size) else {
            return Ok(None);
        };
        match target {
            Target::Digest(wanted) if *wanted != digest => {
                Err(Error::ManifestMismatch(wanted.clone()))
            }
            _ => Ok(Some(Descriptor::new(&media_type, digest, size))),
        }
    }

    pub(crate) async fn manifest_at(
        &self,
        source: usize,
        target: &Target,
    ) -> Result<FetchedManifest, Error> {
        let path = format!("{}/manifests/{target}", self.repository().path());
        let response = self
            .call(source, &path, |url| accepting(Method::GET, url))
            .await?;
        let mut response = self.transport().success(response).await?;
        let bytes = self
            .transport()
            .body(&mut response, LIMIT, "manifest")
            .await?;
        let digest = digest_of(&bytes);
        let promised = match target {
            Target::Digest(digest) => Some(digest.clone()),
            Target::Tag(_) => content_digest(response.headers()),
        };
        if let Some(promised) = promised.filter(|promised| *promised != digest) {
            return Err(Error::ManifestMismatch(promised));
        }
        let media_type = content_type(response.headers()).unwrap_or_default();
        let reference = match target {
            Target::Tag(tag) => format!("{}:{tag}", self.repository()),
            Target::Digest(digest) => format!("{}@{digest}", self.repository()),
        };
        let (media_type, manifest) = parse(&media_type, &bytes, &digest, &reference)?;
        Ok(FetchedManifest {
            descriptor: Descriptor::new(&media_type, digest, bytes.len() as u64),
            bytes,
            manifest,
        })
    }

    fn malformed(&self, response: &Response, what: &'static str) -> Error {
        Error::Request {
            method: "Get",
            url: redacted(response.url()),
            failure: Failure::Malformed(what),
        }
    }
}

fn accepting(method: Method, url: Url) -> Outgoing {
    let types = [
        media_type::OCI_INDEX,
        media_type::DOCKER_LIST,
        media_type::OCI_MANIFEST,
        media_type::DOCKER_MANIFEST,
        // Asked for so that it can be refused by name.
        media_type::DOCKER_SCHEMA1[1],
    ];
    types
        .iter()
        .fold(Outgoing::new(method, url), |outgoing, t| {
            outgoing.header(ACCEPT, t)
        })
}

fn content_digest(headers: &HeaderMap) -> Option<Digest> {
    headers
        .get(DOCKER_CONTENT_DIGEST)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let value = value.split(';').next().unwrap_or_default().trim();
    Some(value.to_ascii_lowercase())
}

/// The address in a `Link: <…>; rel="next"` header.
fn next_page(response: &Response) -> Option<Url> {
    let link = response.headers().get(http::header::LINK)?.to_str().ok()?;
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("next")
        .then(|| response.url().join(address).ok())?
}
