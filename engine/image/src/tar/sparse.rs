//! Maps of files with holes: GNU tar's old format and its three PAX formats.

use std::io::BufRead;

use super::header::{BLOCK, Header, MAX_EXTENSION, TarError, size};
use super::pax::decimal;
use super::reader::read_block;

/// How many pieces of data one sparse file may have.
const MAX_PIECES: usize = 1 << 16;

/// Where data lies in a sparse file: offset and length.
pub(super) type Pieces = Vec<(u64, u64)>;

/// Checks that `pieces` are in order, do not overlap, end within `real_size`
/// and account for all of `stored` bytes.
pub(super) fn check(pieces: &Pieces, real_size: u64, stored: u64) -> Result<(), TarError> {
    let (mut end, mut sum) = (0u64, 0u64);
    for &(offset, length) in pieces {
        if offset < end {
            return Err(TarError::Sparse);
        }
        end = offset.checked_add(length).ok_or(TarError::Sparse)?;
        sum = sum.checked_add(length).ok_or(TarError::Sparse)?;
    }
    if end > real_size || sum != stored {
        return Err(TarError::Sparse);
    }
    Ok(())
}

/// Offsets and lengths, in turn, as pieces.
pub(super) fn pair(numbers: &[u64]) -> Result<Pieces, TarError> {
    if !numbers.len().is_multiple_of(2) || numbers.len() / 2 > MAX_PIECES {
        return Err(TarError::Sparse);
    }
    Ok(numbers.chunks_exact(2).map(|p| (p[0], p[1])).collect())
}

/// The old GNU format: four pieces in the header, more in blocks after it.
/// Returns the pieces and the real size.
pub(super) fn old_gnu<R: BufRead>(
    header: &Header<'_>,
    input: &mut R,
) -> Result<(Pieces, u64), TarError> {
    let mut pieces = Pieces::new();
    take_old(&header.0[386..482], &mut pieces)?;
    let real_size = size(&header.0[483..495]).ok_or(TarError::Sparse)?;
    let mut extended = header.0[482] != 0;
    while extended {
        let block = read_block(input)?.ok_or(TarError::Sparse)?;
        take_old(&block[..504], &mut pieces)?;
        extended = block[504] != 0;
    }
    Ok((pieces, real_size))
}

fn take_old(fields: &[u8], pieces: &mut Pieces) -> Result<(), TarError> {
    for field in fields.chunks_exact(24) {
        if field[0] == 0 {
            return Ok(());
        }
        let offset = size(&field[..12]).ok_or(TarError::Sparse)?;
        let length = size(&field[12..]).ok_or(TarError::Sparse)?;
        if pieces.len() == MAX_PIECES {
            return Err(TarError::Sparse);
        }
        pieces.push((offset, length));
    }
    Ok(())
}

/// PAX format 1.0: the map stands before the data, in decimal lines, padded to
/// whole blocks. Returns the pieces and how many bytes the map took.
pub(super) fn pax_1<R: BufRead>(input: &mut R, stored: u64) -> Result<(Pieces, u64), TarError> {
    let mut taken = 0u64;
    let mut line = Vec::new();
    let mut numbers = Vec::new();
    let mut wanted = None;
    while wanted.is_none_or(|w| numbers.len() < w) {
        if taken + BLOCK as u64 > stored.min(MAX_EXTENSION) {
            return Err(TarError::Sparse);
        }
        let block = read_block(input)?.ok_or(TarError::Sparse)?;
        taken += BLOCK as u64;
        for &byte in &block {
            if byte != b'\n' {
                line.push(byte);
                continue;
            }
            let number = decimal(&line).ok_or(TarError::Sparse)?;
            line.clear();
            match wanted {
                None => {
                    let pieces = usize::try_from(number).map_err(|_| TarError::Sparse)?;
                    if pieces > MAX_PIECES {
                        return Err(TarError::Sparse);
                    }
                    wanted = Some(pieces * 2);
                }
                Some(_) => numbers.push(number),
            }
            if wanted == Some(numbers.len()) {
                break;
            }
        }
    }
    Ok((pair(&numbers)?, taken))
}
