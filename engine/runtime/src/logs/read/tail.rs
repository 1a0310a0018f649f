//! Finding the last records of a file from its end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::Format;
use super::source::Source;
use crate::logs::local::{self, Front, Kind};

/// How much is read at once, backwards.
const BLOCK: u64 = 64 * 1024;

/// Leaves only the last `wanted` records of `source`, or all if there are
/// fewer; says how many are left.
pub(super) fn shorten(source: &mut Source, format: Format, wanted: u64) -> io::Result<u64> {
    if let Some((file, end)) = source.plain()? {
        let found = match format {
            Format::Json => Some(last_lines(file, end, wanted)?),
            Format::Local => last_records(file, end, wanted)?,
        };
        if let Some((start, count)) = found {
            source.seek(start);
            return Ok(count);
        }
    }
    // Compressed, or not whole at its end: only forwards can be gone.
    let count = source.count(format)?;
    source.skip = count.saturating_sub(wanted);
    Ok(count.min(wanted))
}

/// Where the last lines begin, and how many they are. What follows the last
/// line feed is none.
fn last_lines(file: &File, end: u64, wanted: u64) -> io::Result<(u64, u64)> {
    let mut block = vec![0; BLOCK.min(end) as usize];
    let mut feeds = 0;
    let mut upper = end;
    while upper > 0 {
        let lower = upper.saturating_sub(BLOCK);
        let part = &mut block[..(upper - lower) as usize];
        file.read_exact_at(part, lower)?;
        for at in memchr::memrchr_iter(b'\n', part) {
            feeds += 1;
            if feeds > wanted {
                return Ok((lower + at as u64 + 1, wanted));
            }
        }
        upper = lower;
    }
    Ok((0, feeds))
}

/// The same for records that end with their length; `None` where they do not
/// follow each other without a gap up to the end.
fn last_records(file: &File, end: u64, wanted: u64) -> io::Result<Option<(u64, u64)>> {
    let mut block = Vec::new();
    // The block holds the file from `lower` on; records from `start` on are known.
    let mut lower = end;
    let mut start = end;
    let mut count = 0;
    while start > 0 && count < wanted {
        let mut before = &block[..(start - lower) as usize];
        let mut length = local::length_of_last(before);
        if length.is_none_or(|l| l > before.len()) && lower > 0 {
            let size = (length.unwrap_or(0) as u64).max(BLOCK).min(start);
            lower = start - size;
            block.resize(size as usize, 0);
            file.read_exact_at(&mut block, lower)?;
            before = &block;
            length = local::length_of_last(before);
            // A record longer than a block shows its length only now.
            if length.is_some_and(|l| l > before.len() && l as u64 <= start) {
                continue;
            }
        }
        let Some(from) = length.and_then(|l| before.len().checked_sub(l)) else {
            return Ok(None);
        };
        match local::front(&before[from..]) {
            Front::Record(record, whole) if from + whole == before.len() => {
                count += u64::from(record.kind != Kind::Attributes);
                start -= whole as u64;
            }
            _ => return Ok(None),
        }
    }
    Ok(Some((start, count)))
}
