//! What the engine itself holds while twenty containers idle.
//!
//! Resident memory counts shared pages in every process; the proportional
//! share divides them; private is what would come back if the process ended.

use anyhow::Result;

use super::Place;
use crate::report::{Row, Unit};
use crate::sample::Sample;

const COUNT: usize = 20;

#[derive(Default)]
struct Memory {
    resident: Sample,
    proportional: Sample,
    private: Sample,
}

type Get = fn(&Memory) -> &Sample;

pub fn measure(place: &Place<'_>) -> Result<Vec<Row>> {
    let names: Vec<String> = (0..COUNT)
        .map(|index| format!("bench-idle-{index}"))
        .collect();
    let mut daemons = Vec::new();
    let mut shims = Vec::new();
    for peer in place.engines() {
        for name in &names {
            peer.run(&["run", "-d", "--name", name, "busybox", "sleep", "100000"]);
        }
        let (mut daemon, mut shim) = (Memory::default(), Memory::default());
        let processes = peer.processes();
        // A daemon may be several processes, whose sum counts.
        daemon.add(&of(&processes, &["dhowd", "dockerd", "containerd"]), true);
        shim.add(&of(&processes, &["dhow-shim", "containerd-shim"]), false);
        daemons.push((peer.name.to_owned(), daemon));
        shims.push((peer.name.to_owned(), shim));
        let mut remove = vec!["rm", "-f"];
        remove.extend(names.iter().map(String::as_str));
        peer.run(&remove);
    }
    let mut rows = rows("daemon with 20 idle containers", daemons);
    rows.extend(self::rows("one shim of them", shims));
    Ok(rows)
}

impl Memory {
    fn add(&mut self, values: &[[f64; 3]], sum: bool) {
        let summed;
        let values = if sum {
            summed = [values
                .iter()
                .fold([0.0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]])];
            &summed[..]
        } else {
            values
        };
        for [resident, proportional, private] in values {
            self.resident.push(*resident);
            self.proportional.push(*proportional);
            self.private.push(*private);
        }
    }
}

fn rows(who: &str, peers: Vec<(String, Memory)>) -> Vec<Row> {
    let kinds: [(&str, Get); 3] = [
        ("resident", |memory| &memory.resident),
        ("proportional", |memory| &memory.proportional),
        ("private", |memory| &memory.private),
    ];
    let row = |(kind, get): (&str, Get)| Row {
        what: format!("{who}, {kind}"),
        unit: Unit::Mebibytes,
        samples: peers
            .iter()
            .map(|(name, memory)| (name.clone(), get(memory).clone()))
            .collect(),
    };
    kinds.into_iter().map(row).collect()
}

/// Resident, proportional and private MiB of each process whose name begins
/// with one of `programs`, shims not taken for daemons.
fn of(processes: &[i32], programs: &[&str]) -> Vec<[f64; 3]> {
    processes
        .iter()
        .filter(|process| {
            let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            let program =
                String::from_utf8_lossy(line.split(|byte| *byte == 0).next().unwrap_or_default())
                    .into_owned();
            let name = program.rsplit('/').next().unwrap_or_default().to_owned();
            programs.iter().any(|wanted| {
                name == *wanted || (wanted.ends_with("shim") && name.starts_with(wanted))
            })
        })
        .filter_map(|process| {
            let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
            let field = |name: &str| -> f64 {
                text.lines()
                    .filter(|line| line.starts_with(name))
                    .filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
                    .sum::<f64>()
                    / 1024.0
            };
            Some([field("Rss:"), field("Pss:"), field("Private_")])
        })
        .collect()
}
