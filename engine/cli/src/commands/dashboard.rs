//! `dashboard`: the user interface in a browser. Serving it is the dashboard's
//! own crate; this prints its links, opens the browser, and ends it.

use std::io::{BufRead, IsTerminal as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use dhow_client::Logins;
use dhow_dashboard::{Audience, Dashboard, Error, Pages, Place, TOLD_VARIABLE};
use dhow_model::error::chain;
use rustix::process::{geteuid, getpgrp};
use rustix::termios::tcgetpgrp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::failure::Failure;
use crate::output;
use crate::session::{Session, VERSION};

/// Show the engine in a browser, on an address of this machine
#[derive(Args)]
pub struct Arguments {
    /// The address to listen on
    #[arg(long, value_name = "ip", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Allow an address that others reach, without TLS (say it also with
    /// DHOW_ALLOW_INSECURE_TCP=1)
    #[arg(long)]
    allow_insecure_tcp: bool,
    /// Print the link and open no browser
    #[arg(long)]
    no_open: bool,
    /// Serve pages from this folder, not those that are built in
    #[arg(long, value_name = "path", hide = true)]
    pages: Option<PathBuf>,
    /// The port to listen on; any that is free unless given
    #[arg(
        long,
        value_name = "port",
        default_value_t = 0,
        hide_default_value = true
    )]
    port: u16,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let told = session.environment.variable(TOLD_VARIABLE) == Some("1");
    let told_twice = arguments.allow_insecure_tcp && told;
    let place = Place::new(arguments.address, arguments.port, told_twice).map_err(failed)?;
    let pages = match &arguments.pages {
        Some(folder) => Pages::of_folder(folder),
        None => Pages::built_in(),
    };
    let client = session.new_client()?;
    let engine = client.endpoint().to_string();
    let logins = Logins::in_folder(session.environment.docker_config(&session.choice));
    let dashboard = Dashboard::listen(place, pages.map_err(failed)?, client, logins, VERSION)
        .await
        .map_err(failed)?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let link = dashboard.link(Audience::Anyone).map_err(failed)?;
    output::print(&format!(
        "The dashboard of the engine at {engine}:\n\n    {link}\n\n\
         The link lets one browser in, within 10 minutes. Enter prints another, Ctrl-C ends it all.\n"
    ));
    if !arguments.no_open {
        open(&dashboard)?;
    }
    tokio::select! {
        () = dashboard.serve() => {}
        result = more_links(&dashboard, lines()) => result?,
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(0)
}

/// Prints another link for every line on standard input.
async fn more_links(
    dashboard: &Dashboard,
    mut lines: UnboundedReceiver<()>,
) -> Result<(), Failure> {
    while let Some(()) = lines.recv().await {
        let link = dashboard.link(Audience::Anyone).map_err(failed)?;
        output::line(&format!("    {link}"));
    }
    // Nobody there to press Enter, a service for example.
    std::future::pending().await
}

/// A message for every line on standard input.
fn lines() -> UnboundedReceiver<()> {
    let (sender, receiver) = unbounded_channel();
    let stdin = std::io::stdin();
    // Reading from the terminal would stop a program in the background.
    let ours = !stdin.is_terminal() || tcgetpgrp(&stdin).is_ok_and(|group| group == getpgrp());
    if ours {
        std::thread::spawn(move || {
            for line in stdin.lock().lines() {
                if line.is_err() || sender.send(()).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// Opens the person's browser, where there is a desktop to open it on. Its
/// link goes through a command line, which others on this machine can read.
fn open(dashboard: &Dashboard) -> Result<(), Failure> {
    let desktop = ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let user = geteuid();
    // Only Linux says whose process a connection comes from. Browsers refuse
    // to be root's, and are right.
    if !cfg!(target_os = "linux") || !desktop || user.is_root() {
        return Ok(());
    }
    let link = dashboard
        .link(Audience::User(user.as_raw()))
        .map_err(failed)?;
    let spawned = tokio::process::Command::new("xdg-open")
        .arg(link)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // Without the program there is still the printed link.
    if let Ok(mut child) = spawned {
        tokio::spawn(async move { child.wait().await });
    }
    Ok(())
}

fn failed(error: Error) -> Failure {
    Failure::message(chain(&error))
}
