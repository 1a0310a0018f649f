//! Sizes, ages and instants as lists show them. The clock and the time zone
//! are read here, and nowhere else in the output.

use dhow_model::timestamp::Timestamp;
use dhow_model::{duration, size};
use jiff::tz::TimeZone;

/// Now, in nanoseconds since the epoch.
pub fn now() -> Timestamp {
    Timestamp::from_nanos(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX))
}

/// `2 minutes ago`; nothing for a time that never was.
pub fn ago(seconds: i64) -> String {
    if seconds == 0 {
        return "N/A".to_owned();
    }
    let nanos = now().since(Timestamp::from_secs(seconds));
    format!("{} ago", duration::human(nanos))
}

/// `2026-11-22 05:41:37 +0000 UTC`, Go's default form of a time.
pub fn local_time(seconds: i64) -> String {
    zoned(Timestamp::from_secs(seconds))
        .map(|time| time.strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string())
        .unwrap_or_default()
}

/// The same of an instant the API wrote, with its fraction.
pub fn utc_time(text: &str) -> String {
    let Ok(Some(instant)) = Timestamp::parse_optional(text) else {
        return "0001-01-01 00:00:00 +0000 UTC".to_owned();
    };
    let nanos = instant.nanos().rem_euclid(1_000_000_000);
    let fraction = match nanos {
        0 => String::new(),
        nanos => format!(".{}", format!("{nanos:09}").trim_end_matches('0')),
    };
    let text = Timestamp::from_secs(instant.secs()).to_string();
    let (date, time) = text
        .trim_end_matches('Z')
        .split_once('T')
        .unwrap_or_default();
    format!("{date} {time}{fraction} +0000 UTC")
}

/// RFC 3339 in local time, seconds only.
pub fn rfc3339(seconds: i64) -> String {
    let Some(time) = zoned(Timestamp::from_secs(seconds)) else {
        return String::new();
    };
    let text = time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    match text.strip_suffix("+00:00") {
        Some(utc) => format!("{utc}Z"),
        None => text,
    }
}

/// RFC 3339 in local time with nine digits of a second, as events have it.
pub fn rfc3339_nano(nanos: i64) -> String {
    let Some(time) = zoned(Timestamp::from_nanos(nanos)) else {
        return String::new();
    };
    let text = time.strftime("%Y-%m-%dT%H:%M:%S.%9f%:z").to_string();
    match text.strip_suffix("+00:00") {
        Some(utc) => format!("{utc}Z"),
        None => text,
    }
}

/// A date of the API in C's `ctime` form, as `version` shows build times.
pub fn ctime(text: &str) -> String {
    let Ok(time) = text.parse::<jiff::Timestamp>() else {
        return text.to_owned();
    };
    time.to_zoned(TimeZone::UTC)
        .strftime("%a %b %e %H:%M:%S %Y")
        .to_string()
}

/// How far the local zone is east of UTC now, in seconds.
pub fn zone_offset() -> i64 {
    zoned(now()).map_or(0, |time| time.offset().seconds().into())
}

/// Three significant digits: `1.98MB`.
pub fn size3(bytes: i64) -> String {
    size::human_size_with(bytes, 3)
}

fn zoned(instant: Timestamp) -> Option<jiff::Zoned> {
    let timestamp = jiff::Timestamp::from_nanosecond(instant.nanos().into()).ok()?;
    Some(timestamp.to_zoned(TimeZone::system()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_in_go_and_c_form() {
        assert_eq!(
            utc_time("2026-11-22T05:39:42.39699579Z"),
            "2026-11-22 05:39:42.39699579 +0000 UTC"
        );
        assert_eq!(
            ctime("2026-05-07T21:09:36.000000000+00:00"),
            "Thu May  7 21:09:36 2026"
        );
        assert_eq!(
            utc_time("0001-01-01T00:00:00Z"),
            "0001-01-01 00:00:00 +0000 UTC"
        );
    }
}
