//! The measurements, one file each.

mod exec;
mod logs;
mod memory;
mod pull;
mod run_true;
mod start_many;

use anyhow::Result;
use dhow_testkit::Registry;

use crate::Options;
use crate::peer::Peer;
use crate::report::{Row, Unit};
use crate::sample::Sample;

/// What a measurement has to work with.
pub struct Place<'a> {
    pub options: &'a Options,
    pub registry: &'a Registry,
    pub peers: &'a [Peer],
}

pub type Measure = fn(&Place<'_>) -> Result<Vec<Row>>;

/// By name, in the order of the report.
pub const ALL: &[(&str, Measure)] = &[
    ("run", run_true::measure),
    ("exec", exec::measure),
    ("start", start_many::measure),
    ("pull", pull::measure),
    ("logs", logs::measure),
    ("memory", memory::measure),
];

impl Place<'_> {
    /// The engines, each once, whatever the number of clients.
    fn engines(&self) -> impl Iterator<Item = &Peer> {
        self.peers.iter().filter(|peer| !peer.shares_engine)
    }

    /// Asks every peer in turn, round after round, and leaves out the first
    /// round, in which caches are cold. Each round begins with another peer,
    /// so that none always runs in another's wake.
    fn rounds<'p>(
        &self,
        what: &str,
        full: usize,
        peers: &[&'p Peer],
        mut ask: impl FnMut(&'p Peer, usize) -> f64,
    ) -> Row {
        let mut samples: Vec<(String, Sample)> = peers
            .iter()
            .map(|peer| (peer.name.to_owned(), Sample::default()))
            .collect();
        for round in 0..=self.options.rounds(full) {
            for turn in 0..peers.len() {
                let index = (round + turn) % peers.len();
                let value = ask(peers[index], round);
                if round > 0 {
                    samples[index].1.push(value);
                }
            }
        }
        Row {
            what: what.to_owned(),
            unit: Unit::Milliseconds,
            samples,
        }
    }
}
