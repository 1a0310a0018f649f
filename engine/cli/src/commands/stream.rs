//! Bodies that are read by a thread while they are sent.

use std::io::{self, Read};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc::Receiver;

/// Standard input as a body.
pub fn stdin_stream() -> BoxStream<'static, io::Result<Bytes>> {
    file_stream(io::stdin())
}

/// Anything that is read, as a body: read by a thread while it is sent.
pub fn file_stream(
    mut reader: impl Read + Send + 'static,
) -> BoxStream<'static, io::Result<Bytes>> {
    let (sender, receiver) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(8);
    tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let piece = match reader.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
                Err(error) => Err(error),
            };
            let failed = piece.is_err();
            if sender.blocking_send(piece).is_err() || failed {
                return;
            }
        }
    });
    Box::pin(received(receiver))
}

/// What is received, as a stream.
pub fn received(
    receiver: Receiver<io::Result<Bytes>>,
) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send {
    futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    })
}
