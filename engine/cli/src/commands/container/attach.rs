//! `attach`: joins this terminal to a running container.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::{path, run};
use crate::commands::from_terminal;
use crate::failure::Failure;
use crate::session::Session;
use crate::terminal::attached::{self, Ended, Wiring};
use crate::terminal::raw::RawMode;
use crate::terminal::signals::Caught;
use crate::terminal::size;

/// Join standard input and output to a running container
#[derive(Args)]
pub struct Arguments {
    /// The keys that leave the container running
    #[arg(long, default_value = "")]
    detach_keys: String,
    /// Leave standard input alone
    #[arg(long)]
    no_stdin: bool,
    /// Pass signals on to the container
    #[arg(long, action = clap::ArgAction::Set, default_value = "true")]
    sig_proxy: bool,
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let client = session.client()?;
    let container = session
        .json(Request::get(path(&arguments.container, "json")))
        .await?;
    let state = container.get("State");
    let refuse = |text: &str| Err(Failure::message(text));
    if !state.bool("Running") {
        return refuse("You cannot attach to a stopped container, start it first");
    }
    if state.bool("Paused") {
        return refuse("You cannot attach to a paused container, unpause it first");
    }
    if state.bool("Restarting") {
        return refuse("You cannot attach to a restarting container, wait until it is running");
    }
    let id = container.str("Id");
    let config = container.get("Config");
    let tty = config.bool("Tty");
    let stdin = !arguments.no_stdin && config.bool("OpenStdin");
    if tty && stdin && !from_terminal() {
        return refuse("the input device is not a TTY");
    }
    let caught = (arguments.sig_proxy && !tty).then(Caught::new);
    let (keys_text, keys) = run::detach_keys(session, &arguments.detach_keys)?;
    let attach = Request::post(path(id, "attach"))
        .query("stream", 1)
        .flag("stdin", stdin)
        .flag("stdout", true)
        .flag("stderr", true)
        .query_if("detachKeys", keys_text);
    // Asked before attaching, so that an exit in between is not missed.
    let waiting = client.send(Request::post(path(id, "wait")));
    let (connection, wait) = tokio::join!(client.hijack(attach), waiting);
    let (connection, wait) = (connection?, wait?);
    let raw = (tty && stdin).then(RawMode::enter).flatten();
    let wiring = Wiring {
        tty,
        stdin,
        output: true,
        detach_keys: (tty && stdin).then_some(keys),
    };
    let beside = async {
        if tty {
            size::redraw(client, path(id, "").trim_end_matches('/')).await;
        }
        run::beside(client, id, tty, caught).await;
    };
    let ended = tokio::select! {
        ended = attached::join(connection, wiring) => ended,
        () = beside => run::unreachable_end(),
    };
    drop(raw);
    match ended? {
        Ended::Detached => Ok(0),
        Ended::Output => run::exit_code(&wait.json().await?),
    }
}
