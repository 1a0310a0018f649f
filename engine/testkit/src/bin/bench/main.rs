//! `dhow-bench`: the engine measured against Debian's dockerd.
//!
//! Both run at the same time, each on roots of its own, and every round asks
//! each of them in turn, so that a machine that slows down slows all. The
//! `docker` client is the same program for both. What is reported are
//! medians; one number proves nothing.
//!
//! It is started by `cargo xtask bench`, which builds the release programs
//! that stand beside this one.
#![forbid(unsafe_code)]

mod machine;
mod measure;
mod peer;
mod report;
mod sample;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Parser;
use dhow_testkit::{Dockerd, Engine, Registry, fixture};

use peer::Peer;

#[derive(Parser)]
#[command(
    name = "cargo xtask bench",
    about = "Measure Dhow against Debian's dockerd"
)]
pub struct Options {
    /// Few rounds: a first impression, not a result.
    #[arg(long)]
    quick: bool,
    /// Only the measurements whose name contains this (may be repeated).
    #[arg(long)]
    only: Vec<String>,
    /// How many rounds, instead of each measurement's own number.
    #[arg(long)]
    rounds: Option<usize>,
    /// Leave Dhow out: measure dockerd alone.
    #[arg(long)]
    without_dhow: bool,
    /// Write the report to this file as well.
    #[arg(long)]
    write: Option<PathBuf>,
}

impl Options {
    /// The number of rounds for a measurement that wants `full`.
    fn rounds(&self, full: usize) -> usize {
        self.rounds
            .unwrap_or(if self.quick { full.min(3) } else { full })
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let chosen: Vec<_> = measure::ALL
        .iter()
        .filter(|(name, _)| {
            options.only.is_empty() || options.only.iter().any(|part| name.contains(part.as_str()))
        })
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = measure::ALL.iter().map(|(name, _)| *name).collect();
        bail!("no such measurement; there are: {}", names.join(", "));
    }

    let registry = Registry::start();
    let docker = Dockerd::start()?;
    let dhow = (!options.without_dhow).then(|| Engine::options().log_level("warn").start());
    let mut peers = vec![Peer::docker(&docker)];
    if let Some(engine) = &dhow {
        peers.push(Peer::dhow(engine));
        peers.push(Peer::dhow_own_client(engine));
    }
    let busybox = fixture::busybox();
    for peer in peers.iter().filter(|peer| !peer.shares_engine) {
        peer.load(&busybox, "busybox:latest");
    }

    let place = measure::Place {
        options: &options,
        registry: &registry,
        peers: &peers,
    };
    let mut report = report::Report::new(machine::describe(&docker));
    for (name, measure) in chosen {
        eprintln!("{name} …");
        for row in measure(&place)? {
            eprintln!("{}", row.line());
            report.add(row);
        }
    }
    println!("{}", report.markdown());
    if let Some(path) = &options.write {
        std::fs::write(path, report.markdown())?;
    }
    Ok(())
}
