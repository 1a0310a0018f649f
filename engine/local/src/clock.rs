//! The clock, and how its times are written. The only place of this crate that
//! asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in nanoseconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// `nanos` since the epoch in RFC 3339, UTC, with as many decimals as needed
/// (Go's `RFC3339Nano`).
pub(crate) fn rfc3339(nanos: i64) -> String {
    dhow_model::Timestamp::from_nanos(nanos).to_string()
}
