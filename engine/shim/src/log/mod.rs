//! Writing the container's output to its log: cutting it into lines, encoding
//! them, rotating files. One write per chunk of output, none held back.

mod file;
mod lines;

use std::io;

use dhow_model::Timestamp;
use dhow_runtime::logs::{Stream, json, local};
use dhow_runtime::protocol::{LogConfig, LogDriver};

use file::LogFile;
use lines::Lines;

/// The log of a container.
#[derive(Debug)]
pub enum Log {
    /// Thrown away.
    None,
    File(Box<FileLog>),
}

/// A log in files.
#[derive(Debug)]
pub struct FileLog {
    format: Format,
    file: LogFile,
    lines: [Lines; 2],
    /// Encoded records not yet written; empty between chunks.
    out: Vec<u8>,
    trouble: Trouble,
}

/// What went wrong and what it cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    pub error: Option<String>,
    pub bytes_lost: u64,
}

#[derive(Debug)]
enum Format {
    Json(json::Encoder),
    Local { attrs: Vec<u8> },
}

/// Encoded records are written at the latest when they are so many bytes.
const FLUSH_AT: usize = 64 * 1024;

impl Log {
    /// Opens the log for appending.
    pub fn open(config: &LogConfig) -> io::Result<Self> {
        let format = match config.driver {
            LogDriver::None => return Ok(Self::None),
            LogDriver::JsonFile => Format::Json(json::Encoder::new(&config.attrs)),
            LogDriver::Local => Format::Local {
                attrs: match config.attrs.is_empty() {
                    true => Vec::new(),
                    false => serde_json::to_vec(&config.attrs)?,
                },
            },
        };
        let mut log = FileLog {
            file: LogFile::open(config)?,
            format,
            lines: Default::default(),
            out: Vec::new(),
            trouble: Trouble::default(),
        };
        log.begin_file();
        log.flush();
        Ok(Self::File(Box::new(log)))
    }

    /// Takes a chunk of output.
    pub fn write(&mut self, stream: Stream, chunk: &[u8], clock: &mut dyn FnMut() -> Timestamp) {
        let Self::File(log) = self else { return };
        let FileLog {
            lines,
            format,
            file,
            out,
            trouble,
        } = &mut **log;
        lines[stream as usize].push(chunk, clock, &mut |time, line, complete| {
            append(format, file, out, trouble, stream, time, line, complete);
        });
        log.flush();
    }

    /// The streams have ended: what is left of a line is written as it is.
    pub fn end(&mut self, clock: &mut dyn FnMut() -> Timestamp) {
        let Self::File(log) = self else { return };
        for stream in [Stream::Stdout, Stream::Stderr] {
            let FileLog {
                lines,
                format,
                file,
                out,
                trouble,
            } = &mut **log;
            lines[stream as usize].end(clock, &mut |time, line, complete| {
                append(format, file, out, trouble, stream, time, line, complete);
            });
        }
        log.flush();
    }

    /// Opens the file anew: it was moved or truncated.
    pub fn reopen(&mut self) -> io::Result<()> {
        let Self::File(log) = self else { return Ok(()) };
        log.file.reopen()?;
        log.begin_file();
        log.flush();
        Ok(())
    }

    /// What went wrong so far.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::File(log) if log.trouble.error.is_some() => Some(&log.trouble),
            _ => None,
        }
    }
}

impl FileLog {
    fn begin_file(&mut self) {
        begin_file(&self.format, &self.file, &mut self.out);
    }

    fn flush(&mut self) {
        flush(&mut self.file, &mut self.out, &mut self.trouble);
    }
}

/// A file of the local format begins with the attributes.
fn begin_file(format: &Format, file: &LogFile, out: &mut Vec<u8>) {
    if let Format::Local { attrs } = format
        && !attrs.is_empty()
        && file.is_empty()
    {
        let record = local::Record {
            kind: local::Kind::Attributes,
            time: Timestamp::from_nanos(0),
            content: attrs,
        };
        local::encode(out, &record);
    }
}

#[allow(clippy::too_many_arguments)] // the fields of a log, borrowed apart
fn append(
    format: &mut Format,
    file: &mut LogFile,
    out: &mut Vec<u8>,
    trouble: &mut Trouble,
    stream: Stream,
    time: Timestamp,
    line: &[u8],
    complete: bool,
) {
    if file.is_full(out.len()) {
        flush(file, out, trouble);
        if let Err(e) = file.rotate() {
            trouble.error = Some(format!("the log cannot be rotated: {e}"));
        }
        begin_file(format, file, out);
    }
    match format {
        Format::Json(encoder) => encoder.encode(out, stream, time, line, complete),
        Format::Local { .. } => local::encode(
            out,
            &local::Record {
                kind: local::Kind::Line { stream, complete },
                time,
                content: line,
            },
        ),
    }
    if out.len() >= FLUSH_AT {
        flush(file, out, trouble);
    }
}

fn flush(file: &mut LogFile, out: &mut Vec<u8>, trouble: &mut Trouble) {
    if out.is_empty() {
        return;
    }
    if let Err(e) = file.append(out) {
        trouble.error = Some(format!("the log cannot be written: {e}"));
        trouble.bytes_lost += out.len() as u64;
    }
    out.clear();
    // A burst may have grown it; idle containers should not pay for that.
    out.shrink_to(8 * 1024);
}
