//! Bytes handed from thread to thread in large pieces, with bounds.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// How much is gathered before it is handed on.
const CHUNK: usize = 256 * 1024;

/// How many pieces may wait: what one stage can be ahead of the next.
const DEPTH: usize = 8;

enum Piece {
    Data(Vec<u8>),
    End,
}

/// The writing end. Dropped without [`ChunkSender::end`], the reader sees an
/// error, not an end.
pub(crate) struct ChunkSender {
    pieces: SyncSender<Piece>,
    spare: Receiver<Vec<u8>>,
    current: Vec<u8>,
}

/// The reading end.
pub(crate) struct ChunkReader {
    pieces: Receiver<Piece>,
    spare: SyncSender<Vec<u8>>,
    current: Vec<u8>,
    position: usize,
    ended: bool,
}

/// The reader is gone.
#[derive(Debug)]
pub(crate) struct Hungup;

/// A bounded pipe within the process.
pub(crate) fn pipe() -> (ChunkSender, ChunkReader) {
    let (pieces_in, pieces_out) = sync_channel(DEPTH);
    let (spare_in, spare_out) = sync_channel(DEPTH + 2);
    let sender = ChunkSender {
        pieces: pieces_in,
        spare: spare_out,
        current: Vec::new(),
    };
    let reader = ChunkReader {
        pieces: pieces_out,
        spare: spare_in,
        current: Vec::new(),
        position: 0,
        ended: false,
    };
    (sender, reader)
}

impl ChunkSender {
    /// Hands on a copy of `data`, waiting while the reader is behind.
    pub fn write(&mut self, mut data: &[u8]) -> Result<(), Hungup> {
        while !data.is_empty() {
            if self.current.capacity() == 0 {
                self.current = self.buffer();
                self.current.clear();
            }
            let room = (CHUNK - self.current.len()).min(data.len());
            self.current.extend_from_slice(&data[..room]);
            data = &data[room..];
            if self.current.len() == CHUNK {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// A buffer of full length to read into, used before if there is one.
    pub fn buffer(&self) -> Vec<u8> {
        match self.spare.try_recv() {
            Ok(mut used) => {
                // Already zeroed once, so this costs nothing where the last
                // use was a full one.
                used.resize(CHUNK, 0);
                used
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => vec![0; CHUNK],
        }
    }

    /// Hands on a whole buffer.
    pub fn send(&mut self, buffer: Vec<u8>) -> Result<(), Hungup> {
        self.flush()?;
        self.pieces.send(Piece::Data(buffer)).map_err(|_| Hungup)
    }

    /// Says that this was all.
    pub fn end(mut self) -> Result<(), Hungup> {
        self.flush()?;
        self.pieces.send(Piece::End).map_err(|_| Hungup)
    }

    fn flush(&mut self) -> Result<(), Hungup> {
        if self.current.is_empty() {
            return Ok(());
        }
        let full = std::mem::take(&mut self.current);
        self.pieces.send(Piece::Data(full)).map_err(|_| Hungup)
    }
}

impl BufRead for ChunkReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.position == self.current.len() && !self.ended {
            let used = std::mem::take(&mut self.current);
            if used.capacity() > 0 {
                // Full or gone, either way the buffer is simply freed.
                let _ = self.spare.try_send(used);
            }
            self.position = 0;
            match self.pieces.recv() {
                Ok(Piece::Data(data)) => self.current = data,
                Ok(Piece::End) => self.ended = true,
                Err(_) => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        Ok(&self.current[self.position..])
    }

    fn consume(&mut self, count: usize) {
        self.position += count;
    }
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}
