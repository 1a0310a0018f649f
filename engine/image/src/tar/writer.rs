//! A streaming writer: ustar headers, with PAX records where they don't do.
//!
//! The same tree always gives the same bytes.

use std::io::{self, Read, Write};

use super::header::{BLOCK, Kind};

/// What is written of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// The name in the archive; directories get their slash here.
    pub path: &'a [u8],
    /// What it is.
    pub kind: Kind,
    /// The target of a link.
    pub link: &'a [u8],
    /// Permission bits with set-id and sticky bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time, seconds.
    pub mtime: i64,
    /// Modification time, nanoseconds within the second.
    pub mtime_nsec: u32,
    /// Bytes of data that will follow.
    pub size: u64,
    /// Device numbers.
    pub device: (u32, u32),
    /// Extended attributes.
    pub xattrs: &'a [(Vec<u8>, Vec<u8>)],
}

impl<'a> Record<'a> {
    /// A plain file of root's with `size` bytes to follow.
    pub fn file(path: &'a [u8], size: u64, mtime: i64) -> Self {
        Self {
            path,
            kind: Kind::File,
            link: b"",
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime,
            mtime_nsec: 0,
            size,
            device: (0, 0),
            xattrs: &[],
        }
    }

    /// A directory of root's.
    pub fn dir(path: &'a [u8], mtime: i64) -> Self {
        Self {
            kind: Kind::Dir,
            mode: 0o755,
            ..Self::file(path, 0, mtime)
        }
    }
}

/// Writes entries one after the other.
#[derive(Debug)]
pub struct TarWriter<W> {
    output: W,
}

impl<W: Write> TarWriter<W> {
    /// A writer of an archive into `output`.
    pub fn new(output: W) -> Self {
        Self { output }
    }

    /// A whole small file.
    pub fn bytes(&mut self, path: &[u8], data: &[u8], mtime: i64) -> io::Result<()> {
        self.header(&Record::file(path, data.len() as u64, mtime))?;
        self.output.write_all(data)?;
        self.pad(data.len() as u64)
    }

    /// An entry whose `record.size` bytes come from `data`. A source that
    /// turns out shorter (it is being written to meanwhile) is filled up with
    /// zeros, a longer one cut: the header is out already.
    pub fn copy(&mut self, record: &Record<'_>, data: &mut dyn Read) -> io::Result<()> {
        self.header(record)?;
        let mut buffer = vec![0; 128 * 1024];
        let mut left = record.size;
        while left > 0 {
            let want = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            match data.read(&mut buffer[..want]) {
                Ok(0) => break,
                Ok(count) => {
                    self.output.write_all(&buffer[..count])?;
                    left -= count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if left > 0 {
            buffer.fill(0);
            while left > 0 {
                let want = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(buffer.len());
                self.output.write_all(&buffer[..want])?;
                left -= want as u64;
            }
        }
        self.pad(record.size)
    }

    /// An entry without data.
    pub fn header(&mut self, record: &Record<'_>) -> io::Result<()> {
        let mut path = record.path.to_vec();
        if record.kind == Kind::Dir && !path.ends_with(b"/") {
            path.push(b'/');
        }
        let mut pax = Vec::new();
        let split = split_path(&path);
        if split.is_none() || !path.is_ascii() {
            pax_record(&mut pax, b"path", &path);
        }
        if record.link.len() > 100 || !record.link.is_ascii() {
            pax_record(&mut pax, b"linkpath", record.link);
        }
        if record.size > MAX_OCTAL_SIZE {
            pax_record(&mut pax, b"size", record.size.to_string().as_bytes());
        }
        if record.uid > MAX_OCTAL_ID {
            pax_record(&mut pax, b"uid", record.uid.to_string().as_bytes());
        }
        if record.gid > MAX_OCTAL_ID {
            pax_record(&mut pax, b"gid", record.gid.to_string().as_bytes());
        }
        let octal_time = u64::try_from(record.mtime).is_ok_and(|t| t <= MAX_OCTAL_SIZE);
        if !octal_time || record.mtime_nsec != 0 {
            let time = decimal_time(record.mtime, record.mtime_nsec);
            pax_record(&mut pax, b"mtime", time.as_bytes());
        }
        for (key, value) in record.xattrs {
            pax_record(
                &mut pax,
                &[b"SCHILY.xattr.", key.as_slice()].concat(),
                value,
            );
        }
        if !pax.is_empty() {
            let name = pax_name(&path);
            let header = Record::file(&name, pax.len() as u64, 0);
            self.block(&header, b'x', (b"", &name))?;
            self.output.write_all(&pax)?;
            self.pad(pax.len() as u64)?;
        }
        let (prefix, name) = split.unwrap_or((b"", &path[..path.len().min(100)]));
        self.block(record, type_flag(record.kind), (prefix, name))
    }

    /// Raw data of an entry whose header was written by [`Self::header`].
    pub fn data(&mut self, data: &[u8]) -> io::Result<()> {
        self.output.write_all(data)
    }

    /// Fills up the last block of an entry of `size` bytes.
    pub fn pad(&mut self, size: u64) -> io::Result<()> {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        if over > 0 {
            self.output.write_all(&[0; BLOCK][over..])?;
        }
        Ok(())
    }

    /// Ends the archive and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.write_all(&[0; 2 * BLOCK])?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn block(
        &mut self,
        record: &Record<'_>,
        flag: u8,
        (prefix, name): (&[u8], &[u8]),
    ) -> io::Result<()> {
        let mut block = [0u8; BLOCK];
        block[..name.len()].copy_from_slice(name);
        octal(&mut block[100..108], u64::from(record.mode));
        octal(
            &mut block[108..116],
            u64::from(record.uid.min(MAX_OCTAL_ID)),
        );
        octal(
            &mut block[116..124],
            u64::from(record.gid.min(MAX_OCTAL_ID)),
        );
        octal(&mut block[124..136], record.size.min(MAX_OCTAL_SIZE));
        let time = u64::try_from(record.mtime).unwrap_or(0).min(MAX_OCTAL_SIZE);
        octal(&mut block[136..148], time);
        block[156] = flag;
        let link = &record.link[..record.link.len().min(100)];
        block[157..157 + link.len()].copy_from_slice(link);
        block[257..265].copy_from_slice(b"ustar\x0000");
        octal(&mut block[329..337], u64::from(record.device.0));
        octal(&mut block[337..345], u64::from(record.device.1));
        block[345..345 + prefix.len()].copy_from_slice(prefix);
        block[148..156].fill(b' ');
        let sum: u64 = block.iter().map(|&b| u64::from(b)).sum();
        octal(&mut block[148..155], sum);
        self.output.write_all(&block)
    }
}

const MAX_OCTAL_SIZE: u64 = 0o777_7777_7777;
const MAX_OCTAL_ID: u32 = 0o777_7777;

fn type_flag(kind: Kind) -> u8 {
    match kind {
        Kind::File => b'0',
        Kind::Hardlink => b'1',
        Kind::Symlink => b'2',
        Kind::Char => b'3',
        Kind::Block => b'4',
        Kind::Dir => b'5',
        Kind::Fifo => b'6',
    }
}

/// Digits and a NUL, as many as the field has room for.
fn octal(field: &mut [u8], mut value: u64) {
    let last = field.len() - 1;
    field[last] = 0;
    for place in (0..last).rev() {
        field[place] = b'0' + u8::try_from(value & 7).unwrap_or(0);
        value >>= 3;
    }
}

/// The path as ustar's prefix and name, if it fits.
fn split_path(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= 100 {
        return Some((b"", path));
    }
    let slash = path[..path.len() - 1]
        .iter()
        .enumerate()
        .position(|(at, &b)| b == b'/' && path.len() - at - 1 <= 100)?;
    (slash > 0 && slash <= 155).then(|| (&path[..slash], &path[slash + 1..]))
}

/// What a reader that knows no PAX will call the file of records.
fn pax_name(path: &[u8]) -> Vec<u8> {
    let name = path.rsplit(|&b| b == b'/').find(|n| !n.is_empty());
    let name = name.unwrap_or(b"root");
    let mut pax = b"PaxHeaders.0/".to_vec();
    pax.extend(name.iter().take(80).filter(|b| b.is_ascii()));
    pax
}

fn pax_record(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    // The length counts its own digits.
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

fn decimal_time(seconds: i64, nanos: u32) -> String {
    let text = match (seconds < 0, nanos) {
        (_, 0) => return seconds.to_string(),
        (false, _) => format!("{seconds}.{nanos:09}"),
        // 0.75 s after second -2 is written -1.25.
        (true, _) => format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanos),
    };
    text.trim_end_matches('0').to_owned()
}
