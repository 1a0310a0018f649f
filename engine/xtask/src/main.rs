//! `cargo xtask`: the one tool of the project.
//!
//! `run` shows the engine at work, `test` is what CI runs, `bench` measures
//! against Debian's dockerd and `tidy` holds the sources against the rules
//! of the house. It imports no Dhow crate: it drives the built programs the
//! way a person would.
#![forbid(unsafe_code)]

mod cargo;
mod command;
mod lock;
mod packages;
mod test;
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run, test and measure Dhow")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need, run all of them, clean up.
    Test(test::Options),
    /// Check dependencies and sources against the rules of the house.
    Tidy,
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Test(options) => test::all(&options),
        Task::Tidy => tidy::run(),
    }
}
