//! PAX extended header records: `length key=value\n` (POSIX.1-2017 `pax`).

use super::header::TarError;

/// What the records of one entry say, where they say it.
#[derive(Debug, Default)]
pub(super) struct Pax {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub mtime: Option<(i64, u32)>,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub sparse: SparseRecords,
}

/// GNU tar's three ways to describe holes in PAX records.
#[derive(Debug, Default)]
pub(super) struct SparseRecords {
    pub major: Option<u64>,
    pub name: Option<Vec<u8>>,
    pub real_size: Option<u64>,
    /// Offsets and lengths, in turn (formats 0.0 and 0.1).
    pub map: Vec<u64>,
    pub present: bool,
}

impl Pax {
    /// Reads records; a later one of the same key wins.
    pub fn parse(mut data: &[u8]) -> Result<Self, TarError> {
        let mut pax = Self::default();
        while !data.is_empty() {
            // Some writers pad the records with zeros to a whole block.
            if data.iter().all(|&b| b == 0) {
                break;
            }
            let (key, value, rest) = record(data).ok_or(TarError::Field("pax record"))?;
            pax.take(key, value)?;
            data = rest;
        }
        Ok(pax)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), TarError> {
        if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
            self.xattrs.retain(|(known, _)| known != name);
            self.xattrs.push((name.to_vec(), value.to_vec()));
            return Ok(());
        }
        match key {
            b"path" => self.path = name(value, "path")?,
            b"linkpath" => self.link = name(value, "linkpath")?,
            b"size" => self.size = Some(decimal(value).ok_or(TarError::Field("size"))?),
            b"uid" => self.uid = Some(id(value).ok_or(TarError::Field("uid"))?),
            b"gid" => self.gid = Some(id(value).ok_or(TarError::Field("gid"))?),
            b"mtime" => self.mtime = Some(time(value).ok_or(TarError::Field("mtime"))?),
            _ => {
                if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    self.sparse.take(key, value)?;
                }
            }
        }
        Ok(())
    }
}

impl SparseRecords {
    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), TarError> {
        let number = || decimal(value).ok_or(TarError::Sparse);
        self.present = true;
        match key {
            b"major" => self.major = Some(number()?),
            b"name" => self.name = name(value, "GNU.sparse.name")?,
            b"realsize" | b"size" => self.real_size = Some(number()?),
            b"offset" | b"numbytes" => self.map.push(number()?),
            b"map" => {
                self.map.clear();
                for part in value.split(|&b| b == b',') {
                    self.map.push(decimal(part).ok_or(TarError::Sparse)?);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = data.iter().take(20).position(|&b| b == b' ')?;
    let length = usize::try_from(decimal(&data[..blank])?).ok()?;
    if length <= blank + 1 || length > data.len() || data[length - 1] != b'\n' {
        return None;
    }
    let body = &data[blank + 1..length - 1];
    let equals = body.iter().position(|&b| b == b'=')?;
    Some((&body[..equals], &body[equals + 1..], &data[length..]))
}

/// A name without NUL bytes; an empty value takes an earlier one back.
fn name(value: &[u8], field: &'static str) -> Result<Option<Vec<u8>>, TarError> {
    if value.contains(&0) {
        return Err(TarError::Field(field));
    }
    Ok((!value.is_empty()).then(|| value.to_vec()))
}

pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let mut value = 0u64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value
            .checked_mul(10)?
            .checked_add(u64::from(digit - b'0'))?;
    }
    // Sizes are signed in every file system interface.
    i64::try_from(value).ok()?;
    Some(value)
}

fn id(value: &[u8]) -> Option<u32> {
    u32::try_from(decimal(value)?).ok()
}

/// Seconds with an optional fraction, perhaps negative.
fn time(value: &[u8]) -> Option<(i64, u32)> {
    let (negative, value) = match value.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let dot = value.iter().position(|&b| b == b'.').unwrap_or(value.len());
    let seconds = i64::try_from(decimal(&value[..dot])?).ok()?;
    let mut nanos = 0u32;
    let fraction = value.get(dot + 1..).unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    for place in 0..9 {
        let digit = fraction.get(place).map_or(0, |d| u32::from(d - b'0'));
        nanos = nanos * 10 + digit;
    }
    Some(match (negative, nanos) {
        (false, _) => (seconds, nanos),
        (true, 0) => (-seconds, 0),
        // -1.25 s is 0.75 s after second -2.
        (true, _) => (-seconds - 1, 1_000_000_000 - nanos),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_and_after_the_epoch() {
        assert_eq!(time(b"12.000000345"), Some((12, 345)));
        assert_eq!(time(b"12.5"), Some((12, 500_000_000)));
        assert_eq!(time(b"12"), Some((12, 0)));
        assert_eq!(time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time(b"1.x"), None);
        assert_eq!(time(b""), None);
    }

    #[test]
    fn records_that_lie_about_their_length() {
        assert!(Pax::parse(b"13 path=hello\n").is_err());
        assert!(Pax::parse(b"99 path=hello\n").is_err());
        assert!(Pax::parse(b"0 path=hello\n").is_err());
        assert!(Pax::parse(b"14 path=he\0lo\n").is_err());
        let pax = Pax::parse(b"14 path=hello\n12 size=123\n").expect("valid records");
        assert_eq!(pax.path.as_deref(), Some(b"hello".as_slice()));
        assert_eq!(pax.size, Some(123));
    }
}
