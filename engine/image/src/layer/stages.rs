//! The threads behind an ingest: one inflates and hashes, one makes files.

use std::io::{self, Read};
use std::thread::JoinHandle;

use dhow_model::Digest;
use dhow_sys::tree::{Root, ZeroUmask};
use sha2::{Digest as _, Sha256};

use super::pipe::{ChunkReader, ChunkSender, pipe};
use super::unpack::{Unpacked, unpack_layer};
use super::{Compression, LayerError, StagedLayer, UnpackError, decoder};
use crate::store::{StoreError, at};

/// The threads behind the caller's.
pub(super) struct Stages {
    input: ChunkSender,
    inflate: JoinHandle<Result<Inflated, UnpackError>>,
    files: JoinHandle<Result<Unpacked, UnpackError>>,
}

impl std::fmt::Debug for Stages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stages")
    }
}

/// What the plain archive turned out to be.
#[derive(Debug, Clone)]
pub(super) struct Inflated {
    pub diff_id: Digest,
    pub size: u64,
    pub compression: Compression,
}

impl Stages {
    /// Hands `data` on; false if a later stage gave up ([`Self::failure`] says
    /// why).
    pub fn write(&mut self, data: &[u8]) -> bool {
        self.input.write(data).is_ok()
    }

    pub fn start(staged: &StagedLayer) -> Result<Self, LayerError> {
        let path = staged.diff();
        let root = Root::open(&path).map_err(at("open", &path))?;
        let (input, compressed) = pipe();
        let (plain_in, plain) = pipe();
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        let inflate = thread("layer-inflate")
            .spawn(move || inflate(compressed, plain_in))
            .map_err(LayerError::Thread)?;
        let files = thread("layer-files")
            .spawn(move || write_files(plain, &root))
            .map_err(LayerError::Thread)?;
        Ok(Self {
            input,
            inflate,
            files,
        })
    }

    /// Says that the input is complete, does `meanwhile`, waits for both.
    pub fn finish(
        self,
        meanwhile: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(Inflated, Unpacked), LayerError> {
        let ended = self.input.end().is_ok();
        let done = meanwhile();
        let (inflated, unpacked) = (join(self.inflate), join(self.files));
        // Whoever fails first makes its neighbours fail for want of input or
        // output; the last stage's own error says most.
        match (inflated, unpacked) {
            (Ok(inflated), Ok(unpacked)) => {
                done?;
                debug_assert!(ended);
                Ok((inflated, unpacked))
            }
            (inflated, unpacked) => Err(first_cause(inflated.err(), unpacked.err())),
        }
    }

    /// Why the stages stopped.
    pub fn failure(self) -> LayerError {
        drop(self.input);
        first_cause(join(self.inflate).err(), join(self.files).err())
    }
}

fn join<T>(thread: JoinHandle<Result<T, UnpackError>>) -> Result<T, LayerError> {
    match thread.join() {
        Ok(result) => result.map_err(LayerError::Unpack),
        Err(_) => Err(LayerError::Thread(io::Error::other("panicked"))),
    }
}

/// The error that came first: not one of a pipe whose other end went away.
fn first_cause(inflate: Option<LayerError>, files: Option<LayerError>) -> LayerError {
    let is_echo = |error: &LayerError| match error {
        LayerError::Unpack(UnpackError::Decompress(e)) => {
            matches!(
                e.kind(),
                io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe
            )
        }
        LayerError::Unpack(UnpackError::Tar(crate::tar::TarError::Read(e))) => {
            e.kind() == io::ErrorKind::ConnectionAborted
        }
        _ => false,
    };
    let mut errors: Vec<_> = [files, inflate].into_iter().flatten().collect();
    let at = errors.iter().position(|e| !is_echo(e)).unwrap_or(0);
    if errors.is_empty() {
        return LayerError::Thread(io::ErrorKind::ConnectionAborted.into());
    }
    errors.swap_remove(at)
}

/// The middle stage: plain bytes and their digest.
fn inflate(compressed: ChunkReader, mut out: ChunkSender) -> Result<Inflated, UnpackError> {
    let mut decoder = decoder(compressed)?;
    let compression = decoder.compression();
    let mut hash = Sha256::new();
    let mut size = 0u64;
    loop {
        let mut buffer = out.buffer();
        let mut filled = 0;
        while filled < buffer.len() {
            match decoder.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(UnpackError::Decompress(error)),
            }
        }
        if filled == 0 {
            break;
        }
        buffer.truncate(filled);
        hash.update(&buffer);
        size += filled as u64;
        out.send(buffer)
            .map_err(|_| UnpackError::Decompress(io::ErrorKind::BrokenPipe.into()))?;
    }
    out.end()
        .map_err(|_| UnpackError::Decompress(io::ErrorKind::BrokenPipe.into()))?;
    Ok(Inflated {
        diff_id: Digest::from_sha256(hash.finalize().into()),
        size,
        compression,
    })
}

/// The last stage: files.
fn write_files(plain: ChunkReader, root: &Root) -> Result<Unpacked, UnpackError> {
    let umask = ZeroUmask::for_this_thread().map_err(|e| UnpackError::Root("thread", e))?;
    let (unpacked, mut rest) = unpack_layer(plain, root, &umask)?;
    // What follows the archive's end belongs to the digest all the same.
    io::copy(&mut rest, &mut io::sink())
        .map_err(|e| UnpackError::Tar(crate::tar::TarError::Read(e)))?;
    Ok(unpacked)
}
