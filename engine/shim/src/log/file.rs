//! The files of a log: appending whole records, rotating, compressing what was
//! rotated in a process of its own.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use dhow_runtime::logs::local;
use dhow_runtime::protocol::{LogConfig, LogDriver};

use crate::child;

/// The live file of a log.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
    max_size: Option<u64>,
    max_file: u32,
    compress: bool,
    driver: LogDriver,
    /// The process that compresses the file rotated last.
    compressor: Option<child::Pid>,
}

impl LogFile {
    /// Opens or makes the file. The end of a record that a crash cut off is
    /// taken away.
    pub fn open(config: &LogConfig) -> io::Result<Self> {
        let file = open(&config.path)?;
        let mut log = Self {
            path: config.path.clone(),
            file,
            size: 0,
            max_size: config.max_size,
            max_file: config.max_file.max(1),
            compress: config.compress,
            driver: config.driver,
            compressor: None,
        };
        log.mend()?;
        Ok(log)
    }

    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Whether the next record belongs into a new file, when `pending` bytes
    /// will be written to this one before.
    pub fn is_full(&self, pending: usize) -> bool {
        self.max_size
            .is_some_and(|max| self.size + pending as u64 >= max)
    }

    /// Appends whole records: all of them, or none.
    pub fn append(&mut self, records: &[u8]) -> io::Result<()> {
        match self.file.write_all(records) {
            Ok(()) => {
                self.size += records.len() as u64;
                Ok(())
            }
            Err(e) => {
                // Another process may have truncated the file; never extend it.
                if self.file.metadata().is_ok_and(|m| m.len() > self.size) {
                    let _ = self.file.set_len(self.size);
                }
                Err(e)
            }
        }
    }

    /// Opens the path anew.
    pub fn reopen(&mut self) -> io::Result<()> {
        self.file = open(&self.path)?;
        self.mend()
    }

    /// Moves the file out of the way and begins a new one; with only one file
    /// allowed, deletes it. It is not emptied: who reads it is to come to its
    /// end.
    pub fn rotate(&mut self) -> io::Result<()> {
        self.wait_for_compressor();
        if self.max_file < 2 {
            match fs::remove_file(&self.path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            self.file = open(&self.path)?;
            self.size = 0;
            return Ok(());
        }
        for number in (1..self.max_file).rev() {
            for extension in ["", ".gz"] {
                let from = rotated(&self.path, number, extension);
                let result = if number + 1 == self.max_file {
                    fs::remove_file(&from)
                } else {
                    fs::rename(&from, rotated(&self.path, number + 1, extension))
                };
                match result {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                    _ => {}
                }
            }
        }
        let first = rotated(&self.path, 1, "");
        fs::rename(&self.path, &first)?;
        self.file = open(&self.path)?;
        self.size = 0;
        if self.compress {
            self.compressor = child::fork(|| compress(&first)).ok();
        }
        Ok(())
    }

    fn wait_for_compressor(&mut self) {
        if let Some(pid) = self.compressor.take() {
            child::wait(pid);
        }
    }

    /// Finds the end of the last whole record and cuts there.
    fn mend(&mut self) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        self.size = match self.driver {
            _ if length == 0 => 0,
            LogDriver::JsonFile => {
                let mut last = [0];
                let mut reader = File::open(&self.path)?;
                reader.seek(SeekFrom::Start(length - 1))?;
                reader.read_exact(&mut last)?;
                match last {
                    [b'\n'] => length,
                    _ => last_line_feed(&mut reader, length)?,
                }
            }
            LogDriver::Local => last_record(&mut File::open(&self.path)?, length)?,
            LogDriver::None => length,
        };
        if self.size < length {
            self.file.set_len(self.size)?;
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .append(true)
        .mode(0o640)
        .open(path)
}

fn rotated(path: &Path, number: u32, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}{extension}"));
    name.into()
}

/// Where the last line of a file without a line feed at its end begins.
fn last_line_feed(reader: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut buffer = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(buffer.len() as u64);
        let chunk = &mut buffer[..(end - start) as usize];
        reader.seek(SeekFrom::Start(start))?;
        reader.read_exact(chunk)?;
        if let Some(at) = chunk.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Where the last whole record of a local log ends.
fn last_record(reader: &mut File, length: u64) -> io::Result<u64> {
    let mut at = 0;
    let mut buffer = vec![0; 256 * 1024];
    let mut filled = 0;
    loop {
        let read = reader.read(&mut buffer[filled..])?;
        filled += read;
        let mut used = 0;
        loop {
            match local::front(&buffer[used..filled]) {
                local::Front::Record(_, whole) => used += whole,
                local::Front::Partial => break,
                local::Front::Damaged => return Ok(at + used as u64),
            }
        }
        at += used as u64;
        buffer.copy_within(used..filled, 0);
        filled -= used;
        if read == 0 || (used == 0 && filled == buffer.len()) {
            return Ok(at.min(length));
        }
    }
}

/// Replaces a file by its compressed form. Runs in a process of its own.
fn compress(path: &Path) -> i32 {
    // What the shim has open is not to be held open by this.
    let _ = dhow_sys::process::close_from(3);
    let result = || -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".gz");
        let target = PathBuf::from(&name);
        name.push(".tmp");
        let temporary = PathBuf::from(name);
        let out = File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o640)
            .open(&temporary)?;
        let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
        io::copy(&mut File::open(path)?, &mut encoder)?;
        encoder.finish()?;
        fs::rename(&temporary, &target)?;
        fs::remove_file(path)
    };
    i32::from(result().is_err())
}
