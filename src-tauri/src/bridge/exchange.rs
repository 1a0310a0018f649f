//! Requests of the page that are under way: their bytes in both directions,
//! and their end.
//!
//! The page takes bytes when it wants some and waits until its own are taken,
//! so that neither side ever holds more than a few chunks: a log that runs
//! faster than the page reads stops the engine's writer, as it would stop a
//! terminal's.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{Bytes, BytesMut};
use dhow_client::{ReadHalf, WriteHalf};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt};
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};

use super::failure::Failure;

/// The page's own number for a request.
pub type Number = u32;

/// Chunks of a body that wait to be sent.
const WAITING: usize = 4;
/// The page gets what is there, up to this much at a time.
const PORTION: usize = 256 * 1024;

/// All exchanges of the page.
#[derive(Default)]
pub struct Exchanges(Mutex<Page>);

#[derive(Default)]
struct Page {
    under_way: HashMap<Number, Arc<Exchange>>,
    /// Numbers that were taken once. A webview that got no answer sends its
    /// message again; nothing is to happen twice because of that.
    taken: BTreeSet<Number>,
}

/// Numbers this far behind the newest are taken, too.
const REMEMBERED: Number = 4096;

/// One exchange.
pub struct Exchange {
    cancelled: watch::Sender<bool>,
    /// A body that is going to be written, until its request takes it.
    expected: Mutex<Option<mpsc::Receiver<io::Result<Bytes>>>>,
    input: tokio::sync::Mutex<Input>,
    output: tokio::sync::Mutex<Output>,
}

enum Input {
    None,
    /// The body of a request.
    Body(mpsc::Sender<io::Result<Bytes>>),
    /// A connection that was taken over.
    Connection(WriteHalf),
}

enum Output {
    None,
    Body(Chunks),
    Connection(ReadHalf),
}

/// An answer's body.
struct Chunks {
    stream: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
    /// How it broke off, when that was seen behind bytes.
    broken: Option<Failure>,
}

impl Exchanges {
    /// Takes up an exchange that the page has numbered.
    pub fn begin(&self, number: Number) -> Result<Arc<Exchange>, Failure> {
        self.enter(number, Input::None, None)
    }

    /// Takes one up whose body the page is going to write, so that it may
    /// begin to.
    pub fn expect(&self, number: Number) -> Result<(), Failure> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.enter(number, Input::Body(sender), Some(receiver))?;
        Ok(())
    }

    fn enter(
        &self,
        number: Number,
        input: Input,
        expected: Option<mpsc::Receiver<io::Result<Bytes>>>,
    ) -> Result<Arc<Exchange>, Failure> {
        let exchange = Arc::new(Exchange {
            cancelled: watch::channel(false).0,
            expected: Mutex::new(expected),
            input: tokio::sync::Mutex::new(input),
            output: tokio::sync::Mutex::new(Output::None),
        });
        let mut page = self.page();
        let newest = page.taken.last().copied().unwrap_or(0);
        let oldest = newest.saturating_sub(REMEMBERED);
        if number < oldest || !page.taken.insert(number) {
            return Err(Failure::invalid(format!(
                "request {number} has been made already"
            )));
        }
        page.taken.retain(|number| *number >= oldest);
        page.under_way.insert(number, exchange.clone());
        Ok(exchange)
    }

    /// The exchange with this number.
    pub fn get(&self, number: Number) -> Result<Arc<Exchange>, Failure> {
        let found = self.page().under_way.get(&number).cloned();
        found.ok_or_else(Failure::cancelled)
    }

    /// Forgets the exchange; whatever waits for it is told.
    pub fn cancel(&self, number: Number) {
        let removed = self.page().under_way.remove(&number);
        if let Some(exchange) = removed {
            exchange.cancel();
        }
    }

    /// Forgets all of them: the page that asked is gone, and another begins
    /// to number anew.
    pub fn cancel_all(&self) {
        let page = std::mem::take(&mut *self.page());
        for exchange in page.under_way.values() {
            exchange.cancel();
        }
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// How many are under way.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.page().under_way.len()
    }
}

impl Exchange {
    /// The body that was expected, as a stream; it is there once.
    pub fn body(&self) -> Option<BoxStream<'static, io::Result<Bytes>>> {
        let mut expected = self.expected.lock().unwrap_or_else(|e| e.into_inner());
        let receiver = expected.take()?;
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
            Some((receiver.recv().await?, receiver))
        });
        Some(stream.boxed())
    }

    /// The engine's answer, to be read by the page.
    pub async fn answered(&self, body: Incoming) {
        *self.output.lock().await = Output::Body(Chunks::new(
            BodyDataStream::new(body).map_err(std::io::Error::other),
        ));
    }

    /// The connection that was taken over.
    pub async fn connected(&self, reader: ReadHalf, writer: WriteHalf) {
        *self.output.lock().await = Output::Connection(reader);
        *self.input.lock().await = Input::Connection(writer);
    }

    /// What `action` comes to, unless the exchange is cancelled first.
    pub async fn unless_cancelled<T>(
        &self,
        action: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut cancelled = self.cancelled.subscribe();
        tokio::select! {
            outcome = action => outcome,
            _ = cancelled.wait_for(|cancelled| *cancelled) => Err(Failure::cancelled()),
        }
    }

    /// Takes bytes of the page's, once there is room for them.
    pub async fn write(&self, bytes: Bytes) -> Result<(), Failure> {
        self.unless_cancelled(async {
            match &mut *self.input.lock().await {
                Input::Body(sender) => sender
                    .send(Ok(bytes))
                    .await
                    // The engine has answered without reading all of it.
                    .map_err(|_| Failure::cancelled()),
                Input::Connection(writer) => {
                    writer.write_all(&bytes).await.map_err(Failure::broken)?;
                    writer.flush().await.map_err(Failure::broken)
                }
                Input::None => Err(Failure::invalid("this request has no body".to_owned())),
            }
        })
        .await
    }

    /// The page has said everything.
    pub async fn finish(&self) -> Result<(), Failure> {
        self.unless_cancelled(async {
            let mut input = self.input.lock().await;
            match std::mem::replace(&mut *input, Input::None) {
                Input::Connection(mut writer) => {
                    let outcome = writer.shutdown().await;
                    // Dropping it would end the other direction as well.
                    *input = Input::Connection(writer);
                    outcome.map_err(Failure::broken)
                }
                Input::Body(_) | Input::None => Ok(()),
            }
        })
        .await
    }

    /// What has arrived, waiting for something; empty at the end.
    pub async fn read(&self) -> Result<Bytes, Failure> {
        self.unless_cancelled(async {
            match &mut *self.output.lock().await {
                Output::Body(chunks) => chunks.portion().await,
                Output::Connection(reader) => {
                    let mut buffer = BytesMut::with_capacity(64 * 1024);
                    reader
                        .read_buf(&mut buffer)
                        .await
                        .map_err(Failure::broken)?;
                    Ok(buffer.freeze())
                }
                Output::None => Err(Failure::invalid("nothing was answered yet".to_owned())),
            }
        })
        .await
    }

    fn cancel(&self) {
        self.cancelled.send_replace(true);
    }
}

impl Chunks {
    fn new<S>(stream: S) -> Self
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        Self {
            stream: Box::pin(stream),
            broken: None,
        }
    }

    /// The next chunk, and with it whatever else is there already: the fewer
    /// portions, the less it costs to carry them.
    async fn portion(&mut self) -> Result<Bytes, Failure> {
        if let Some(failure) = self.broken.take() {
            return Err(failure);
        }
        let first = loop {
            match self.stream.next().await {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(chunk)) => break chunk,
                Some(Err(error)) => return Err(Failure::broken(error)),
                None => return Ok(Bytes::new()),
            }
        };
        let mut all = BytesMut::from(first);
        while all.len() < PORTION {
            match self.stream.next().now_or_never() {
                Some(Some(Ok(chunk))) => all.extend_from_slice(&chunk),
                Some(Some(Err(error))) => {
                    self.broken = Some(Failure::broken(error));
                    break;
                }
                // An end is an end when it is asked for next, too.
                Some(None) | None => break,
            }
        }
        Ok(all.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::Kind;
    use super::*;

    fn chunks(parts: Vec<io::Result<&'static str>>) -> Chunks {
        let parts = parts.into_iter().map(|part| part.map(Bytes::from));
        Chunks::new(futures_util::stream::iter(parts.collect::<Vec<_>>()))
    }

    #[tokio::test]
    async fn what_is_there_is_carried_together() {
        let mut body = chunks(vec![Ok(""), Ok("a"), Ok("b"), Ok("c")]);
        assert_eq!(body.portion().await.unwrap(), "abc");
        assert_eq!(body.portion().await.unwrap(), "");
    }

    #[tokio::test]
    async fn what_broke_off_is_no_end() {
        let error = io::Error::other("gone");
        let mut body = chunks(vec![Ok("a"), Ok("b"), Err(error)]);
        assert_eq!(body.portion().await.unwrap(), "ab");
        assert_eq!(body.portion().await.unwrap_err().failure, Kind::Unreachable);
    }

    #[tokio::test]
    async fn a_page_that_writes_too_fast_waits() {
        let exchanges = Exchanges::default();
        exchanges.expect(1).unwrap();
        let exchange = exchanges.get(1).unwrap();
        let mut body = exchange.body().unwrap();
        assert!(exchange.body().is_none());
        for _ in 0..WAITING {
            exchange.write(Bytes::from_static(b"x")).await.unwrap();
        }
        assert!(
            exchange
                .write(Bytes::from_static(b"y"))
                .now_or_never()
                .is_none(),
            "there is no room until the engine took one"
        );
        assert_eq!(body.next().await.unwrap().unwrap(), "x");
        exchange.write(Bytes::from_static(b"z")).await.unwrap();
        exchange.finish().await.unwrap();
        let rest: Vec<_> = body.map(Result::unwrap).collect().await;
        assert_eq!(rest.len(), WAITING);
        assert_eq!(rest.last().unwrap(), "z");
    }

    #[tokio::test]
    async fn whoever_waits_is_told_of_the_end() {
        let exchanges = Exchanges::default();
        let exchange = exchanges.begin(7).unwrap();
        assert!(exchanges.begin(7).is_err(), "the number is taken");
        let waiting = exchange.unless_cancelled(std::future::pending::<Result<(), Failure>>());
        exchanges.cancel(7);
        assert_eq!(waiting.await.unwrap_err(), Failure::cancelled());
        assert!(exchanges.get(7).is_err());
        assert!(exchanges.begin(7).is_err(), "nothing happens twice");
        exchanges.begin(8).unwrap();
        exchanges.cancel_all();
        assert_eq!(exchanges.count(), 0);
        exchanges.begin(7).unwrap();
        exchanges.begin(7 + 2 * REMEMBERED).unwrap();
        assert!(exchanges.begin(8).is_err(), "that is too long ago");
    }
}
