//! `start`: starts containers that exist.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::{path, run};
use crate::commands::from_terminal;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;
use crate::terminal::attached::{self, Ended, Wiring};
use crate::terminal::raw::RawMode;
use crate::terminal::signals::Caught;

/// Start containers that are stopped
#[derive(Args)]
pub struct Arguments {
    /// Show output and pass signals on
    #[arg(short, long)]
    attach: bool,
    /// The keys that leave the container running
    #[arg(long, default_value = "")]
    detach_keys: String,
    /// Pass standard input on
    #[arg(short, long)]
    interactive: bool,
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    containers: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    if arguments.attach || arguments.interactive {
        if arguments.containers.len() > 1 {
            return Err(Failure::message(
                "you cannot start and attach multiple containers at once",
            ));
        }
        return attached(&arguments, session).await;
    }
    let mut failed = Vec::new();
    for container in &arguments.containers {
        match session.done(Request::post(path(container, "start"))).await {
            Ok(()) => output::line(container),
            Err(failure) => {
                output::warn(&failure.text(session.program).unwrap_or_default());
                failed.push(container.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(0);
    }
    Err(Failure::message(format!(
        "Error: failed to start containers: {}",
        failed.join(", ")
    )))
}

async fn attached(arguments: &Arguments, session: &Session) -> Result<i32, Failure> {
    let client = session.client()?;
    let container = session
        .json(Request::get(path(&arguments.containers[0], "json")))
        .await?;
    let id = container.str("Id");
    let config = container.get("Config");
    let tty = config.bool("Tty");
    let stdin = arguments.interactive && config.bool("OpenStdin");
    if tty && stdin && !from_terminal() {
        return Err(Failure::message("the input device is not a TTY"));
    }
    let caught = (!tty).then(Caught::new);
    let (keys_text, keys) = run::detach_keys(session, &arguments.detach_keys)?;
    let attach = Request::post(path(id, "attach"))
        .query("stream", 1)
        .flag("stdin", stdin)
        .flag("stdout", true)
        .flag("stderr", true)
        .query_if("detachKeys", keys_text);
    let removed = container.get("HostConfig").bool("AutoRemove");
    let condition = if removed { "removed" } else { "next-exit" };
    let waiting = client.send(Request::post(path(id, "wait")).query("condition", condition));
    let (connection, wait) = tokio::join!(client.hijack(attach), waiting);
    let (connection, wait) = (connection?, wait?);
    let raw = (tty && stdin).then(RawMode::enter).flatten();
    session.done(Request::post(path(id, "start"))).await?;
    let wiring = Wiring {
        tty,
        stdin,
        output: true,
        detach_keys: (tty && stdin).then_some(keys),
    };
    let ended = tokio::select! {
        ended = attached::join(connection, wiring) => ended,
        () = run::beside(client, id, tty, caught) => run::unreachable_end(),
    };
    drop(raw);
    match ended? {
        Ended::Detached => Ok(0),
        Ended::Output => run::exit_code(&wait.json().await?),
    }
}
