//! `exec`: runs another command in a running container.

use clap::Args;
use dhow_client::{Request, encode};
use serde_json::{Map, Value as Json, json};

use crate::commands::container::{path, run};
use crate::commands::from_terminal;
use crate::failure::Failure;
use crate::options::env;
use crate::session::Session;
use crate::terminal::attached::{self, Ended, Wiring};
use crate::terminal::raw::RawMode;
use crate::terminal::size;

/// Run a command in a running container
#[derive(Args)]
pub struct Arguments {
    /// Run it in the background
    #[arg(short, long)]
    detach: bool,
    /// The keys that leave the command running
    #[arg(long, default_value = "")]
    detach_keys: String,
    /// Set an environment variable
    #[arg(short, long, value_name = "list", value_parser = env::variable)]
    env: Vec<String>,
    /// Read environment variables from a file
    #[arg(long, value_name = "list")]
    env_file: Vec<String>,
    /// Keep standard input open
    #[arg(short, long)]
    interactive: bool,
    /// Give the command everything root has here
    #[arg(long)]
    privileged: bool,
    /// Give the command a terminal
    #[arg(short, long)]
    tty: bool,
    /// The user to run as (name or id, and group after a colon)
    #[arg(short, long, default_value = "")]
    user: String,
    /// The directory to start in
    #[arg(short, long, default_value = "")]
    workdir: String,
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, value_name = "CONTAINER COMMAND [ARG...]")]
    command: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let client = session.client()?;
    let (container, command) = (&arguments.command[0], &arguments.command[1..]);
    let (keys_text, keys) = run::detach_keys(session, &arguments.detach_keys)?;
    if !arguments.detach && arguments.tty && arguments.interactive && !from_terminal() {
        return Err(Failure::message("the input device is not a TTY"));
    }
    let console = arguments.tty.then(size::current).flatten();
    let body = config(&arguments, command, keys_text.as_deref(), console)?;
    let created = session
        .json(Request::post(path(container, "exec")).json(&body))
        .await?;
    let id = created.str("Id").to_owned();
    let exec_path = format!("/exec/{}", encode(&id));
    let mut start = json!({"Detach": arguments.detach, "Tty": arguments.tty});
    if let Some((rows, columns)) = console {
        start["ConsoleSize"] = json!([rows, columns]);
    }
    let start = Request::post(format!("{exec_path}/start")).json(&start);
    if arguments.detach {
        session.done(start).await?;
        return Ok(0);
    }
    let raw = (arguments.tty && arguments.interactive)
        .then(RawMode::enter)
        .flatten();
    let connection = client.hijack(start).await?;
    let wiring = Wiring {
        tty: arguments.tty,
        stdin: arguments.interactive,
        output: true,
        detach_keys: (arguments.tty && arguments.interactive).then_some(keys),
    };
    let sizes = async {
        if arguments.tty {
            size::follow(client, exec_path.clone()).await;
        }
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = attached::join(connection, wiring) => ended,
        () = sizes => run::unreachable_end(),
    };
    drop(raw);
    match ended? {
        Ended::Detached => Ok(0),
        Ended::Output => {
            let exec = session
                .json(Request::get(format!("{exec_path}/json")))
                .await?;
            Ok(i32::try_from(exec.int("ExitCode")).unwrap_or(1))
        }
    }
}

fn config(
    arguments: &Arguments,
    command: &[String],
    detach_keys: Option<&str>,
    console: Option<(u16, u16)>,
) -> Result<Json, Failure> {
    let mut body = Map::new();
    let mut set = |key: &str, value: Json| body.insert(key.to_owned(), value);
    set("Cmd", json!(command));
    if !arguments.detach {
        set("AttachStdin", arguments.interactive.into());
        set("AttachStdout", true.into());
        set("AttachStderr", true.into());
    }
    set("Tty", arguments.tty.into());
    set("Privileged", arguments.privileged.into());
    if !arguments.user.is_empty() {
        set("User", arguments.user.as_str().into());
    }
    if !arguments.workdir.is_empty() {
        set("WorkingDir", arguments.workdir.as_str().into());
    }
    let environment = env::variables(&arguments.env_file, &arguments.env)?;
    if !environment.is_empty() {
        set("Env", json!(environment));
    }
    if let Some(keys) = detach_keys {
        set("DetachKeys", keys.into());
    }
    if let Some((rows, columns)) = console {
        set("ConsoleSize", json!([rows, columns]));
    }
    Ok(body.into())
}
