//! Requests of the page that are under way: their bytes in both directions,
//! and their end.
//!
//! The page takes bytes when it wants some and waits until its own are taken,
//! so that neither side ever holds more than a few chunks: a log that runs
//! faster than the page reads stops the engine's writer, as it would stop a
//! terminal's.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

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
pub struct Exchanges {
    map: Mutex<HashMap<Number, Arc<Exchange>>>,
}

/// One exchange.
pub struct Exchange {
    cancelled: watch::Sender<bool>,
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
        let exchange = Arc::new(Exchange {
            cancelled: watch::channel(false).0,
            input: tokio::sync::Mutex::new(Input::None),
            output: tokio::sync::Mutex::new(Output::None),
        });
        let mut map = self.map.lock().unwrap_or_else(|e| e.into_inner());
        if map.contains_key(&number) {
            return Err(Failure::invalid(format!(
                "request {number} is under way already"
            )));
        }
        map.insert(number, exchange.clone());
        Ok(exchange)
    }

    /// The exchange with this number.
    pub fn get(&self, number: Number) -> Result<Arc<Exchange>, Failure> {
        let map = self.map.lock().unwrap_or_else(|e| e.into_inner());
        map.get(&number).cloned().ok_or_else(Failure::cancelled)
    }

    /// Forgets the exchange; whatever waits for it is told.
    pub fn cancel(&self, number: Number) {
        let removed = {
            let mut map = self.map.lock().unwrap_or_else(|e| e.into_inner());
            map.remove(&number)
        };
        if let Some(exchange) = removed {
            exchange.cancel();
        }
    }

    /// Forgets all of them: the page that asked is gone.
    pub fn cancel_all(&self) {
        let all = std::mem::take(&mut *self.map.lock().unwrap_or_else(|e| e.into_inner()));
        for exchange in all.values() {
            exchange.cancel();
        }
    }

    /// How many are under way.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.map.lock().unwrap().len()
    }
}

impl Exchange {
    /// A body that the page is going to write, as a stream.
    pub async fn body(&self) -> BoxStream<'static, io::Result<Bytes>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        *self.input.lock().await = Input::Body(sender);
        futures_util::stream::unfold(receiver, |mut receiver| async move {
            Some((receiver.recv().await?, receiver))
        })
        .boxed()
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
        let exchange = Exchanges::default().begin(1).unwrap();
        let mut body = exchange.body().await;
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
        exchanges.begin(7).unwrap();
        exchanges.begin(8).unwrap();
        exchanges.cancel_all();
        assert_eq!(exchanges.count(), 0);
    }
}
