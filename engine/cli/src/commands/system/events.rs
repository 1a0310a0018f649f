//! `events`: what happens in the engine, as it happens.

use clap::Args;
use dhow_client::Request;
use futures_util::StreamExt;

use crate::commands::container::logs::instant;
use crate::failure::Failure;
use crate::format::{Functions, Template, Value, to_json};
use crate::options::filter;
use crate::output;
use crate::output::human;
use crate::session::Session;

/// Show what happens in the engine, as it happens
#[derive(Args)]
pub struct Arguments {
    /// Show only what fits (name=value)
    #[arg(short, long = "filter", value_name = "filter", value_parser = filter::parse)]
    filters: Vec<(String, String)>,
    /// Print through a Go template, or 'json' for a line of JSON each
    #[arg(long, default_value = "")]
    format: String,
    /// Start at this time, or so long ago
    #[arg(long)]
    since: Option<String>,
    /// Stop at this time, or so long ago
    #[arg(long)]
    until: Option<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let wrong =
        |error: String| Failure::message(format!("Error parsing format: {error}")).with_code(64);
    let template = match arguments.format.as_str() {
        "" | "json" => None,
        spec => Some(Template::parse(spec).map_err(|error| wrong(error.to_string()))?),
    };
    let request = Request::get("/events")
        .query_if("since", instant(arguments.since.as_deref())?)
        .query_if("until", instant(arguments.until.as_deref())?)
        .query_if("filters", filter::to_query(&arguments.filters));
    let response = session.client()?.send(request).await?;
    let mut chunks = response.chunks();
    let mut buffer = Vec::new();
    while let Some(chunk) = chunks.next().await {
        buffer.extend_from_slice(&chunk?);
        let mut consumed = 0;
        let mut events = serde_json::Deserializer::from_slice(&buffer).into_iter::<Value>();
        while let Some(Ok(event)) = events.next() {
            consumed = events.byte_offset();
            if arguments.format == "json" {
                output::line(&to_json(&event));
                continue;
            }
            match &template {
                None => output::line(&line(&event)),
                Some(template) => {
                    let event = event.typed("*events.Message");
                    let mut text = String::new();
                    template
                        .execute(&event, Functions::Usual, &mut text)
                        .map_err(|error| wrong(error.to_string()))?;
                    output::line(&text);
                }
            }
        }
        buffer.drain(..consumed);
    }
    Ok(0)
}

/// Time, kind, what happened, to whom, and what else is known, by name.
fn line(event: &Value) -> String {
    let nanos = match event.int("timeNano") {
        0 => event.int("time").saturating_mul(1_000_000_000),
        nanos => nanos,
    };
    let actor = event.get("Actor");
    let mut attributes: Vec<String> = actor
        .map("Attributes")
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    attributes.sort();
    let mut text = format!(
        "{} {} {} {}",
        human::rfc3339_nano(nanos),
        event.str("Type"),
        event.str("Action"),
        actor.str("ID")
    );
    if !attributes.is_empty() {
        text.push_str(&format!(" ({})", attributes.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_by_name() {
        let event = Value::from_json(
            br#"{"Type":"container","Action":"start","timeNano":1,
                "Actor":{"ID":"x","Attributes":{"name":"c2","image":"busybox"}}}"#,
        )
        .unwrap();
        let line = line(&event);
        assert!(
            line.ends_with(" container start x (image=busybox, name=c2)"),
            "{line}"
        );
    }
}
