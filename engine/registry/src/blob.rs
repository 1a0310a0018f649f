//! Blobs as streams that mend themselves: a broken or stalled transfer goes on
//! where it stopped, at another endpoint if need be.
//!
//! The digest is not checked here; [`crate::Verified`] does that, or whoever
//! writes the bytes down.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, RANGE, RETRY_AFTER};
use reqwest::{Response, Url};
use tokio::time::{sleep, timeout};

use crate::error::Error;
use crate::failure::Failure;
use crate::manifest::Descriptor;
use crate::remote::Remote;
use crate::transport::{Outgoing, body_failure, redacted};

/// Slower than this over a whole stall time counts as stalled: a server that
/// sends a byte now and then must not hold a pull for ever.
const LEAST_BYTES: u64 = 1024;
/// Progress worth a new row of attempts.
const PROGRESS: u64 = 64 * 1024;
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The bytes of a blob from some offset on. Never more than its descriptor says.
pub struct BlobStream {
    state: State,
}

enum State {
    Idle(Box<Transfer>),
    Busy(BoxFuture<'static, Step>),
    Done,
}

/// A transfer given back, with what it brought.
type Step = (Box<Transfer>, Result<Option<Bytes>, Error>);

/// A transfer between two chunks.
struct Transfer {
    remote: Remote,
    descriptor: Descriptor,
    /// The next byte to deliver.
    offset: u64,
    /// Where it comes from now.
    place: usize,
    open: Option<Response>,
    /// Bytes of the open answer that were delivered before.
    skip: u64,
    /// Whether the server is believed to serve ranges.
    ranges: bool,
    /// Whether this place ever answered: then even a refused connection is
    /// taken for a registry that is being restarted.
    reached: bool,
    failures: u32,
    /// The offset at which `failures` began to count.
    mark: u64,
    waited: Duration,
    received: u64,
}

/// What became of an attempt to open the blob.
enum Opened {
    Yes,
    /// Try again in the same place, after a while.
    Later(Error, Option<Duration>),
    /// This place hasn't got it or won't give it.
    Elsewhere(Error),
}

impl Remote {
    /// The bytes of the blob `descriptor` names, from `offset` on.
    pub fn blob(&self, descriptor: &Descriptor, offset: u64) -> BlobStream {
        BlobStream {
            state: State::Idle(Box::new(Transfer {
                remote: self.clone(),
                descriptor: descriptor.clone(),
                offset,
                place: 0,
                open: None,
                skip: 0,
                ranges: true,
                reached: false,
                failures: 0,
                mark: offset,
                waited: Duration::ZERO,
                received: 0,
            })),
        }
    }
}

impl BlobStream {
    /// The next bytes, or `None` at the end.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context))
            .await
            .transpose()
    }
}

impl Stream for BlobStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut future = match std::mem::replace(&mut self.state, State::Done) {
            State::Done => return Poll::Ready(None),
            State::Busy(future) => future,
            State::Idle(mut transfer) => Box::pin(async move {
                let result = transfer.next().await;
                (transfer, result)
            }),
        };
        let Poll::Ready((transfer, result)) = future.as_mut().poll(context) else {
            self.state = State::Busy(future);
            return Poll::Pending;
        };
        if let Ok(Some(_)) = result {
            self.state = State::Idle(transfer);
        }
        Poll::Ready(result.transpose())
    }
}

impl Transfer {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.offset >= self.descriptor.size {
                return Ok(None);
            }
            let Some(response) = &mut self.open else {
                match self.open().await? {
                    Opened::Yes => {}
                    Opened::Later(error, pause) => self.pause(error, pause).await?,
                    Opened::Elsewhere(error) => self.move_on(error)?,
                }
                continue;
            };
            let stall = self.remote.transport().config().retry.stall;
            let begun = Instant::now();
            let left = stall
                .saturating_sub(self.waited)
                .max(Duration::from_millis(1));
            let got = timeout(left, response.chunk()).await;
            self.waited += begun.elapsed();
            let failure = match got {
                Ok(Ok(Some(chunk))) => {
                    if let Some(chunk) = self.accept(chunk, stall)? {
                        return Ok(Some(chunk));
                    }
                    continue;
                }
                // The body ended, but the blob has not.
                Ok(Ok(None)) => Failure::Cut,
                Ok(Err(error)) => body_failure(error),
                Err(_) => Failure::Stalled,
            };
            let url = redacted(response.url());
            self.open = None;
            let error = Error::Request {
                method: "Get",
                url,
                failure,
            };
            self.pause(error, None).await?;
        }
    }

    /// Takes what came, drops what was delivered before, refuses too much.
    fn accept(&mut self, mut chunk: Bytes, stall: Duration) -> Result<Option<Bytes>, Error> {
        self.received += chunk.len() as u64;
        if self.received >= LEAST_BYTES {
            self.received = 0;
            self.waited = Duration::ZERO;
        } else if self.waited >= stall {
            // Left to the next wait, which then has no time.
            self.waited = stall;
        }
        if self.skip > 0 {
            let known = usize::try_from(self.skip).unwrap_or(usize::MAX);
            let known = known.min(chunk.len());
            let _ = chunk.split_to(known);
            self.skip -= known as u64;
        }
        if chunk.is_empty() {
            return Ok(None);
        }
        let end = self.offset + chunk.len() as u64;
        if end > self.descriptor.size {
            return Err(Error::BlobSize {
                digest: self.descriptor.digest.clone(),
                expected: self.descriptor.size,
                found: end,
            });
        }
        self.offset = end;
        if self.offset - self.mark >= PROGRESS {
            self.mark = self.offset;
            self.failures = 0;
        }
        Ok(Some(chunk))
    }

    async fn open(&mut self) -> Result<Opened, Error> {
        self.waited = Duration::ZERO;
        self.received = 0;
        let from = if self.ranges { self.offset } else { 0 };
        let response = match self.request(from).await {
            Ok(response) => response,
            Err(error) if error.is_passing() || (self.reached && error.is_transport()) => {
                return Ok(Opened::Later(error, None));
            }
            Err(error) => return Ok(Opened::Elsewhere(error)),
        };
        self.reached = true;
        match response.status() {
            StatusCode::OK => {
                if let Err(error) = self.check_length(&response, self.descriptor.size) {
                    return Ok(Opened::Elsewhere(error));
                }
                self.skip = self.offset;
            }
            StatusCode::PARTIAL_CONTENT if from > 0 => {
                let expected = self.descriptor.size - from;
                if content_range(&response) != Some((from, self.descriptor.size))
                    || self.check_length(&response, expected).is_err()
                {
                    // Not the range asked for: better none than a wrong one.
                    return Ok(self.without_ranges(&response));
                }
                self.skip = 0;
            }
            StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => {
                return Ok(self.without_ranges(&response));
            }
            _ => {
                let pause = retry_after(&response);
                let mut response = response;
                let refusal = self.remote.transport().refusal(&mut response).await;
                let error = if refusal.status() == 404 {
                    Error::BlobUnknown {
                        digest: self.descriptor.digest.clone(),
                    }
                } else {
                    Error::Refused(refusal)
                };
                return Ok(if error.is_passing() {
                    Opened::Later(error, pause)
                } else {
                    Opened::Elsewhere(error)
                });
            }
        }
        self.open = Some(response);
        Ok(Opened::Yes)
    }

    fn without_ranges(&mut self, response: &Response) -> Opened {
        self.ranges = false;
        let error = Error::Request {
            method: "Get",
            url: redacted(response.url()),
            failure: Failure::Malformed("not the range that was asked for"),
        };
        Opened::Later(error, Some(Duration::ZERO))
    }

    async fn request(&self, from: u64) -> Result<Response, Error> {
        let ranged = |url: Url| {
            // Encodings would make offsets meaningless.
            let outgoing = Outgoing::get(url).header(ACCEPT_ENCODING, "identity");
            if from > 0 {
                outgoing.header(RANGE, &format!("bytes={from}-"))
            } else {
                outgoing
            }
        };
        let remote = &self.remote;
        let digest = &self.descriptor.digest;
        if self.place < remote.sources() {
            let path = format!("{}/blobs/{digest}", remote.repository().path());
            return remote.call(self.place, &path, ranged).await;
        }
        // Foreign layers: addresses out of the manifest, which get nothing of us.
        let address = &self.descriptor.urls[self.place - remote.sources()];
        let url = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| Error::BlobUnknown {
                digest: digest.clone(),
            })?;
        let base = remote.transport().base_of(&url).await;
        remote.transport().send(&base, ranged(url)).await
    }

    /// Goes on to the next endpoint or address, if there is one.
    fn move_on(&mut self, error: Error) -> Result<(), Error> {
        let foreign = if self.descriptor.is_foreign() {
            self.descriptor.urls.len()
        } else {
            0
        };
        if self.place + 1 >= self.remote.sources() + foreign {
            return Err(error);
        }
        tracing::info!(
            digest = %self.descriptor.digest,
            error = dhow_model::error::chain(&error),
            "blob not had here, trying the next endpoint"
        );
        self.place += 1;
        self.reached = false;
        self.failures = 0;
        self.ranges = true;
        Ok(())
    }

    /// Waits before the next attempt, or gives this place up.
    async fn pause(&mut self, error: Error, pause: Option<Duration>) -> Result<(), Error> {
        self.failures += 1;
        let retry = &self.remote.transport().config().retry;
        if self.failures >= retry.attempts {
            return self.move_on(error);
        }
        let pause = pause.unwrap_or_else(|| {
            let doubled = retry.base * 2u32.saturating_pow(self.failures - 1);
            jittered(doubled.min(retry.cap))
        });
        tracing::debug!(
            digest = %self.descriptor.digest,
            offset = self.offset,
            error = dhow_model::error::chain(&error),
            ?pause,
            "transfer broken, going on"
        );
        sleep(pause).await;
        Ok(())
    }

    fn check_length(&self, response: &Response, expected: u64) -> Result<(), Error> {
        let length = response
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        match length {
            Some(found) if found != expected => Err(Error::BlobSize {
                digest: self.descriptor.digest.clone(),
                expected: self.descriptor.size,
                found: self.descriptor.size - expected + found,
            }),
            _ => Ok(()),
        }
    }
}

/// Between half of `pause` and all of it, so that transfers broken by the same
/// fault don't all come back at once.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let mut random = [0; 1];
    // Without randomness the pause is merely not spread.
    let _ = getrandom::fill(&mut random);
    pause / 2 + pause / 2 * u32::from(random[0]) / 255
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = Duration::from_secs(value.parse().ok()?);
    Some(seconds.min(LONGEST_RETRY_AFTER))
}

/// The first byte and the whole length of `Content-Range: bytes 5-9/10`. A
/// whole length of `*` counts as the end of the range plus one.
fn content_range(response: &Response) -> Option<(u64, u64)> {
    let value = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, whole) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let whole = match whole {
        "*" => last.parse::<u64>().ok()?.checked_add(1)?,
        whole => whole.parse().ok()?,
    };
    Some((first.parse().ok()?, whole))
}
