//! One file of a log, read block by block.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::fs::FileExt;

use flate2::read::MultiGzDecoder;

use super::chain::{Identity, Link, is_compressed_form};
use super::record::{self, Next};
use super::{Format, chain};

/// How much is read at once.
const BLOCK: usize = 256 * 1024;
/// No record is longer; what seems so is skipped.
const LONGEST: usize = 8 * 1024 * 1024;

/// A file and a place in it.
#[derive(Debug)]
pub(super) struct Source {
    input: Input,
    identity: Identity,
    /// Records to leave out before the first that is wanted.
    pub skip: u64,
    /// Bytes read, of which those from `start` on are not used yet.
    window: Vec<u8>,
    start: usize,
    /// How large the window may be.
    room: usize,
    /// In the midst of a line that is too long to be one.
    in_overlong: bool,
    /// Its attributes are still to be looked at.
    begun: bool,
}

#[derive(Debug)]
enum Input {
    Plain {
        file: File,
        /// Where the window's unused bytes begin. They are read again rather
        /// than kept: the end of a record that a crash cut off is cut away and
        /// written over when the log goes on.
        position: u64,
        end: Option<u64>,
    },
    Compressed {
        file: File,
        decoder: Box<MultiGzDecoder<BufReader<File>>>,
    },
}

impl Source {
    /// The file from its beginning, to what is its end now where `ends`.
    pub fn new(link: Link, ends: bool) -> io::Result<Self> {
        Ok(Self {
            identity: link.identity,
            input: match link.compressed {
                false => Input::Plain {
                    position: 0,
                    end: ends.then_some(link.length),
                    file: link.file,
                },
                true => Input::Compressed {
                    decoder: Box::new(decoder(&link.file)?),
                    file: link.file,
                },
            },
            skip: 0,
            window: Vec::new(),
            start: 0,
            room: BLOCK,
            in_overlong: false,
            begun: false,
        })
    }

    /// The file and its present end, if it is not compressed.
    pub fn plain(&self) -> io::Result<Option<(&File, u64)>> {
        match &self.input {
            Input::Plain { file, end, .. } => {
                let length = file.metadata()?.len();
                Ok(Some((file, end.unwrap_or(length).min(length))))
            }
            Input::Compressed { .. } => Ok(None),
        }
    }

    /// Wants nothing behind the present end.
    pub fn end_here(&mut self) -> io::Result<()> {
        if let Input::Plain { file, end, .. } = &mut self.input {
            *end = Some(file.metadata()?.len());
        }
        Ok(())
    }

    /// Goes to that place of a plain file.
    pub fn seek(&mut self, to: u64) {
        if let Input::Plain { position, .. } = &mut self.input {
            *position = to;
        }
        self.forget_window();
    }

    /// How many records it has, up to damage; goes back to the beginning.
    pub fn count(&mut self, format: Format) -> io::Result<u64> {
        let mut count = 0;
        loop {
            let mut used = 0;
            let damaged = loop {
                match record::next(format, &self.unread()[used..]) {
                    Next::Record(_, length) => {
                        count += 1;
                        used += length;
                    }
                    Next::Attributes(_, length) => used += length,
                    Next::Partial => break false,
                    Next::Damaged => break true,
                }
            };
            self.consume(used);
            if damaged || !self.fill(format)? {
                break;
            }
        }
        self.rewind()?;
        Ok(count)
    }

    fn rewind(&mut self) -> io::Result<()> {
        match &mut self.input {
            Input::Plain { position, .. } => *position = 0,
            Input::Compressed { file, decoder: old } => **old = decoder(file)?,
        }
        self.forget_window();
        Ok(())
    }

    /// Bytes that were read and not consumed.
    pub fn unread(&self) -> &[u8] {
        &self.window[self.start..]
    }

    /// Takes so many bytes as done with.
    pub fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        if let Input::Plain { position, .. } = &mut self.input {
            *position += bytes as u64;
        }
    }

    /// Reads on; false when there is nothing beyond what was read.
    pub fn fill(&mut self, format: Format) -> io::Result<bool> {
        loop {
            let before = self.unread().len();
            if before >= self.room {
                if self.room >= LONGEST {
                    self.in_overlong = format == Format::Json;
                    self.consume(before);
                }
                self.room = (self.room * 2).min(LONGEST);
                continue;
            }
            if !self.read_on(before)? {
                return Ok(false);
            }
            if !self.in_overlong {
                return Ok(true);
            }
            // Only lines have an end that can be found.
            match memchr::memchr(b'\n', self.unread()) {
                Some(at) => {
                    self.consume(at + 1);
                    self.in_overlong = false;
                    self.room = BLOCK;
                    return Ok(true);
                }
                None => self.consume(self.unread().len()),
            }
        }
    }

    fn read_on(&mut self, before: usize) -> io::Result<bool> {
        match &mut self.input {
            Input::Plain {
                file,
                position,
                end,
            } => {
                let length = file.metadata()?.len();
                let left = end.unwrap_or(length).min(length).saturating_sub(*position);
                let size = usize::try_from(left).unwrap_or(usize::MAX).min(self.room);
                self.start = 0;
                self.window.resize(size, 0);
                let read = read_full_at(file, &mut self.window, *position)?;
                self.window.truncate(read);
                Ok(read > before)
            }
            Input::Compressed { decoder, .. } => {
                self.window.drain(..self.start);
                self.start = 0;
                let room = (self.room - before) as u64;
                let read = decoder.by_ref().take(room).read_to_end(&mut self.window);
                // What was decompressed before the damage has been kept.
                match read {
                    Ok(read) => Ok(read > 0),
                    Err(_) => Ok(self.window.len() > before),
                }
            }
        }
    }

    /// What is here is no record: goes to the present end, where new ones are
    /// appended.
    pub fn give_up(&mut self) -> io::Result<()> {
        match &mut self.input {
            Input::Plain {
                file,
                position,
                end,
            } => {
                let length = file.metadata()?.len();
                *position = end.unwrap_or(length).min(length);
            }
            Input::Compressed { decoder, .. } => {
                io::copy(decoder, &mut io::sink()).unwrap_or(0);
            }
        }
        self.forget_window();
        Ok(())
    }

    /// Gives the window's memory back: nothing will be read for a while.
    pub fn rest(&mut self) {
        if let Input::Plain { .. } = self.input {
            self.forget_window();
        }
    }

    fn forget_window(&mut self) {
        self.window = Vec::new();
        self.start = 0;
        self.room = BLOCK;
    }

    /// Whether it is the file of that identity.
    pub fn is(&self, identity: Identity) -> bool {
        self.identity == identity
    }

    /// Whether `link` is this file, or what it was compressed into.
    pub fn was(&self, link: &chain::Link) -> bool {
        self.identity == link.identity
            || match &self.input {
                Input::Plain { file, .. } => link.compressed && is_compressed_form(file, link),
                Input::Compressed { .. } => false,
            }
    }

    /// A file that was emptied is read from its beginning again; true if so.
    pub fn restart_if_cut(&mut self) -> io::Result<bool> {
        match &self.input {
            Input::Plain { file, position, .. } if file.metadata()?.len() < *position => {
                self.seek(0);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The attributes at the file's beginning, when reading begins behind them;
    /// looked for once.
    pub fn skipped_attributes(&mut self) -> io::Result<Option<Vec<u8>>> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(None);
        }
        let Input::Plain { file, position, .. } = &self.input else {
            return Ok(None);
        };
        if *position == 0 {
            return Ok(None);
        }
        let mut start = vec![0; BLOCK];
        let read = read_full_at(file, &mut start, 0)?;
        Ok(match record::next(Format::Local, &start[..read]) {
            Next::Attributes(attributes, _) => Some(attributes.to_vec()),
            _ => None,
        })
    }
}

fn decoder(file: &File) -> io::Result<MultiGzDecoder<BufReader<File>>> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    Ok(MultiGzDecoder::new(BufReader::new(file)))
}

/// Reads as much as there is.
pub(super) fn read_full_at(file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
