//! One pass over an archive of images: documents are kept, layers go straight
//! into unpacking, whatever their order and names.

use std::collections::{HashMap, VecDeque};
use std::io::BufRead;
use std::thread::JoinHandle;

use dhow_model::Digest;

use super::{ArchiveError, LoadProgress};
use crate::layer::{LayerError, LayerWriter, MadeLayer, clean};
use crate::store::{ImageStore, sha256};
use crate::tar::{Entry, Kind, TarReader};

/// One document, and all of them together, may be this large.
const MAX_DOCUMENT: u64 = 8 << 20;
const MAX_DOCUMENTS: usize = 64 << 20;

/// How many documents, layers and links an archive may have.
const MAX_ENTRIES: usize = 20_000;

/// How many layers may still be unpacking behind the one being read.
const BEHIND: usize = 2;

/// Links in the archive are followed this often.
const MAX_LINKS: usize = 16;

/// What an archive held.
#[derive(Debug, Default)]
pub(super) struct Spool {
    pub documents: HashMap<Vec<u8>, Vec<u8>>,
    pub layers: HashMap<Vec<u8>, MadeLayer>,
    links: HashMap<Vec<u8>, Vec<u8>>,
}

type Behind = VecDeque<(Vec<u8>, JoinHandle<Result<MadeLayer, LayerError>>)>;

impl Spool {
    /// Reads the archive to its end.
    pub fn read<R: BufRead>(
        store: &ImageStore,
        input: R,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, ArchiveError> {
        let mut spool = Self::default();
        let mut behind = Behind::new();
        let mut archive = TarReader::new(input);
        let result = spool.entries(store, &mut archive, &mut behind, progress);
        // Threads are waited for on every path, so that nothing is being
        // written when what they wrote is dropped.
        let mut failure = result.err();
        while let Some((path, thread)) = behind.pop_front() {
            match spool.landed(path, thread) {
                Ok(()) => {}
                Err(error) => failure = Some(failure.unwrap_or(error)),
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(spool),
        }
    }

    /// The path of what `path` leads to, links followed.
    pub fn resolve(&self, path: &str) -> Option<Vec<u8>> {
        let mut path = clean(path.as_bytes(), "the archive").ok()?;
        for _ in 0..MAX_LINKS {
            match self.links.get(&path) {
                Some(target) => path.clone_from(target),
                None => return Some(path),
            }
        }
        None
    }

    /// The document at `path`.
    pub fn document(&self, path: &str) -> Result<&[u8], ArchiveError> {
        let found = self.resolve(path).and_then(|p| self.documents.get(&p));
        let found = found.map(Vec::as_slice);
        found.ok_or_else(|| ArchiveError::Missing(path.to_owned()))
    }

    fn entries<R: BufRead>(
        &mut self,
        store: &ImageStore,
        archive: &mut TarReader<R>,
        behind: &mut Behind,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<(), ArchiveError> {
        let mut room = MAX_DOCUMENTS;
        let mut count = 0;
        while let Some(entry) = archive.next_entry()? {
            count += 1;
            if count > MAX_ENTRIES {
                return Err(ArchiveError::TooMuch);
            }
            let path = clean(&entry.path, "the archive").map_err(ArchiveError::Name)?;
            match entry.kind {
                Kind::File => {}
                Kind::Symlink | Kind::Hardlink => {
                    self.link(&entry, path)?;
                    continue;
                }
                _ => continue,
            }
            let head = head(archive)?;
            if is_layer(&head) {
                let mut writer = LayerWriter::new(store)?;
                writer.take(&head)?;
                let name = layer_name(&path);
                let mut current = head.len() as u64;
                loop {
                    let data = archive.fill()?;
                    if data.is_empty() {
                        break;
                    }
                    let length = data.len();
                    writer.take(data)?;
                    archive.consume(length);
                    current += length as u64;
                    progress(LoadProgress {
                        layer: name.clone(),
                        current,
                        total: entry.size,
                    });
                }
                let thread = std::thread::Builder::new()
                    .name("layer-finish".into())
                    .spawn(move || writer.finish())
                    .map_err(LayerError::Thread)?;
                behind.push_back((path, thread));
                if behind.len() > BEHIND
                    && let Some((path, thread)) = behind.pop_front()
                {
                    self.landed(path, thread)?;
                }
                continue;
            }
            if !matches!(head.first(), Some(b'{' | b'[')) {
                continue;
            }
            let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
            if entry.size > MAX_DOCUMENT || size > room {
                return Err(ArchiveError::TooMuch);
            }
            room -= size;
            let mut data = head;
            data.reserve(size - data.len().min(size));
            loop {
                let more = archive.fill()?;
                if more.is_empty() {
                    break;
                }
                let length = more.len();
                data.extend_from_slice(more);
                archive.consume(length);
            }
            verify(&path, &sha256(&data))?;
            self.documents.insert(path, data);
        }
        Ok(())
    }

    fn link(&mut self, entry: &Entry, path: Vec<u8>) -> Result<(), ArchiveError> {
        let target = match entry.kind {
            // From where the link is.
            Kind::Symlink => {
                let dir = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
                [&path[..dir], b"/", entry.link.as_slice()].concat()
            }
            _ => entry.link.clone(),
        };
        let target = clean(&target, "the archive").map_err(ArchiveError::Name)?;
        self.links.insert(path, target);
        Ok(())
    }

    fn landed(
        &mut self,
        path: Vec<u8>,
        thread: JoinHandle<Result<MadeLayer, LayerError>>,
    ) -> Result<(), ArchiveError> {
        let layer = match thread.join() {
            Ok(layer) => layer?,
            Err(_) => return Err(LayerError::Thread(std::io::Error::other("panicked")).into()),
        };
        verify(&path, &layer.descriptor().digest)?;
        self.layers.insert(path, layer);
        Ok(())
    }
}

/// The first bytes of an entry, as many as tell what it is.
fn head<R: BufRead>(archive: &mut TarReader<R>) -> Result<Vec<u8>, ArchiveError> {
    let mut head = Vec::with_capacity(512);
    while head.len() < 512 {
        let data = archive.fill()?;
        if data.is_empty() {
            break;
        }
        let count = data.len().min(512 - head.len());
        head.extend_from_slice(&data[..count]);
        archive.consume(count);
    }
    Ok(head)
}

/// A blob named by a digest must have it.
fn verify(path: &[u8], actual: &Digest) -> Result<(), ArchiveError> {
    let Some(name) = path.strip_prefix(b"blobs/sha256/") else {
        return Ok(());
    };
    if name == actual.hex().as_bytes() {
        return Ok(());
    }
    Err(ArchiveError::Digest {
        name: String::from_utf8_lossy(name).into_owned(),
        actual: actual.clone(),
    })
}

/// What a layer's file is called: its digest, or its directory.
fn layer_name(path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    let name = path.strip_suffix("/layer.tar").unwrap_or(&path);
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

/// Whether something that begins with `head` is a layer: compressed, or a tar
/// archive, perhaps an empty one.
fn is_layer(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b])
        || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || head.get(257..262) == Some(b"ustar")
        || (head.len() >= 512 && head[..512].iter().all(|&b| b == 0))
}
