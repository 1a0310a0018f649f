//! A streaming reader of ustar, PAX and GNU archives.

use std::io::{self, BufRead, Read};

use super::header::{BLOCK, Header, Kind, MAX_EXTENSION, TarError};
use super::pax::Pax;
use super::sparse;

/// One entry, its extensions resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name as it stands: not cleaned, perhaps hostile.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// The target of a link, as it stands.
    pub link: Vec<u8>,
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
    /// Length of the file, holes included.
    pub size: u64,
    /// Device numbers.
    pub device: (u32, u32),
    /// Extended attributes.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the data lies, for a file with holes.
    pub pieces: Option<Vec<(u64, u64)>>,
}

/// Reads entries one after the other; what is left of an entry's data is
/// skipped when the next one is asked for.
#[derive(Debug)]
pub struct TarReader<R> {
    input: R,
    /// Bytes of data of the current entry not yet consumed.
    data: u64,
    /// Bytes of padding after them.
    padding: u64,
    ended: bool,
}

impl<R: BufRead> TarReader<R> {
    /// A reader of the archive in `input`.
    pub fn new(input: R) -> Self {
        Self {
            input,
            data: 0,
            padding: 0,
            ended: false,
        }
    }

    /// The next entry, `None` after the last.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, TarError> {
        if self.ended {
            return Ok(None);
        }
        let mut pax = Pax::default();
        let (mut long_path, mut long_link) = (None, None);
        loop {
            if !self.skip_data()? {
                self.ended = true;
                return Ok(None);
            }
            let Some(block) = read_block(&mut self.input)? else {
                self.ended = true;
                return Ok(None);
            };
            if block.iter().all(|&byte| byte == 0) {
                self.ended = true;
                return Ok(None);
            }
            let header = Header::parse(&block)?;
            match header.type_flag() {
                b'x' => pax = Pax::parse(&self.extension(&header)?)?,
                // Defaults for all entries: nobody relies on them, and Docker
                // ignores them too.
                b'g' => drop(self.extension(&header)?),
                b'L' => long_path = Some(until_nul(self.extension(&header)?)),
                b'K' => long_link = Some(until_nul(self.extension(&header)?)),
                _ => return self.entry(&header, pax, long_path, long_link).map(Some),
            }
        }
    }

    /// What is buffered of the current entry's data; empty at its end. To be
    /// followed by [`Self::consume`].
    pub fn fill(&mut self) -> Result<&[u8], TarError> {
        if self.data == 0 {
            return Ok(&[]);
        }
        let wanted = usize::try_from(self.data).unwrap_or(usize::MAX);
        let buffer = self.input.fill_buf().map_err(TarError::Read)?;
        if buffer.is_empty() {
            return Err(truncated());
        }
        Ok(&buffer[..buffer.len().min(wanted)])
    }

    /// Marks `count` bytes of what [`Self::fill`] showed as used.
    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.data -= count as u64;
    }

    /// The stream after the archive's end, for readers that must see all of it.
    pub fn into_inner(self) -> R {
        self.input
    }

    fn entry(
        &mut self,
        header: &Header<'_>,
        pax: Pax,
        long_path: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
    ) -> Result<Entry, TarError> {
        let mut path = pax.path.or(long_path).unwrap_or_else(|| header.path());
        let kind = match header.type_flag() {
            // Before ustar, directories were files whose name ends in a slash.
            0 | b'0' | b'7' if path.ends_with(b"/") => Kind::Dir,
            0 | b'0' | b'7' | b'S' => Kind::File,
            b'1' => Kind::Hardlink,
            b'2' => Kind::Symlink,
            b'3' => Kind::Char,
            b'4' => Kind::Block,
            b'5' => Kind::Dir,
            b'6' => Kind::Fifo,
            other => return Err(TarError::Type(other)),
        };
        let mut size = match (kind, pax.size) {
            // Other kinds have no data, whatever their size says.
            (Kind::File, Some(size)) => size,
            (Kind::File, None) => header.size()?,
            _ => 0,
        };
        let mut stored = size;
        let mut pieces = None;
        if header.type_flag() == b'S' && header.is_gnu() {
            let (map, real) = sparse::old_gnu(header, &mut self.input)?;
            size = real;
            pieces = Some(map);
        } else if kind == Kind::File && pax.sparse.present {
            let records = pax.sparse;
            let map = if records.major == Some(1) {
                let padded = stored.checked_next_multiple_of(BLOCK as u64);
                let padded = padded.ok_or(TarError::Field("size"))?;
                let (map, taken) = sparse::pax_1(&mut self.input, padded)?;
                stored = stored.checked_sub(taken).ok_or(TarError::Sparse)?;
                map
            } else {
                sparse::pair(&records.map)?
            };
            size = records.real_size.ok_or(TarError::Sparse)?;
            if let Some(name) = records.name {
                path = name;
            }
            pieces = Some(map);
        }
        if let Some(map) = &pieces {
            sparse::check(map, size, stored)?;
        }
        self.begin_data(stored)?;
        let (mtime, mtime_nsec) = match pax.mtime {
            Some(time) => time,
            None => (header.mtime()?, 0),
        };
        Ok(Entry {
            path,
            kind,
            link: pax.link.or(long_link).unwrap_or_else(|| header.link()),
            mode: header.mode()?,
            uid: pax.uid.map_or_else(|| header.uid(), Ok)?,
            gid: pax.gid.map_or_else(|| header.gid(), Ok)?,
            mtime,
            mtime_nsec,
            size,
            device: match kind {
                Kind::Char | Kind::Block => header.device()?,
                _ => (0, 0),
            },
            xattrs: pax.xattrs,
            pieces,
        })
    }

    fn begin_data(&mut self, stored: u64) -> Result<(), TarError> {
        let padded = stored
            .checked_next_multiple_of(BLOCK as u64)
            .ok_or(TarError::Field("size"))?;
        self.data = stored;
        self.padding = padded - stored;
        Ok(())
    }

    /// Skips what is left of an entry; false where the archive ends there.
    fn skip_data(&mut self) -> Result<bool, TarError> {
        if self.skip(self.data)? > 0 {
            return Err(truncated());
        }
        self.data = 0;
        // Some writers (umoci) leave out the last padding and the end marks.
        let missing = self.skip(self.padding)?;
        self.padding = 0;
        Ok(missing == 0)
    }

    /// Skips `left` bytes; how many were not there.
    fn skip(&mut self, mut left: u64) -> Result<u64, TarError> {
        while left > 0 {
            let buffered = self.input.fill_buf().map_err(TarError::Read)?.len();
            if buffered == 0 {
                break;
            }
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(buffered);
            self.input.consume(step);
            left -= step as u64;
        }
        Ok(left)
    }

    /// The data of an extension entry, bounded.
    fn extension(&mut self, header: &Header<'_>) -> Result<Vec<u8>, TarError> {
        let size = header.size()?;
        if size > MAX_EXTENSION {
            return Err(TarError::Extension(size));
        }
        self.begin_data(size)?;
        let mut data = Vec::new();
        (&mut self.input)
            .take(size)
            .read_to_end(&mut data)
            .map_err(TarError::Read)?;
        if data.len() as u64 != size {
            return Err(truncated());
        }
        self.data = 0;
        Ok(data)
    }
}

/// The next block; `None` when the stream ends exactly before it.
pub(super) fn read_block<R: BufRead>(input: &mut R) -> Result<Option<[u8; BLOCK]>, TarError> {
    let mut block = [0; BLOCK];
    let mut filled = 0;
    while filled < BLOCK {
        match input.read(&mut block[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(truncated()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(TarError::Read(error)),
        }
    }
    Ok(Some(block))
}

fn truncated() -> TarError {
    TarError::Read(io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "unexpected end of archive",
    ))
}

fn until_nul(mut name: Vec<u8>) -> Vec<u8> {
    if let Some(end) = name.iter().position(|&b| b == 0) {
        name.truncate(end);
    }
    name
}
