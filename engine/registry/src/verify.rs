//! A stream that ends in an error unless its bytes have the digest promised.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dhow_model::Digest;
use futures_util::Stream;
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// Passes a stream's bytes through and checks their digest at its end.
pub struct Verified<S> {
    inner: S,
    /// `None` once the end was reached.
    hash: Option<Sha256>,
    wanted: Digest,
}

impl<S> Verified<S> {
    /// Checks that all of `inner` has the digest `wanted`.
    pub fn new(inner: S, wanted: Digest) -> Self {
        Self {
            inner,
            hash: Some(Sha256::new()),
            wanted,
        }
    }
}

impl<S> Stream for Verified<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(mut hash) = self.hash.take() else {
            return Poll::Ready(None);
        };
        let item = match Pin::new(&mut self.inner).poll_next(context) {
            Poll::Ready(item) => item,
            Poll::Pending => {
                self.hash = Some(hash);
                return Poll::Pending;
            }
        };
        Poll::Ready(match item {
            Some(Ok(bytes)) => {
                hash.update(&bytes);
                self.hash = Some(hash);
                Some(Ok(bytes))
            }
            Some(Err(error)) => Some(Err(error)),
            None if Digest::from_sha256(hash.finalize().into()) == self.wanted => None,
            None => Some(Err(Error::BlobMismatch(self.wanted.clone()))),
        })
    }
}
