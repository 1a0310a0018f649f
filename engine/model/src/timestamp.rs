//! Instants as the API writes them: RFC 3339 with nanoseconds, seconds since
//! the epoch, and what `--since` and `--until` take.
//!
//! The clock and the local zone are the caller's. Dates follow the proleptic
//! Gregorian calendar; leap seconds do not exist here, as in Go.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::duration;
use crate::error::{ErrorKind, HasKind};

/// What the API shows for an instant that has not come: Go's zero time.
pub const ZERO: &str = "0001-01-01T00:00:00Z";

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Nanoseconds since the Unix epoch (years 1677 to 2262). Its text form is
/// RFC 3339 in UTC with trailing zeros cut, as Docker prints times.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// A text that is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimestamp {
    /// Not RFC 3339, or a date that does not exist.
    #[error("parsing time {0:?}: not of the form 2006-01-02T15:04:05.999999999Z07:00")]
    Format(String),
    /// Neither a duration, nor a time, nor seconds.
    #[error("failed to parse value as time or duration: {0}")]
    Relative(String),
    /// Not `seconds[.nanoseconds]`.
    #[error("invalid timestamp {text:?}: {reason}")]
    Seconds {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl HasKind for InvalidTimestamp {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Timestamp {
    /// The instant this many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The instant this many seconds after the epoch; far ones are clamped.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(SECOND))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// Nanoseconds from `earlier` to this; negative where it is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant moved by `nanos`.
    pub const fn plus(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Always nine digits of a second, as `docker logs --timestamps` prints.
    pub fn fixed(self) -> String {
        let nanos = self.0.rem_euclid(SECOND);
        format!("{}.{nanos:09}Z", self.date_and_time())
    }

    /// Reads RFC 3339 with any zone. Go's zero time is `None`.
    pub fn parse_optional(text: &str) -> Result<Option<Self>, InvalidTimestamp> {
        if text.is_empty() || text == ZERO {
            Ok(None)
        } else {
            text.parse().map(Some)
        }
    }

    /// The text of an instant that may not have come.
    pub fn format_optional(instant: Option<Self>) -> String {
        instant.map_or_else(|| ZERO.to_owned(), |instant| instant.to_string())
    }

    /// Reads the API's `seconds` or `seconds.nanoseconds`; empty is `None`.
    pub fn parse_unix(text: &str) -> Result<Option<Self>, InvalidTimestamp> {
        if text.is_empty() {
            return Ok(None);
        }
        unix(text)
            .map(Some)
            .map_err(|reason| InvalidTimestamp::Seconds {
                text: text.to_owned(),
                reason,
            })
    }

    /// `seconds.nanoseconds`, as clients send it.
    pub fn to_unix(self) -> String {
        format!("{}.{:09}", self.secs(), self.0.rem_euclid(SECOND))
    }

    /// Reads what a person gives `--since`: a duration back from `now`, a date
    /// or time (in the zone `offset` seconds east of UTC if it names none), or
    /// seconds since the epoch.
    pub fn parse_relative(text: &str, now: Self, offset: i64) -> Result<Self, InvalidTimestamp> {
        if text.trim().is_empty() {
            return Err(InvalidTimestamp::Relative("value is empty".to_owned()));
        }
        if text != "0"
            && let Ok(nanos) = duration::parse(text)
        {
            return Ok(Self(now.0.saturating_sub(nanos)));
        }
        match parse_partial(text, offset) {
            Some(instant) => Ok(instant),
            None if text.contains('-') => Err(InvalidTimestamp::Format(text.to_owned())),
            None => unix(text).map_err(InvalidTimestamp::Relative),
        }
    }

    fn date_and_time(self) -> String {
        let secs = self.secs();
        let (year, month, day) = civil(secs.div_euclid(DAY));
        let second = secs.rem_euclid(DAY);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}",
            second % 60
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.date_and_time())?;
        let nanos = self.0.rem_euclid(SECOND);
        if nanos != 0 {
            let digits = format!("{nanos:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Reads RFC 3339 with any zone and up to nine digits of a second (more
    /// are cut).
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let whole = text.contains(['T', 't']) && text.matches(':').count() >= 2;
        match parse_parts(text, None) {
            Some(instant) if whole => Ok(instant),
            _ => Err(InvalidTimestamp::Format(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, InvalidTimestamp> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(instant: Timestamp) -> Self {
        instant.to_string()
    }
}

/// A date with as much of a time as was given.
fn parse_partial(text: &str, offset: i64) -> Option<Timestamp> {
    parse_parts(text, Some(offset))
}

/// `YYYY-MM-DD[Thh[:mm[:ss[.frac]]]][zone]`; the zone may only be missing where
/// a default is given.
fn parse_parts(text: &str, default_offset: Option<i64>) -> Option<Timestamp> {
    if !text.is_ascii() || text.len() < 10 {
        return None;
    }
    let (date, rest) = text.split_at(10);
    let mut date = date.split('-');
    let year = digits(date.next()?, 4)?;
    let month = digits(date.next()?, 2)?;
    let day = digits(date.next()?, 2)?;
    let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !valid || date.next().is_some() {
        return None;
    }
    let (clock, zone) = match rest.strip_prefix(['T', 't']) {
        Some(time) => time.split_at(time.find(['Z', 'z', '+', '-']).unwrap_or(time.len())),
        None => ("00", rest),
    };
    let offset = if zone.is_empty() {
        default_offset?
    } else {
        parse_zone(zone)?
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, parse_fraction(fraction)?),
        None => (clock, 0),
    };
    let mut clock = clock.split(':');
    let hour = digits(clock.next()?, 2).filter(|h| *h < 24)?;
    let minute = digits(clock.next().unwrap_or("00"), 2).filter(|m| *m < 60)?;
    let second = digits(clock.next().unwrap_or("00"), 2).filter(|s| *s < 60)?;
    if clock.next().is_some() {
        return None;
    }
    let secs = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    Some(Timestamp(secs.checked_mul(SECOND)?.checked_add(fraction)?))
}

fn parse_zone(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let hours = digits(hours, 2).filter(|h| *h <= 24)?;
    let minutes = digits(minutes, 2).filter(|m| *m < 60)?;
    Some(sign * (hours * 3600 + minutes * 60))
}

fn parse_fraction(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9}")[..9].parse().ok()
}

fn unix(text: &str) -> Result<Timestamp, String> {
    let (secs, fraction) = text.split_once('.').unwrap_or((text, ""));
    let secs: i64 = secs
        .parse()
        .map_err(|_| format!("invalid seconds {secs:?}: invalid syntax"))?;
    let nanos = if fraction.is_empty() {
        0
    } else {
        parse_fraction(fraction).ok_or_else(|| format!("invalid nanoseconds {fraction:?}"))?
    };
    Ok(Timestamp(secs.saturating_mul(SECOND).saturating_add(nanos)))
}

fn digits(text: &str, len: usize) -> Option<i64> {
    let valid = text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    valid.then(|| text.parse().ok()).flatten()
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the epoch to a date. Counting years from March puts the leap day
/// last, so that month lengths follow one linear rule.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date that many days from the epoch.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    #[test]
    fn instants_are_written_like_go_writes_them() {
        let check = |nanos, text: &str| assert_eq!(Timestamp(nanos).to_string(), text);
        check(0, "1970-01-01T00:00:00Z");
        check(-1, "1969-12-31T23:59:59.999999999Z");
        check(1_700_000_000_120_000_000, "2023-11-14T22:13:20.12Z");
        check(951_782_400_000_000_000, "2000-02-29T00:00:00Z");
        check(4_107_542_399_000_000_001, "2100-02-28T23:59:59.000000001Z");
        assert_eq!(NOW.fixed(), "2023-11-14T22:13:20.000000000Z");
        assert_eq!(NOW.to_unix(), "1700000000.000000000");
        assert_eq!(Timestamp::format_optional(None), ZERO);
        assert_eq!(Timestamp::parse_optional(ZERO), Ok(None));
    }

    #[test]
    fn zones_are_subtracted() {
        let check = |text: &str, nanos| assert_eq!(text.parse(), Ok(Timestamp(nanos)), "{text}");
        check("1970-01-01T01:00:00+01:00", 0);
        check("1969-12-31T19:00:00.5-05:00", 500_000_000);
        check("2023-11-14T22:13:20.1234567899Z", 1_700_000_000_123_456_789);
    }

    #[test]
    fn wrong_times_are_refused() {
        for text in [
            "",
            "2023",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-11-14T24:00:00Z",
            "2023-11-14T22:60:00Z",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20+1",
            "2023-11-14T22:13:20Zjunk",
            "2023-11-14 22:13:20Z",
            "9999-01-01T00:00:00Z",
            "2023-11-1éT00:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn since_takes_durations_dates_and_seconds() {
        let check = |text: &str, offset, nanos: i64| {
            let parsed = Timestamp::parse_relative(text, NOW, offset);
            assert_eq!(parsed, Ok(Timestamp(nanos)), "{text}");
        };
        check("10m", 0, (1_700_000_000 - 600) * SECOND);
        check("1h30m", 3600, (1_700_000_000 - 5400) * SECOND);
        check("1136073845", 0, 1_136_073_845 * SECOND);
        check("1136073845.5", 0, 1_136_073_845_500_000_000);
        check("0", 0, 0);
        check("1970-01-02", 0, 86_400 * SECOND);
        check("1970-01-02", 3600, (86_400 - 3600) * SECOND);
        check("1970-01-02Z", 3600, 86_400 * SECOND);
        check("1970-01-01T01", 0, 3600 * SECOND);
        check("1970-01-01T01:02", 0, 3720 * SECOND);
        check("1970-01-01T01:02:03.5", 0, 3_723_500_000_000);
        check("1970-01-01T01:02:03+01:00", 0, 123 * SECOND);
        let refuse = |text: &str, part: &str| {
            let error = Timestamp::parse_relative(text, NOW, 0)
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{error}");
        };
        refuse(
            "",
            "failed to parse value as time or duration: value is empty",
        );
        refuse("yesterday", "invalid seconds \"yesterday\"");
        refuse("2023-99-01", "parsing time \"2023-99-01\"");
    }

    #[test]
    fn api_seconds_have_optional_nanoseconds() {
        let check = |text: &str, nanos: i64| {
            assert_eq!(
                Timestamp::parse_unix(text),
                Ok(Some(Timestamp(nanos))),
                "{text}"
            );
        };
        check("12", 12 * SECOND);
        check("12.000000001", 12 * SECOND + 1);
        check("12.5", 12 * SECOND + 500_000_000);
        assert_eq!(Timestamp::parse_unix(""), Ok(None));
        let error = Timestamp::parse_unix("x").unwrap_err().to_string();
        assert_eq!(
            error,
            "invalid timestamp \"x\": invalid seconds \"x\": invalid syntax"
        );
        assert!(Timestamp::parse_unix("1.2.3").is_err());
    }

    proptest! {
        #[test]
        fn every_instant_reads_back(nanos in any::<i64>()) {
            let instant = Timestamp(nanos);
            prop_assert_eq!(instant.to_string().parse(), Ok(instant));
            prop_assert_eq!(instant.fixed().parse(), Ok(instant));
            prop_assert_eq!(Timestamp::parse_unix(&instant.to_unix()), Ok(Some(instant)));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,40}") {
            let _ = text.parse::<Timestamp>();
            let _ = Timestamp::parse_relative(&text, NOW, 0);
            let _ = Timestamp::parse_unix(&text);
        }
    }
}
