//! Durations as Go writes and reads them (`1m30s`), and as people are told
//! them (`About a minute`). A duration is a number of nanoseconds.

use std::time::Duration;

use crate::error::{ErrorKind, HasKind};

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// A text that is no duration, in the words of Go's `time` package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    /// No number, or one beyond 292 years.
    #[error("time: invalid duration {0:?}")]
    Format(String),
    /// A number without unit.
    #[error("time: missing unit in duration {0:?}")]
    MissingUnit(String),
    /// A unit Go does not have (days, for one).
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The whole text.
        text: String,
    },
}

impl HasKind for InvalidDuration {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

/// Reads a signed sequence of decimal numbers with units: `300ms`, `-1.5h`,
/// `2h45m`. `0` needs no unit.
pub fn parse(text: &str) -> Result<i64, InvalidDuration> {
    let wrong = || InvalidDuration::Format(text.to_owned());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (whole, fraction, after) = number(rest).ok_or_else(wrong)?;
        let end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let scale = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => MICROSECOND,
            "ms" => MILLISECOND,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3600 * SECOND,
            "" => return Err(InvalidDuration::MissingUnit(text.to_owned())),
            _ => {
                return Err(InvalidDuration::UnknownUnit {
                    unit: unit.to_owned(),
                    text: text.to_owned(),
                });
            }
        };
        let part = scaled(whole, fraction, scale).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = next;
    }
    let total = i128::from(total);
    let signed = if negative { -total } else { total };
    i64::try_from(signed).map_err(|_| wrong())
}

/// The shortest form Go prints: `1h0m0s`, `1.5s`, `100ms`, `0s`.
pub fn format(nanos: i64) -> String {
    let magnitude = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let decimal = |scale: u64, unit: &str| {
        let fraction = format!(
            "{:0width$}",
            magnitude % scale,
            width = scale.ilog10() as usize
        );
        match fraction.trim_end_matches('0') {
            "" => format!("{sign}{}{unit}", magnitude / scale),
            digits => format!("{sign}{}.{digits}{unit}", magnitude / scale),
        }
    };
    if magnitude == 0 {
        return "0s".to_owned();
    }
    if magnitude < MICROSECOND {
        return format!("{sign}{magnitude}ns");
    }
    if magnitude < MILLISECOND {
        return decimal(MICROSECOND, "µs");
    }
    if magnitude < SECOND {
        return decimal(MILLISECOND, "ms");
    }
    let minutes = magnitude / (60 * SECOND);
    let below_a_minute = magnitude % (60 * SECOND);
    let seconds = {
        let fraction = format!("{:09}", below_a_minute % SECOND);
        match fraction.trim_end_matches('0') {
            "" => format!("{}s", below_a_minute / SECOND),
            digits => format!("{}.{digits}s", below_a_minute / SECOND),
        }
    };
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
    }
}

/// A rough duration in words, as in `Up 2 minutes`.
pub fn human(nanos: i64) -> String {
    let seconds = nanos / SECOND as i64;
    let minutes = seconds / 60;
    let hours = (seconds + 1800).div_euclid(3600);
    match (seconds, minutes, hours) {
        (..1, _, _) => "Less than a second".to_owned(),
        (1, _, _) => "1 second".to_owned(),
        (..60, _, _) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, ..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".to_owned(),
        (_, _, ..48) => format!("{hours} hours"),
        (_, _, ..336) => format!("{} days", hours / 24),
        (_, _, ..1440) => format!("{} weeks", hours / 24 / 7),
        (_, _, ..17520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// A count of nanoseconds from the API as a duration; negative ones are none.
pub fn from_nanos(nanos: i64) -> Duration {
    Duration::from_nanos(nanos.max(0).unsigned_abs())
}

/// A decimal number: its whole part, its fraction's digits, and what follows.
fn number(text: &str) -> Option<(u64, &str, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    Some((whole, fraction, rest))
}

fn scaled(whole: u64, fraction: &str, scale: u64) -> Option<u64> {
    // Digits beyond the eighteenth are below a nanosecond in any unit.
    let fraction = &fraction[..fraction.len().min(18)];
    let part = if fraction.is_empty() {
        0
    } else {
        let digits: u128 = fraction.parse().ok()?;
        let part = digits * u128::from(scale) / 10u128.pow(fraction.len() as u32);
        u64::try_from(part).ok()?
    };
    whole.checked_mul(scale)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: i64 = SECOND as i64;

    #[test]
    fn durations_read_as_in_go() {
        let check = |text: &str, nanos| assert_eq!(parse(text), Ok(nanos), "{text}");
        check("0", 0);
        check("5s", 5 * S);
        check("1h30m", 5400 * S);
        check("1.5h", 5400 * S);
        check("-1.5s", -1_500_000_000);
        check("+5s", 5 * S);
        check(".5s", 500_000_000);
        check("5.s", 5 * S);
        check("100ms", 100_000_000);
        check("12µs", 12_000);
        check("39h9m14.425s", 140_954_425_000_000);
        check("0.100000000000000000000h", 360 * S);
        check("-9223372036854775808ns", i64::MIN);
        let refuse = |text: &str, message: &str| {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        };
        refuse("", "time: invalid duration \"\"");
        refuse("3", "time: missing unit in duration \"3\"");
        refuse("1d", "time: unknown unit \"d\" in duration \"1d\"");
        refuse("s", "time: invalid duration \"s\"");
        refuse("-", "time: invalid duration \"-\"");
        refuse(".s", "time: invalid duration \".s\"");
        refuse(
            "9223372036854775808ns",
            "time: invalid duration \"9223372036854775808ns\"",
        );
        refuse("3000000h", "time: invalid duration \"3000000h\"");
    }

    #[test]
    fn durations_print_as_in_go() {
        let check = |nanos, text: &str| assert_eq!(format(nanos), text);
        check(0, "0s");
        check(1, "1ns");
        check(1_100, "1.1µs");
        check(2_200_000, "2.2ms");
        check(3_300_000_000, "3.3s");
        check(60 * S, "1m0s");
        check(245 * S, "4m5s");
        check(3600 * S, "1h0m0s");
        check(18_367_001_000_000, "5h6m7.001s");
        check(-S, "-1s");
        check(i64::MIN, "-2562047h47m16.854775808s");
    }

    #[test]
    fn words_grow_vaguer_with_time() {
        let check = |seconds: i64, text: &str| assert_eq!(human(seconds * S), text, "{seconds}");
        check(-5, "Less than a second");
        check(0, "Less than a second");
        check(1, "1 second");
        check(59, "59 seconds");
        check(60, "About a minute");
        check(119, "About a minute");
        check(120, "2 minutes");
        check(3599, "59 minutes");
        check(3600, "About an hour");
        check(5400, "2 hours");
        check(48 * 3600, "2 days");
        check(14 * 86_400, "2 weeks");
        check(60 * 86_400, "2 months");
        check(730 * 86_400, "2 years");
    }

    proptest! {
        #[test]
        fn every_duration_reads_back(nanos in any::<i64>()) {
            prop_assert_eq!(parse(&format(nanos)), Ok(nanos));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "[-+0-9.nsuµmhd]{0,20}|\\PC{0,20}") {
            let _ = parse(&text);
        }
    }
}
