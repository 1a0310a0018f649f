//! The 512-byte header block (POSIX.1-2017 `pax`, "ustar Interchange Format";
//! GNU tar manual, "Basic Tar Format").

use std::io;

/// Bytes in a block.
pub(super) const BLOCK: usize = 512;

/// How large one extension (long name, PAX records, sparse map) may be. The
/// same bound as Go's reader has, so that what Docker reads is read here.
pub const MAX_EXTENSION: u64 = 1 << 20;

/// What an archive entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// Another name for an earlier entry.
    Hardlink,
    /// A symbolic link.
    Symlink,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A directory.
    Dir,
    /// A named pipe.
    Fifo,
}

/// Why a stream is not an archive that can be read.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// The stream itself failed or ended early.
    #[error("reading archive")]
    Read(#[source] io::Error),
    /// The header's sum is wrong: not an archive, or a damaged one.
    #[error("invalid tar header")]
    Checksum,
    /// A number field holds no number, or one that makes no sense.
    #[error("invalid tar header: field {0}")]
    Field(&'static str),
    /// A type of entry that no reader handles.
    #[error("unhandled tar header type {0}")]
    Type(u8),
    /// A long name or a list of attributes beyond [`MAX_EXTENSION`].
    #[error("tar header extension of {0} bytes is too large")]
    Extension(u64),
    /// The map of a sparse file contradicts itself.
    #[error("invalid sparse file map")]
    Sparse,
}

/// One header block, checked.
#[derive(Debug)]
pub(super) struct Header<'a>(pub &'a [u8; BLOCK]);

impl<'a> Header<'a> {
    pub fn parse(block: &'a [u8; BLOCK]) -> Result<Self, TarError> {
        let header = Self(block);
        let stated = octal(&block[148..156]).ok_or(TarError::Checksum)?;
        // The sum is of unsigned bytes, and in some old writers of signed
        // ones; its own field counts as blanks.
        let (mut unsigned, mut signed) = (0u64, 0i64);
        for (position, &byte) in block.iter().enumerate() {
            let byte = if (148..156).contains(&position) {
                b' '
            } else {
                byte
            };
            unsigned += u64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        if stated == unsigned || i64::try_from(stated) == Ok(signed) {
            Ok(header)
        } else {
            Err(TarError::Checksum)
        }
    }

    pub fn type_flag(&self) -> u8 {
        self.0[156]
    }

    pub fn is_gnu(&self) -> bool {
        &self.0[257..265] == b"ustar  \0"
    }

    fn is_ustar(&self) -> bool {
        &self.0[257..263] == b"ustar\0"
    }

    pub fn path(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        let prefix = text(&self.0[345..500]);
        if !self.is_ustar() || prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    pub fn link(&self) -> Vec<u8> {
        text(&self.0[157..257]).to_vec()
    }

    pub fn mode(&self) -> Result<u32, TarError> {
        let mode = number(&self.0[100..108]).ok_or(TarError::Field("mode"))?;
        // Some writers put the file type in as well.
        u32::try_from(mode & 0o7777).map_err(|_| TarError::Field("mode"))
    }

    pub fn uid(&self) -> Result<u32, TarError> {
        id(&self.0[108..116]).ok_or(TarError::Field("uid"))
    }

    pub fn gid(&self) -> Result<u32, TarError> {
        id(&self.0[116..124]).ok_or(TarError::Field("gid"))
    }

    pub fn size(&self) -> Result<u64, TarError> {
        size(&self.0[124..136]).ok_or(TarError::Field("size"))
    }

    pub fn mtime(&self) -> Result<i64, TarError> {
        number(&self.0[136..148]).ok_or(TarError::Field("mtime"))
    }

    /// Device numbers; fields left empty are zero.
    pub fn device(&self) -> Result<(u32, u32), TarError> {
        let part = |range: std::ops::Range<usize>| id(&self.0[range]);
        let major = part(329..337).ok_or(TarError::Field("devmajor"))?;
        let minor = part(337..345).ok_or(TarError::Field("devminor"))?;
        Ok((major, minor))
    }
}

/// The field up to its first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
    &field[..end]
}

/// A length: never negative, never beyond what a file can have.
pub(super) fn size(field: &[u8]) -> Option<u64> {
    u64::try_from(number(field)?).ok()
}

fn id(field: &[u8]) -> Option<u32> {
    u32::try_from(number(field)?).ok()
}

/// A number in octal digits, or in base 256 when its top bit is set.
fn number(field: &[u8]) -> Option<i64> {
    let first = *field.first()?;
    if first & 0x80 == 0 {
        return i64::try_from(octal(field)?).ok();
    }
    let negative = first & 0x40 != 0;
    let mut value = if negative { -1i128 } else { 0 };
    for (position, &byte) in field.iter().enumerate() {
        let byte = match (position, negative) {
            (0, false) => byte & 0x7f,
            _ => byte,
        };
        value = (value << 8) | i128::from(byte);
        if i64::try_from(value).is_err() {
            return None;
        }
    }
    i64::try_from(value).ok()
}

fn octal(field: &[u8]) -> Option<u64> {
    let is_padding = |b: &u8| *b == b' ' || *b == 0;
    let start = field.iter().position(|b| !is_padding(b));
    let Some(start) = start else { return Some(0) };
    let digits = &field[start..];
    let end = digits.iter().position(is_padding).unwrap_or(digits.len());
    let mut value = 0u64;
    for &digit in &digits[..end] {
        if !(b'0'..=b'7').contains(&digit) {
            return None;
        }
        value = value.checked_mul(8)?.checked_add(u64::from(digit - b'0'))?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_notation() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"\0\0\0\0\0\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\x10\0"), Some(4096));
        assert_eq!(number(&[0xff; 8]), Some(-1));
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xfe"), Some(-2));
        assert_eq!(number(b"12x4567\0"), None);
        assert_eq!(size(&[0xff; 12]), None);
        assert_eq!(
            number(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            None
        );
    }
}
