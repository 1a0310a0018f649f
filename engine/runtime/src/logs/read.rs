//! Reading a log: all of it or its end, from the oldest rotated file to the
//! live one, rendered as the bytes a client of the API is sent, and on from
//! there as more is written.
//!
//! Plain files are read in blocks and parsed in place. The reader never waits:
//! whoever follows a log calls [`Reader::read`] again when the file's directory
//! has changed. It knows nothing of containers and their ends.

mod chain;
mod record;
mod render;
mod source;
mod tail;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use dhow_model::{ErrorKind, HasKind};

use chain::Link;
use record::Next;
use render::Renderer;
use source::Source;

/// How a log was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// [`json`](super::json).
    Json,
    /// [`local`](super::local).
    Local,
}

/// What of a log is wanted, and in what form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub stdout: bool,
    pub stderr: bool,
    /// Nothing before the first record at or after this (nanoseconds since the
    /// epoch). Clocks step back; what follows that record is shown all the same.
    pub since: Option<i64>,
    /// Nothing from the first record after this.
    pub until: Option<i64>,
    /// Only so many records, counted from the end before anything else is left
    /// out, as Docker counts.
    pub tail: Option<u64>,
    /// Each record begins with its time.
    pub timestamps: bool,
    /// Each record begins with its attributes.
    pub details: bool,
    /// Each record is a stdcopy frame; otherwise they are one after the other.
    pub frames: bool,
    /// What is written later is wanted too; otherwise only what was there when
    /// the log was opened.
    pub follow: bool,
}

/// Where a read has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// At the limit; there may be more.
    More,
    /// Behind the last whole record.
    CaughtUp,
    /// Behind the end of the selection: nothing will come any more.
    Over,
}

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read log {path}")]
pub struct ReadError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl HasKind for ReadError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::System
    }
}

/// An open log and a place in it.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    format: Format,
    follow: bool,
    period: Period,
    /// What is to be read, oldest first. The newest stays when it is read.
    sources: VecDeque<Source>,
    renderer: Renderer,
}

/// The time records are wanted from.
#[derive(Debug)]
struct Period {
    /// Forgotten with the first record that is late enough.
    since: Option<i64>,
    until: Option<i64>,
    /// A record was too late.
    over: bool,
}

impl Period {
    fn admits(&mut self, time: impl FnOnce() -> Option<i64>) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let Some(time) = time() else { return false };
        if self.since.is_some_and(|since| time < since) {
            return false;
        }
        self.since = None;
        self.over = self.until.is_some_and(|until| time > until);
        !self.over
    }
}

impl Reader {
    /// Opens the log whose live file is at `path`. A log that was never begun
    /// is empty.
    pub fn open(path: &Path, format: Format, selection: Selection) -> Result<Self, ReadError> {
        let mut reader = Self {
            path: path.to_owned(),
            format,
            follow: selection.follow,
            period: Period {
                since: selection.since,
                until: selection.until,
                over: false,
            },
            sources: VecDeque::new(),
            renderer: Renderer::new(&selection),
        };
        reader
            .open_files(selection.tail)
            .map_err(|e| failed(path, e))?;
        Ok(reader)
    }

    /// Appends rendered records to `out` until it has grown to `limit` or there
    /// are no more whole ones. The last may make it longer.
    pub fn read(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<Progress, ReadError> {
        self.read_files(out, limit)
            .map_err(|e| failed(&self.path, e))
    }

    /// What is written from now on is not wanted any more.
    pub fn end_here(&mut self) -> Result<(), ReadError> {
        self.end_files().map_err(|e| failed(&self.path, e))
    }

    fn end_files(&mut self) -> io::Result<()> {
        self.find_newer()?;
        if let Some(newest) = self.sources.back_mut() {
            newest.end_here()?;
        }
        self.follow = false;
        Ok(())
    }

    fn open_files(&mut self, tail: Option<u64>) -> io::Result<()> {
        let mut wanted = tail;
        for (age, link) in chain::open(&self.path)?.into_iter().enumerate() {
            if wanted == Some(0) && age > 0 {
                break;
            }
            let mut source = Source::new(link, age == 0 && !self.follow)?;
            if let Some(wanted) = &mut wanted {
                *wanted -= tail::shorten(&mut source, self.format, *wanted)?;
            }
            self.sources.push_front(source);
        }
        Ok(())
    }

    fn read_files(&mut self, out: &mut Vec<u8>, limit: usize) -> io::Result<Progress> {
        loop {
            if self.period.over {
                return Ok(Progress::Over);
            }
            if self.take_records(out, limit)? {
                return Ok(match self.period.over {
                    true => Progress::Over,
                    false => Progress::More,
                });
            }
            if self.sources.len() > 1 {
                self.sources.pop_front();
                self.renderer.forget_attributes();
            } else if !(self.follow && self.find_newer()?) {
                if let Some(source) = self.sources.front_mut() {
                    source.rest();
                }
                return Ok(Progress::CaughtUp);
            }
        }
    }

    /// Renders what the first file has; true when it stopped before the end, at
    /// the limit or because the rest is too late.
    fn take_records(&mut self, out: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
        let Some(source) = self.sources.front_mut() else {
            return Ok(false);
        };
        if self.format == Format::Local
            && let Some(attributes) = source.skipped_attributes()?
        {
            self.renderer.attributes(&attributes);
        }
        loop {
            let mut used = 0;
            let mut stopped = false;
            let mut damaged = false;
            let mut skip = source.skip;
            let unread = source.unread();
            while !stopped {
                match record::next(self.format, &unread[used..]) {
                    Next::Partial => break,
                    Next::Damaged => {
                        damaged = true;
                        break;
                    }
                    Next::Attributes(attributes, length) => {
                        self.renderer.attributes(attributes);
                        used += length;
                    }
                    Next::Record(_, length) if skip > 0 => {
                        skip -= 1;
                        used += length;
                    }
                    Next::Record(bytes, length) => {
                        used += length;
                        let (period, renderer) = (&mut self.period, &mut self.renderer);
                        record::with(self.format, bytes, |record| {
                            if period.admits(|| renderer.clock.nanos(record.time)) {
                                renderer.append(out, &record);
                            }
                        });
                        stopped = out.len() >= limit || self.period.over;
                    }
                }
            }
            source.skip = skip;
            source.consume(used);
            if stopped {
                return Ok(true);
            }
            if damaged {
                source.give_up()?;
            }
            if !source.fill(self.format)? {
                return Ok(false);
            }
        }
    }

    /// Whether the log has turned over since, or begun: then its newer files
    /// are put behind the newest known, which is read once more, because it may
    /// have grown before it was moved. There is no live file for an
    /// instant when it turns over.
    fn find_newer(&mut self) -> io::Result<bool> {
        let newest = chain::identity(&self.path)?;
        if let (Some(source), Some(newest)) = (self.sources.back_mut(), newest)
            && source.is(newest)
        {
            return source.restart_if_cut();
        }
        let links = chain::open(&self.path)?;
        let read = |link: &Link| self.sources.back().is_some_and(|s| s.was(link));
        let newer = links.iter().position(read).unwrap_or(links.len());
        for link in links.into_iter().take(newer).rev().collect::<Vec<_>>() {
            self.sources.push_back(Source::new(link, false)?);
        }
        Ok(newer > 0)
    }
}

fn failed(path: &Path, source: io::Error) -> ReadError {
    ReadError {
        path: path.to_owned(),
        source,
    }
}
