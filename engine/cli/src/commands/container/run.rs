//! `run`: makes a container, joins its streams, starts it and waits for it.
//!
//! Three round trips to a container's first byte: create; attach and wait,
//! side by side; start.

use clap::Args;
use dhow_client::{Client, Request};

use crate::commands::container::{create, path};
use crate::commands::from_terminal;
use crate::failure::Failure;
use crate::format::Value;
use crate::options::create::CreateFlags;
use crate::options::request::{Plan, Use};
use crate::output;
use crate::session::Session;
use crate::terminal::attached::{self, Ended, Wiring};
use crate::terminal::detach::DetachKeys;
use crate::terminal::raw::RawMode;
use crate::terminal::signals::Caught;
use crate::terminal::size;

/// Make a container of an image and run it
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: CreateFlags,
    /// Run in the background and print the container's id
    #[arg(short, long)]
    detach: bool,
    /// The keys that leave the container running
    #[arg(long, default_value = "")]
    detach_keys: String,
    /// Pass signals on to the container
    #[arg(long, action = clap::ArgAction::Set, default_value = "true")]
    sig_proxy: bool,
    #[arg(
        required = true,
        trailing_var_arg = true,
        value_name = "IMAGE [COMMAND] [ARG...]"
    )]
    command: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let flags = &arguments.flags;
    if arguments.detach && !flags.attach.is_empty() {
        return Err(Failure::message(
            "conflicting options: cannot specify both --attach and --detach",
        ));
    }
    let attaches_input = flags.interactive || flags.attach.iter().any(|s| s == "stdin");
    if flags.tty && attaches_input && !arguments.detach && !from_terminal() {
        return Err(Failure::message("the input device is not a TTY"));
    }
    let explain = |failure: Failure| with_help(failure, session);
    create::check_pull(flags).map_err(explain)?;
    let usage = Use {
        detached: arguments.detach,
        console_size: flags.tty.then(size::current).flatten(),
    };
    let plan = create::plan(session, flags, &arguments.command, usage)
        .map_err(|failure| explain(failure).with_code(125))?;
    let image = &arguments.command[0];
    let caught = (arguments.sig_proxy && !arguments.detach).then(Caught::new);
    let id = match create::create(session, flags, image, &plan).await {
        Ok(id) => id,
        // Said of the command line rather than of the container.
        Err(failure) if failure.to_string().contains("requires API version") => {
            return Err(failure);
        }
        Err(failure) => return Err(explain(failure)),
    };
    if arguments.detach {
        let started = session.done(Request::post(path(&id, "start"))).await;
        started.map_err(explain)?;
        output::line(&id);
        return Ok(0);
    }
    foreground(&arguments, session, &id, &plan, caught).await
}

async fn foreground(
    arguments: &Arguments,
    session: &Session,
    id: &str,
    plan: &Plan,
    caught: Option<Caught>,
) -> Result<i32, Failure> {
    let explain = |failure: Failure| with_help(failure, session);
    let client = session.client()?;
    let attach = plan.attach;
    let any = attach.stdin || attach.stdout || attach.stderr;
    let keys = detach_keys(session, &arguments.detach_keys)?;
    let (keys_text, keys) = keys;
    let attaching = async {
        if !any {
            return Ok(None);
        }
        let request = Request::post(path(id, "attach"))
            .query("stream", 1)
            .flag("stdin", attach.stdin)
            .flag("stdout", attach.stdout)
            .flag("stderr", attach.stderr)
            .query_if("detachKeys", keys_text);
        client.hijack(request).await.map(Some)
    };
    let condition = if arguments.flags.rm {
        "removed"
    } else {
        "next-exit"
    };
    let waiting = client.send(Request::post(path(id, "wait")).query("condition", condition));
    let (connection, wait) = tokio::join!(attaching, waiting);
    let connection = connection.map_err(|error| explain(error.into()))?;
    let wait = wait.map_err(|error| explain(error.into()))?;

    if !attach.stdout && !attach.stderr {
        output::line(id);
    }
    let raw = (plan.tty && attach.stdin).then(RawMode::enter).flatten();
    if let Err(failure) = session.done(Request::post(path(id, "start"))).await {
        drop(raw);
        if arguments.flags.rm {
            // The engine removes it: be there when it has.
            let _ = wait.bytes().await;
        }
        return Err(explain(failure));
    }
    let wiring = Wiring {
        tty: plan.tty,
        stdin: attach.stdin,
        output: attach.stdout || attach.stderr,
        detach_keys: (plan.tty && attach.stdin).then_some(keys),
    };
    let streams = async {
        match connection {
            Some(connection) => attached::join(connection, wiring).await,
            None => Ok(Ended::Output),
        }
    };
    let ended = tokio::select! {
        ended = streams => ended,
        () = beside(client, id, plan.tty, caught) => unreachable_end(),
    };
    drop(raw);
    match ended? {
        Ended::Detached => Ok(0),
        Ended::Output => exit_code(&wait.json::<Value>().await?),
    }
}

/// What goes on while the streams are joined: signals and sizes are passed on.
/// Never ends by itself.
pub async fn beside(client: &Client, id: &str, tty: bool, caught: Option<Caught>) {
    let sizes = async {
        if tty {
            size::follow(client, path(id, "").trim_end_matches('/').to_owned()).await;
        }
        std::future::pending::<()>().await;
    };
    let signals = async {
        if let Some(mut caught) = caught {
            caught.forward(client, id).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::join!(sizes, signals);
}

/// Signals and sizes are never done with.
pub fn unreachable_end<T>() -> Result<T, Failure> {
    Err(Failure::message("the terminal went away"))
}

/// A container's exit code from the answer to `wait`.
pub fn exit_code(wait: &Value) -> Result<i32, Failure> {
    let message = wait.get("Error").str("Message");
    if !message.is_empty() {
        return Err(
            Failure::message(format!("Error waiting for container: {message}")).with_code(125),
        );
    }
    Ok(i32::try_from(wait.int("StatusCode")).unwrap_or(125))
}

/// The detach keys as the engine takes them, and as this end looks for them.
/// A sequence that is none leaves Docker's own in force.
pub fn detach_keys(session: &Session, flag: &str) -> Result<(Option<String>, DetachKeys), Failure> {
    let config = &session.target()?.config;
    let text = Some(flag)
        .filter(|text| !text.is_empty())
        .or_else(|| config.text("detachKeys"));
    let keys = text
        .and_then(DetachKeys::parse)
        .unwrap_or_else(DetachKeys::usual);
    Ok((text.map(str::to_owned), keys))
}

/// `run`'s own way to fail: its name before the reason, a pointer to help after
/// it, and a code that tells what kept the command from running.
fn with_help(failure: Failure, session: &Session) -> Failure {
    let program = session.program;
    let Some(text) = failure.text(program) else {
        return failure;
    };
    let has = |part: &str| text.to_lowercase().contains(part);
    let code = if has("executable file not found") || has("no such file or directory") {
        127
    } else if has("permission denied") || has("is a directory") {
        126
    } else {
        125
    };
    let name = program.name;
    Failure::message(format!(
        "{name}: {text}\n\nRun '{name} run --help' for more information"
    ))
    .with_code(code)
}
