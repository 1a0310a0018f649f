//! Pushing: blobs that the registry lacks, then the manifest.
//!
//! A blob is sent in one piece, as Docker does. Where the connection breaks,
//! the registry is asked how much it has, and the rest is sent.

use std::io::{self, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use dhow_model::Digest;
use futures_util::future::BoxFuture;
use futures_util::stream;
use http::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use http::{Method, StatusCode};
use reqwest::{Response, Url};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _};

use crate::blob::jittered;
use crate::error::Error;
use crate::failure::Failure;
use crate::manifest::{Descriptor, digest_of};
use crate::remote::Remote;
use crate::repository::Target;
use crate::transport::{Body, Outgoing, redacted};

/// Where the bytes of a push come from. They may be asked for again, from any
/// offset, when the connection breaks.
pub trait UploadSource: Send + Sync {
    /// The bytes from `offset` on.
    fn open(&self, offset: u64) -> BoxFuture<'_, io::Result<Box<dyn AsyncRead + Send + Unpin>>>;
}

/// A file to be pushed.
#[derive(Debug, Clone)]
pub struct FileSource(pub PathBuf);

/// A blob to be pushed.
pub struct BlobPush<'a> {
    /// Its digest and size.
    pub descriptor: &'a Descriptor,
    /// Its bytes.
    pub source: &'a dyn UploadSource,
    /// Repositories of the same registry that are believed to have it.
    pub mount_from: &'a [String],
    /// Called with the bytes sent so far.
    pub progress: Arc<dyn Fn(u64) + Send + Sync>,
}

/// How a pushed blob came to be in its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// It was there.
    Exists,
    /// It was taken over from this repository.
    Mounted(String),
    /// It was sent.
    Uploaded,
}

const CHUNK: usize = 256 * 1024;
const OCTETS: &str = "application/octet-stream";

impl UploadSource for FileSource {
    fn open(&self, offset: u64) -> BoxFuture<'_, io::Result<Box<dyn AsyncRead + Send + Unpin>>> {
        Box::pin(async move {
            let mut file = tokio::fs::File::open(&self.0).await?;
            file.seek(SeekFrom::Start(offset)).await?;
            Ok(Box::new(file) as Box<dyn AsyncRead + Send + Unpin>)
        })
    }
}

impl UploadSource for Bytes {
    fn open(&self, offset: u64) -> BoxFuture<'_, io::Result<Box<dyn AsyncRead + Send + Unpin>>> {
        let from = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.len());
        let rest = io::Cursor::new(self.slice(from..));
        Box::pin(async move { Ok(Box::new(rest) as Box<dyn AsyncRead + Send + Unpin>) })
    }
}

impl Remote {
    /// Whether the repository has the blob `digest`.
    pub async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let path = format!("{}/blobs/{digest}", self.repository().path());
        let response = self
            .call(self.registry(), &path, |url| {
                Outgoing::new(Method::HEAD, url)
            })
            .await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            _ => self.transport().success(response).await.map(|_| true),
        }
    }

    /// Sees to it that the repository has a blob, by the cheapest way there is.
    pub async fn push_blob(&self, push: &BlobPush<'_>) -> Result<Pushed, Error> {
        let digest = &push.descriptor.digest;
        // Nothing is pushed to mirrors, so that this is the registry itself.
        if self.each(|_| self.has_blob(digest)).await? {
            return Ok(Pushed::Exists);
        }
        let mut upload = None;
        for from in push.mount_from {
            match self.mount(digest, from).await {
                Ok(None) => return Ok(Pushed::Mounted(from.clone())),
                Ok(Some(location)) => {
                    if let Some(unused) = upload.replace(location) {
                        self.cancel(unused).await;
                    }
                }
                // A repository that may not be read is no reason to fail.
                Err(error) => tracing::debug!(
                    from,
                    error = dhow_model::error::chain(&error),
                    "not mounted"
                ),
            }
        }
        let upload = match upload {
            Some(location) => location,
            None => self.each(|_| self.begin(None)).await?,
        };
        self.upload(push, upload).await?;
        Ok(Pushed::Uploaded)
    }

    /// Puts a manifest or index under `target`.
    pub async fn push_manifest(
        &self,
        target: &Target,
        media_type: &str,
        bytes: &Bytes,
    ) -> Result<Digest, Error> {
        let path = format!("{}/manifests/{target}", self.repository().path());
        let digest = digest_of(bytes);
        let mut attempt = 1;
        loop {
            let result = async {
                let response = self
                    .call(self.registry(), &path, |url| {
                        let mut outgoing =
                            Outgoing::new(Method::PUT, url).header(CONTENT_TYPE, media_type);
                        outgoing.body = Body::Bytes(bytes.clone());
                        outgoing
                    })
                    .await?;
                self.transport().success(response).await
            };
            let response = match result.await {
                Ok(response) => response,
                Err(error) => {
                    self.retry(error, &mut attempt).await?;
                    continue;
                }
            };
            let stored = response
                .headers()
                .get("docker-content-digest")
                .and_then(|value| value.to_str().ok()?.parse::<Digest>().ok());
            return match stored {
                Some(other) if other != digest => Err(Error::ManifestMismatch(digest)),
                _ => Ok(digest),
            };
        }
    }

    /// Asks for the blob to be taken over; an address if it has to be sent.
    async fn mount(&self, digest: &Digest, from: &str) -> Result<Option<Url>, Error> {
        let response = self.start(Some((digest, from))).await?;
        if response.status() == StatusCode::CREATED {
            return Ok(None);
        }
        self.location(&response).await.map(Some)
    }

    async fn begin(&self, mount: Option<(&Digest, &str)>) -> Result<Url, Error> {
        let response = self.start(mount).await?;
        self.location(&response).await
    }

    async fn start(&self, mount: Option<(&Digest, &str)>) -> Result<Response, Error> {
        let base = self.base(self.registry()).await?;
        let path = format!("v2/{}/blobs/uploads/", self.repository().path());
        let mut url = base
            .url
            .join(&path)
            .map_err(|_| Error::InvalidHost(base.host.clone()))?;
        let mut scopes = Vec::new();
        if let Some((digest, from)) = mount {
            url.query_pairs_mut()
                .append_pair("mount", digest.as_str())
                .append_pair("from", from);
            scopes.push(format!("repository:{from}:pull"));
        }
        let response = self
            .call_url(
                self.registry(),
                || Outgoing::new(Method::POST, url.clone()),
                &scopes,
            )
            .await?;
        self.transport().success(response).await
    }

    async fn cancel(&self, upload: Url) {
        let request = || Outgoing::new(Method::DELETE, upload.clone());
        // The registry forgets uploads by itself; this only spares it the wait.
        if let Err(error) = self.call_url(self.registry(), request, &[]).await {
            tracing::debug!(
                error = dhow_model::error::chain(&error),
                "upload not cancelled"
            );
        }
    }

    /// Sends the blob to the upload at `location`, and takes it up again when
    /// the connection breaks.
    async fn upload(&self, push: &BlobPush<'_>, mut location: Url) -> Result<(), Error> {
        let size = push.descriptor.size;
        let mut offset = 0;
        let mut attempt = 1;
        let mut furthest = 0;
        loop {
            let result = async {
                let next = if offset < size || size == 0 {
                    self.send_from(push, &location, offset).await?
                } else {
                    location.clone()
                };
                self.commit(push, next).await
            };
            let Err(error) = result.await else {
                return Ok(());
            };
            if matches!(error, Error::Source { .. }) {
                return Err(error);
            }
            // A token that ran out while bytes were flowing: asking for the
            // state below fetches another.
            let expired = matches!(&error, Error::Refused(r) if r.status() == 401) && attempt == 1;
            if expired {
                attempt += 1;
            } else {
                self.retry(error, &mut attempt).await?;
            }
            match self.state(&location).await {
                Ok((next, have)) if have <= size => (location, offset) = (next, have),
                _ => {
                    location = self.begin(None).await?;
                    offset = 0;
                }
            }
            if offset > furthest {
                furthest = offset;
                attempt = 1;
            }
            (push.progress)(offset);
        }
    }

    async fn send_from(
        &self,
        push: &BlobPush<'_>,
        location: &Url,
        offset: u64,
    ) -> Result<Url, Error> {
        let digest = &push.descriptor.digest;
        let length = push.descriptor.size - offset;
        let reader = push
            .source
            .open(offset)
            .await
            .map_err(|source| Error::Source {
                digest: digest.clone(),
                source,
            })?;
        let sent = Arc::new(AtomicU64::new(0));
        let broken = Arc::new(std::sync::Mutex::new(None));
        let counted = counted(
            reader,
            offset,
            length,
            sent.clone(),
            push.progress.clone(),
            broken.clone(),
        );
        // `call_url` sends a stream only once, so it is built only once.
        let body = std::sync::Mutex::new(Some(reqwest::Body::wrap_stream(counted)));
        let build = || {
            let outgoing =
                Outgoing::new(Method::PATCH, location.clone()).header(CONTENT_TYPE, OCTETS);
            let mut outgoing = if offset > 0 {
                let last = push.descriptor.size - 1;
                outgoing.header(CONTENT_RANGE, &format!("{offset}-{last}"))
            } else {
                outgoing
            };
            if let Ok(mut body) = body.lock()
                && let Some(body) = body.take()
            {
                outgoing.body = Body::Stream {
                    body,
                    length,
                    sent: sent.clone(),
                };
            }
            outgoing
        };
        let result = self.call_url(self.registry(), build, &[]).await;
        if let Some(source) = broken.lock().ok().and_then(|mut broken| broken.take()) {
            return Err(Error::Source {
                digest: digest.clone(),
                source,
            });
        }
        let response = self.transport().success(result?).await?;
        self.location(&response).await
    }

    async fn commit(&self, push: &BlobPush<'_>, mut location: Url) -> Result<(), Error> {
        location
            .query_pairs_mut()
            .append_pair("digest", push.descriptor.digest.as_str());
        let response = self
            .call_url(
                self.registry(),
                || Outgoing::new(Method::PUT, location.clone()).header(CONTENT_TYPE, OCTETS),
                &[],
            )
            .await?;
        self.transport().success(response).await.map(|_| ())
    }

    /// Where the upload goes on, and how many bytes the registry has of it.
    async fn state(&self, location: &Url) -> Result<(Url, u64), Error> {
        let response = self
            .call_url(self.registry(), || Outgoing::get(location.clone()), &[])
            .await?;
        let response = self.transport().success(response).await?;
        let have = response
            .headers()
            .get(RANGE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim_start_matches("bytes=").split_once('-'))
            .and_then(|(_, last)| last.parse::<u64>().ok())
            // `0-0` is what registries say of nothing; one byte is sent again.
            .map_or(0, |last| if last == 0 { 0 } else { last + 1 });
        Ok((self.location(&response).await?, have))
    }

    async fn location(&self, response: &Response) -> Result<Url, Error> {
        let malformed = |what| Error::Request {
            method: "Post",
            url: redacted(response.url()),
            failure: Failure::Malformed(what),
        };
        let next = response
            .headers()
            .get(LOCATION)
            .and_then(|value| response.url().join(value.to_str().ok()?).ok())
            .ok_or_else(|| malformed("no address for the upload"))?;
        let base = self.base(self.registry()).await?;
        if next.scheme() != base.url.scheme() && next.scheme() != "https" && !base.insecure {
            return Err(malformed("the upload would leave TLS"));
        }
        Ok(next)
    }

    /// Waits before the next attempt, or returns `error` if there is none.
    async fn retry(&self, error: Error, attempt: &mut u32) -> Result<(), Error> {
        let retry = &self.transport().config().retry;
        let hopeful = error.is_passing() || error.is_transport();
        if !hopeful || *attempt >= retry.attempts {
            return Err(error);
        }
        let pause = retry.base * 2u32.saturating_pow(*attempt - 1);
        *attempt += 1;
        tracing::debug!(error = dhow_model::error::chain(&error), "push goes on");
        tokio::time::sleep(jittered(pause.min(retry.cap))).await;
        Ok(())
    }

    /// The registry itself: nothing is ever pushed to a mirror.
    fn registry(&self) -> usize {
        self.sources() - 1
    }
}

type Broken = Arc<std::sync::Mutex<Option<io::Error>>>;

/// Exactly `length` bytes of `reader`, counted. A source that is too short or
/// can't be read says so in `broken`, since the HTTP client would not.
fn counted(
    reader: Box<dyn AsyncRead + Send + Unpin>,
    offset: u64,
    length: u64,
    sent: Arc<AtomicU64>,
    progress: Arc<dyn Fn(u64) + Send + Sync>,
    broken: Broken,
) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send {
    let reader = reader.take(length);
    stream::try_unfold((reader, 0u64), move |(mut reader, done)| {
        let (sent, progress, broken) = (sent.clone(), progress.clone(), broken.clone());
        async move {
            if done == length {
                return Ok(None);
            }
            let mut chunk = BytesMut::with_capacity(CHUNK);
            let result = match reader.read_buf(&mut chunk).await {
                Ok(0) => Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("{done} bytes where {length} were expected"),
                )),
                Ok(read) => Ok(read as u64),
                Err(error) => Err(error),
            };
            match result {
                Ok(read) => {
                    let done = done + read;
                    sent.store(done, Ordering::Relaxed);
                    progress(offset + done);
                    Ok(Some((chunk.freeze(), (reader, done))))
                }
                Err(error) => {
                    let copy = io::Error::new(error.kind(), error.to_string());
                    if let Ok(mut broken) = broken.lock() {
                        *broken = Some(error);
                    }
                    Err(copy)
                }
            }
        }
    })
}
