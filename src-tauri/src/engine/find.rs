//! Where the engine is, and what it answers when it is asked what it is.

use std::path::PathBuf;
use std::time::Duration;

use dhow_client::{Choice, Client, Endpoint, Environment, Error, Request, Target, discovery};
use serde::Deserialize;

use super::state::Why;

/// An engine that says nothing for this long is called silent.
const PATIENCE: Duration = Duration::from_secs(5);

/// The engine that is meant: the one in the settings, or else the one that
/// every client would take.
pub fn target(host: &str) -> Result<Target, Error> {
    let mut choice = Choice::default();
    if !host.is_empty() {
        choice.hosts.push(host.to_owned());
    }
    discovery::discover(&choice, &Environment::of_process())
}

/// The socket, where that is one at which an engine of ours would listen: the
/// usual one, which nobody chose. An engine that somebody named is theirs to
/// start.
pub fn usual_socket(target: &Target, host: &str) -> Option<PathBuf> {
    let environment = Environment::of_process();
    let chosen = !host.is_empty()
        || environment.host().is_some()
        || target.context != dhow_client::context::DEFAULT;
    match &target.endpoint {
        Endpoint::Unix(socket) if !chosen && environment.sockets.first() == Some(socket) => {
            Some(socket.clone())
        }
        _ => None,
    }
}

/// What the engine says it is: its version, and the API's.
pub async fn ask(client: &Client) -> Result<(String, String), (Why, String)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        version: String,
        api_version: String,
    }
    let asking = client.json::<Answer>(Request::get("/version"));
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(answer)) => Ok((answer.version, answer.api_version)),
        Ok(Err(error)) => Err(reason(&error)),
        Err(_) => Err((
            Why::Silent,
            format!("the engine at {} does not answer", client.endpoint()),
        )),
    }
}

/// Why nothing came of a request, as a word and a sentence.
pub fn reason(error: &Error) -> (Why, String) {
    let why = match error {
        Error::Unreachable { source, .. } => match source.kind() {
            std::io::ErrorKind::TimedOut => Why::Silent,
            _ => Why::NotRunning,
        },
        Error::PermissionDenied { .. } => Why::Denied,
        Error::Api { .. } | Error::Broken { .. } | Error::Tls(_) => Why::Refused,
        _ => Why::Misconfigured,
    };
    (why, sentence(error))
}

/// The error with everything that caused it.
pub fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
