//! What comes out of a container: logs and stats.

use dhow_local::Error;
use dhow_local::containers::LogsQuery;
use dhow_local::query_parameters::StatsOptions;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::answer::{self, Answer, Form};
use crate::call::Call;
use crate::hijack::{MULTIPLEXED_STREAM, RAW_STREAM};
use crate::query::Query;

pub(super) async fn logs(call: Call) -> Answer {
    let query = logs_query(&call.query)?;
    let (multiplexed, stream) = call.engine().logs(call.param("id"), query).await?;
    // The type came with 1.42; before, the frames were called raw as well.
    let content_type = match multiplexed && call.version.at_least(42) {
        true => MULTIPLEXED_STREAM,
        false => RAW_STREAM,
    };
    Ok(answer::bytes(content_type, stream, &call.app.closing))
}

fn logs_query(query: &Query) -> Result<LogsQuery, Error> {
    let (stdout, stderr) = (query.bool("stdout"), query.bool("stderr"));
    if !stdout && !stderr {
        return Err(Error::invalid(
            "Bad parameters: you must choose at least one stream",
        ));
    }
    Ok(LogsQuery {
        follow: query.bool("follow"),
        stdout,
        stderr,
        since: unix_nanos(query, "since")?,
        until: unix_nanos(query, "until")?,
        timestamps: query.bool("timestamps"),
        details: query.bool("details"),
        // dockerd shows everything for "all" and for what is no number.
        tail: query.get("tail").and_then(|t| t.parse().ok()),
    })
}

/// `seconds` or `seconds.nanoseconds`; zero means not given.
fn unix_nanos(query: &Query, key: &str) -> Result<Option<i128>, Error> {
    let Some(text) = query.some(key) else {
        return Ok(None);
    };
    let wrong = || {
        Error::invalid(format!(
            "invalid value for {key:?}: {text:?} is not a unix time"
        ))
    };
    let (seconds, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let seconds: i64 = seconds.parse().map_err(|_| wrong())?;
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let nanos: i128 = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
    let total = i128::from(seconds) * 1_000_000_000 + nanos;
    Ok((total != 0).then_some(total))
}

pub(super) async fn stats(call: Call) -> Answer {
    let stream = call.query.bool_or("stream", true);
    let one_shot = call.version.at_least(41) && call.query.bool("one-shot");
    if stream && one_shot {
        return Err(Error::invalid("cannot have stream=true and one-shot=true").into());
    }
    let options = StatsOptions { stream, one_shot };
    let samples = call.engine().stats(call.param("id"), Some(options)).await?;
    let samples = samples
        .and_then(|sample| async move { answer::to_value(&sample) })
        .boxed();
    Ok(answer::objects(samples, Form::LINES, &call.app.closing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<LogsQuery, Error> {
        logs_query(&Query::parse(query).unwrap())
    }

    #[test]
    fn wants_a_stream() {
        let error = read("follow=1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Bad parameters: you must choose at least one stream"
        );
    }

    #[test]
    fn reads_times_to_the_nanosecond() {
        let query = read("stdout=1&since=1700000000.5&until=12").unwrap();
        assert_eq!(query.since, Some(1_700_000_000_500_000_000));
        assert_eq!(query.until, Some(12_000_000_000));
        assert_eq!(read("stdout=1&since=0").unwrap().since, None);
        assert!(read("stdout=1&since=yesterday").is_err());
        assert!(read("stdout=1&since=1.x").is_err());
    }

    #[test]
    fn reads_the_tail() {
        assert_eq!(read("stdout=1&tail=10").unwrap().tail, Some(10));
        assert_eq!(read("stdout=1&tail=all").unwrap().tail, None);
        assert_eq!(read("stdout=1").unwrap().tail, None);
    }
}
