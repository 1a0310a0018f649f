//! `cargo xtask run`: the engine at work, from nothing to a page.
//!
//! It builds, starts `dhowd` on roots of its own, runs the image that is
//! built into the engine, says where the page is, and waits. Ctrl-C removes
//! every trace; a run that was killed is cleared up by the next one. Where
//! there is a display, the window opens on the engine as well.
//!
//! The development build is used: it is done in half the time of a release
//! build, shares its dependencies with the tests, and what would be slow in
//! it (hashing, inflating, the database) is optimised in it as well.

mod engine;
mod window;

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cargo::{build_programs, target_directory};
use crate::command::may_use_sudo;
use crate::{app, lock, packages};
use engine::{Ended, Engine, Place};

/// The container's name.
const CONTAINER: &str = "welcome";

/// The first choice for the page's port.
const PORT: u16 = 8080;

#[derive(clap::Args)]
pub struct Options {
    /// The port for the page on 127.0.0.1; 8080 if it is free.
    #[arg(long)]
    port: Option<u16>,
    /// Use an optimised build, which takes longer to make.
    #[arg(long)]
    release: bool,
    /// The engine's name, for having several side by side.
    #[arg(long, default_value = "run")]
    name: String,
    /// Don't open the window.
    #[arg(long)]
    no_window: bool,
    /// Don't look for missing packages.
    #[arg(long)]
    no_install: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let with_window = !options.no_window && window::has_display();
    if !options.no_install {
        let mut wanted = vec![packages::BUILD, packages::RUN];
        wanted.extend(with_window.then_some(packages::APP));
        packages::ensure(&wanted)?;
    }
    may_use_sudo(
        "running containers",
        "dhowd (on roots of its own, below target/dhow-run)",
    )?;
    let programs = build_programs(options.release)?;
    let app = if with_window {
        Some(app::build(options.release)?)
    } else {
        None
    };
    let _lock = lock::try_take(&lock_name(&options.name))?
        .context("`cargo xtask run` is running already; stop it with Ctrl-C there")?;

    let signals = engine::catch_signals()?;
    let place = Place::new(&options.name, &programs, &target_directory()?)?;
    let mut engine = Engine::start(place, &signals)?;
    let outcome = show(&mut engine, options, app.as_deref(), &signals);
    if outcome.is_err() {
        eprintln!("── the daemon's last words\n{}", engine.last_words());
    }
    eprintln!("\nstopping …");
    engine
        .stop()
        .context("something was left behind; running this again clears it up")?;
    eprintln!("nothing is left");
    outcome
}

/// The footprints of killed runs: those whose lock nobody holds.
pub fn left_over(target: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(target)?.flatten() {
        let folder = entry.file_name();
        let name = folder
            .to_str()
            .and_then(|name| name.strip_prefix(engine::PREFIX));
        let footprint = entry.path().join(engine::FOOTPRINT);
        if let Some(name) = name.filter(|_| footprint.exists())
            && lock::try_take(&lock_name(name))?.is_some()
        {
            found.push(footprint);
        }
    }
    Ok(found)
}

fn lock_name(name: &str) -> String {
    format!("run-{name}")
}

fn show(
    engine: &mut Engine,
    options: &Options,
    app: Option<&Path>,
    signals: &engine::Signals,
) -> Result<()> {
    let port = match options.port {
        Some(port) => serve(engine, port).map(|()| port)?,
        // The first choice, or where that is taken any other.
        None => match serve(engine, PORT) {
            Ok(()) => PORT,
            Err(_) => {
                // Whatever else is wrong, the second try says so.
                let _ = engine.dhow(&["rm", "--force", CONTAINER]);
                let port = free_port()?;
                serve(engine, port).map(|()| port)?
            }
        },
    };
    engine.wait_for_page(port)?;
    println!("\nThe engine is under way, and a container serves a page:\n");
    println!("    http://127.0.0.1:{port}/\n");
    println!("$ dhow ps\n{}", engine.dhow(&["ps"])?);
    println!("Use it from another terminal, as dhow or as docker:\n");
    println!("    export DOCKER_HOST={}", engine.host());
    println!("    export PATH={}:$PATH\n", engine.programs().display());
    // Closed when this is over, one way or the other.
    let _window = match app {
        Some(app) => Some(window::open(app, &engine.host(), signals)?),
        None => None,
    };
    match app {
        Some(_) => println!("The window shows the same."),
        None if options.no_window => {}
        None => {
            println!("No window opens without a display. In a browser:\n\n    dhow dashboard\n")
        }
    }
    println!("Ctrl-C stops it and removes every trace.");
    match engine.wait(signals)? {
        Ended::Asked => Ok(()),
        Ended::Died(status) => bail!("dhowd ended by itself: {status}"),
    }
}

/// Starts the container that serves the page.
fn serve(engine: &Engine, port: u16) -> Result<()> {
    engine.dhow(&[
        "run",
        "--detach",
        // It is built in: nothing is to be asked of any registry.
        "--pull",
        "never",
        "--name",
        CONTAINER,
        "--publish",
        &format!("127.0.0.1:{port}:80"),
        "dhow/welcome",
    ])?;
    Ok(())
}

/// A port nobody has at the moment.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}
