//! Sizes in bytes as people write and read them: `512m`, `1.5GiB`, `12.3MB`.
//!
//! Rules and texts are those of Docker's client library for units: what is
//! read counts in 1024s, what is printed mostly in 1000s.

use crate::error::{ErrorKind, HasKind};

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSize {
    /// No number in it, or a negative one.
    #[error("invalid size: '{0}'")]
    Format(String),
    /// A unit nobody knows.
    #[error("invalid suffix: '{0}'")]
    Suffix(String),
    /// Digits that make no number.
    #[error("strconv.ParseFloat: parsing {0:?}: invalid syntax")]
    Number(String),
}

impl HasKind for InvalidSize {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

/// Reads a size in units of 1024: `64k`, `64KiB` and `65536` are the same.
pub fn parse_bytes(text: &str) -> Result<i64, InvalidSize> {
    parse_with(text, 1024)
}

/// Reads a size in units of 1000.
pub fn parse_decimal(text: &str) -> Result<i64, InvalidSize> {
    parse_with(text, 1000)
}

/// Four significant digits in units of 1000: `12.35MB`.
pub fn human_size(bytes: i64) -> String {
    human_size_with(bytes, 4)
}

/// The same with another number of significant digits: `docker ps -s` and
/// `docker images` use three.
pub fn human_size_with(bytes: i64, precision: usize) -> String {
    const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    scale(bytes as f64, 1000.0, &UNITS, precision)
}

/// Four significant digits in units of 1024: `11.77MiB`.
pub fn binary_size(bytes: i64) -> String {
    const UNITS: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
    scale(bytes as f64, 1024.0, &UNITS, 4)
}

fn parse_with(text: &str, base: i64) -> Result<i64, InvalidSize> {
    let Some(last) = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ') else {
        return Err(InvalidSize::Format(text.to_owned()));
    };
    let suffix = &text[last + 1..];
    let number = match text.as_bytes()[last] {
        b' ' => &text[..last],
        _ => &text[..=last],
    };
    let plain = number
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-' | b'e' | b'E'));
    let value: f64 = match number.parse() {
        Ok(value) if plain => value,
        _ => return Err(InvalidSize::Number(number.to_owned())),
    };
    if value < 0.0 {
        return Err(InvalidSize::Format(text.to_owned()));
    }
    let lower = suffix.to_ascii_lowercase();
    let bad = || {
        InvalidSize::Suffix(if suffix.len() > 3 {
            suffix.to_owned()
        } else {
            lower.clone()
        })
    };
    let power = match lower.as_bytes() {
        [] | [b'b'] => 0,
        [unit] | [unit, b'b'] | [unit, b'i', b'b'] => {
            let units = b"kmgtp".iter();
            units.zip(1..).find(|(u, _)| *u == unit).ok_or_else(bad)?.1
        }
        _ => return Err(bad()),
    };
    Ok((value * base.pow(power) as f64) as i64)
}

fn scale(mut value: f64, base: f64, units: &[&str], precision: usize) -> String {
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    format!("{}{}", significant(value, precision), units[unit])
}

/// C's `%.*g` for numbers of moderate size: that many significant digits, no
/// trailing zeros, an exponent once the whole part has more digits than that.
fn significant(value: f64, precision: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // The exponent after rounding decides, so that 999.96 becomes 1000.
    let scientific = format!("{value:.*e}", precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("e format has an e");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    let trim = |digits: &str| match digits.contains('.') {
        true => digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        false => digits.to_owned(),
    };
    if exponent < -4 || exponent >= precision as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(mantissa), exponent.abs());
    }
    let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
    trim(&format!("{value:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_with_or_without_unit() {
        let check = |text: &str, bytes| assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        check("32", 32);
        check("32b", 32);
        check("32k", 32 << 10);
        check("32KB", 32 << 10);
        check("32kib", 32 << 10);
        check("32 mb", 32 << 20);
        check("1.5g", 3 << 29);
        check("2T", 2 << 40);
        check("2PiB", 2 << 50);
        check("0", 0);
        assert_eq!(parse_decimal("32kB"), Ok(32_000));
        let refuse = |text: &str, message: &str| {
            assert_eq!(parse_bytes(text).unwrap_err().to_string(), message);
        };
        refuse("", "invalid size: ''");
        refuse("hello", "invalid size: 'hello'");
        refuse("-32", "invalid size: '-32'");
        refuse(
            "32m b",
            "strconv.ParseFloat: parsing \"32m\": invalid syntax",
        );
        refuse("32bm", "invalid suffix: 'bm'");
        refuse("32mm", "invalid suffix: 'mm'");
        refuse("32Giga", "invalid suffix: 'Giga'");
        refuse("1é", "invalid suffix: 'é'");
    }

    #[test]
    fn sizes_are_printed_with_significant_digits() {
        let check = |bytes, text: &str| assert_eq!(human_size(bytes), text);
        check(0, "0B");
        check(999, "999B");
        check(1000, "1kB");
        check(1024, "1.024kB");
        check(1_000_000, "1MB");
        check(2_746_000, "2.746MB");
        check(12_345_678, "12.35MB");
        check(999_999, "1000kB");
        check(i64::MAX, "9.223EB");
        assert_eq!(human_size_with(1_239_999, 3), "1.24MB");
        assert_eq!(human_size_with(999_999, 3), "1e+03kB");
        assert_eq!(binary_size(0), "0B");
        assert_eq!(binary_size(1024), "1KiB");
        assert_eq!(binary_size(1_048_576), "1MiB");
        assert_eq!(binary_size(12_345_678), "11.77MiB");
        assert_eq!(binary_size(1023), "1023B");
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[-+0-9.kmgib ]{0,12}|\\PC{0,12}") {
            let _ = parse_bytes(&text);
        }

        #[test]
        fn whole_kibibytes_read_back(kibibytes in 0i64..1023) {
            prop_assert_eq!(parse_bytes(&binary_size(kibibytes << 10)), Ok(kibibytes << 10));
        }
    }
}
