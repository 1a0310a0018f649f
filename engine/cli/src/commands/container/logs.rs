//! `logs`: what a container printed.

use clap::Args;
use dhow_client::Request;
use dhow_model::timestamp::{InvalidTimestamp, Timestamp};
use futures_util::StreamExt;

use crate::commands::container::path;
use crate::failure::Failure;
use crate::output::human;
use crate::session::Session;
use crate::terminal::demux::{Demux, Sink, Standard};

/// Show what a container printed
#[derive(Args)]
pub struct Arguments {
    /// Show the attributes given to the log, too
    #[arg(long)]
    details: bool,
    /// Go on as more is printed
    #[arg(short, long)]
    follow: bool,
    /// Start at this time (2013-01-02T13:23:37Z) or so long ago (42m)
    #[arg(long)]
    since: Option<String>,
    /// Show so many lines from the end
    #[arg(short = 'n', long, default_value = "all", allow_hyphen_values = true)]
    tail: String,
    /// Show when each line was printed
    #[arg(short, long)]
    timestamps: bool,
    /// Stop at this time (2013-01-02T13:23:37Z) or so long ago (42m)
    #[arg(long)]
    until: Option<String>,
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let container = session
        .json(Request::get(path(&arguments.container, "json")))
        .await?;
    let named = |flag: &'static str| {
        move |failure: Failure| Failure::message(format!("invalid value for {flag:?}: {failure}"))
    };
    let since = instant(arguments.since.as_deref()).map_err(named("since"))?;
    let until = instant(arguments.until.as_deref()).map_err(named("until"))?;
    let request = Request::get(path(container.str("Id"), "logs"))
        .flag("details", arguments.details)
        .flag("follow", arguments.follow)
        .flag("stdout", true)
        .flag("stderr", true)
        .query_if("since", since)
        .query("tail", &arguments.tail)
        .flag("timestamps", arguments.timestamps)
        .query_if("until", until);
    let response = session.client()?.send(request).await?;
    let tty = container.get("Config").bool("Tty");
    let mut chunks = response.chunks();
    let mut demux = Demux::default();
    let mut sink = Standard::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if tty {
            sink.out(&chunk);
        } else {
            demux.feed(&chunk, &mut sink).map_err(Failure::message)?;
        }
    }
    Ok(0)
}

/// What a person wrote as a time, as the API takes it.
pub fn instant(text: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    Timestamp::parse_relative(text, human::now(), human::zone_offset())
        .map(|instant| Some(instant.to_unix()))
        .map_err(|error| match error {
            InvalidTimestamp::Relative(_) | InvalidTimestamp::Seconds { .. } => Failure::message(
                format!("failed to parse value as time or duration: {text:?}"),
            ),
            other => Failure::message(other.to_string()),
        })
}
