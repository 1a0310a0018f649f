//! The files of a log: the live one and those it left behind when it turned
//! over, which may be happening at this moment.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// What stays the same when a file is renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// An open file of a log.
#[derive(Debug)]
pub(super) struct Link {
    pub file: File,
    pub identity: Identity,
    pub compressed: bool,
    pub length: u64,
}

/// How much of two files is compared to tell whether one is the other's
/// compressed form; the times in it make it unique.
const COMPARED: usize = 512;

/// The identity of what is at `path` now.
pub(super) fn identity(path: &Path) -> io::Result<Option<Identity>> {
    Ok(present(fs::metadata(path))?.map(|m| identity_of(&m)))
}

/// How often files that turn over again and again are looked through.
const TRIES: usize = 50;

/// Opens all files, newest first.
pub(super) fn open(path: &Path) -> io::Result<Vec<Link>> {
    let mut links = open_once(path)?;
    for _ in 1..TRIES {
        let newest = identity(path)?;
        if newest.is_some() && newest == links.first().map(|link| link.identity) {
            break;
        }
        if newest.is_none() && links.is_empty() {
            break;
        }
        // It turned over meanwhile: the order may be wrong.
        links = open_once(path)?;
    }
    Ok(links)
}

/// Files move to higher numbers while a log turns over, the highest first. So
/// going the same way nothing is missed of one turn, but a file may be met
/// again, under its next name or compressed; it is taken once.
fn open_once(path: &Path) -> io::Result<Vec<Link>> {
    let mut links: Vec<Link> = Vec::new();
    let mut add = |path: &Path, compressed: bool| -> io::Result<bool> {
        let Some(file) = present(File::open(path))? else {
            return Ok(false);
        };
        let metadata = file.metadata()?;
        let link = Link {
            identity: identity_of(&metadata),
            length: metadata.len(),
            file,
            compressed,
        };
        if !links.iter().any(|known| known.is_same(&link)) {
            links.push(link);
        }
        Ok(true)
    };
    add(path, false)?;
    for number in 1..=highest_number(path)? + 1 {
        let _there =
            add(&rotated(path, number, ""), false)? || add(&rotated(path, number, ".gz"), true)?;
    }
    Ok(links)
}

impl Link {
    /// Whether `other` is the same file, or holds the same compressed.
    pub fn is_same(&self, other: &Self) -> bool {
        self.identity == other.identity
            || match (self.compressed, other.compressed) {
                (false, true) => is_compressed_form(&self.file, other),
                (true, false) => is_compressed_form(&other.file, self),
                _ => false,
            }
    }
}

/// Whether `link` is what `plain` was compressed into.
pub(super) fn is_compressed_form(plain: &File, link: &Link) -> bool {
    let compare = || -> io::Result<bool> {
        let mut length = [0; 4];
        let Some(at) = link.length.checked_sub(4) else {
            return Ok(false);
        };
        link.file.read_exact_at(&mut length, at)?;
        // gzip keeps the length modulo 2^32.
        if u32::from_le_bytes(length) != plain.metadata()?.len() as u32 {
            return Ok(false);
        }
        let mut start = vec![0; COMPARED];
        let read = plain.read_at(&mut start, 0)?;
        let mut other = Vec::with_capacity(COMPARED);
        MultiGzDecoder::new(BufReader::new(From0(&link.file, 0)))
            .take(read as u64)
            .read_to_end(&mut other)?;
        Ok(start[..read] == other)
    };
    compare().unwrap_or(false)
}

/// Reads from the beginning without moving the file's own position.
struct From0<'a>(&'a File, u64);

impl Read for From0<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read_at(buffer, self.1)?;
        self.1 += read as u64;
        Ok(read)
    }
}

fn identity_of(metadata: &fs::Metadata) -> Identity {
    Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
    }
}

fn highest_number(path: &Path) -> io::Result<u32> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let Some(entries) = present(fs::read_dir(directory))? else {
        return Ok(0);
    };
    let prefix = path.file_name().unwrap_or_default().as_bytes();
    let mut highest = 0;
    for entry in entries {
        highest = highest.max(number_in(&entry?.file_name(), prefix).unwrap_or(0));
    }
    Ok(highest)
}

fn number_in(name: &OsStr, prefix: &[u8]) -> Option<u32> {
    let number = name.as_bytes().strip_prefix(prefix)?.strip_prefix(b".")?;
    let number = number.strip_suffix(b".gz").unwrap_or(number);
    let number = std::str::from_utf8(number).ok()?.parse().ok();
    number.filter(|n| *n < 100_000)
}

fn rotated(path: &Path, number: u32, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}{extension}"));
    name.into()
}

/// The result, or nothing where there is no such file.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}
