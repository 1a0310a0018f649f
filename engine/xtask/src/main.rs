//! `cargo xtask`: the one tool of the project.
//!
//! `run` shows the engine at work, `test` is what CI runs, `bench` measures
//! against Debian's dockerd and `tidy` holds the sources against the rules
//! of the house. It imports no Dhow crate: it drives the built programs the
//! way a person would.
#![forbid(unsafe_code)]

mod app;
mod bench;
mod cargo;
mod command;
mod lock;
mod packages;
mod run;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run, test and measure Dhow")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build, start the engine, and show a container that serves a page.
    Run(run::Options),
    /// Measure against Debian's dockerd.
    Bench(bench::Options),
    /// Install what the tests need, run all of them, clean up.
    Test(test::Options),
    /// Check dependencies and sources against the rules of the house.
    Tidy,
    /// Draw the pictures in icons/ anew from their sources.
    Icons,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Run(options) => run::run(&options),
        Task::Bench(options) => bench::bench(&options),
        Task::Test(options) => test::all(&options),
        Task::Tidy => tidy::run(),
        Task::Icons => app::draw_icons(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
