//! The table: a row for each measurement, a column for each peer.

use std::fmt::Write as _;

use crate::sample::Sample;

/// One measurement of several peers.
pub struct Row {
    pub what: String,
    pub unit: Unit,
    /// In the order of the peers; the first is what the others are held
    /// against.
    pub samples: Vec<(String, Sample)>,
}

#[derive(Clone, Copy)]
pub enum Unit {
    Milliseconds,
    Mebibytes,
}

impl Row {
    /// The row for a person who watches.
    pub fn line(&self) -> String {
        let mut line = format!("  {}", self.what);
        for (name, sample) in &self.samples {
            let _ = write!(
                line,
                "\n    {name:<14} {:>9} {}  ({} to {}, n = {}){}",
                number(sample.median()),
                self.unit.name(),
                number(sample.quantile(0.1)),
                number(sample.quantile(0.9)),
                sample.len(),
                self.ratio(sample)
                    .map(|ratio| format!("  × {ratio:.2}"))
                    .unwrap_or_default(),
            );
        }
        line
    }

    fn ratio(&self, sample: &Sample) -> Option<f64> {
        let first = &self.samples.first()?.1;
        let is_first = std::ptr::eq(first, sample);
        (!is_first).then(|| sample.median() / first.median())
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Mebibytes => "MiB",
        }
    }
}

pub struct Report {
    head: Vec<String>,
    rows: Vec<Row>,
}

impl Report {
    pub fn new(head: Vec<String>) -> Self {
        Self {
            head,
            rows: Vec::new(),
        }
    }

    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub fn markdown(&self) -> String {
        let mut text = String::from("# Measured against dockerd\n\n");
        text.push_str("Both engines run at once, rounds are interleaved, values are medians\n");
        text.push_str(
            "(in brackets the 10th and 90th percentile). Repeat with `cargo xtask bench`.\n\n",
        );
        for line in &self.head {
            let _ = writeln!(text, "- {line}");
        }
        text.push_str("\n| | who | median | spread | n | ratio |\n|---|---|---:|---|---:|---:|\n");
        for row in &self.rows {
            for (index, (name, sample)) in row.samples.iter().enumerate() {
                let what = if index == 0 { row.what.as_str() } else { "" };
                // A bare bar would end the cell.
                let name = name.replace('|', "\\|");
                let ratio = row
                    .ratio(sample)
                    .map(|ratio| format!("{ratio:.2}"))
                    .unwrap_or_default();
                let _ = writeln!(
                    text,
                    "| {what} | {name} | {} {} | ({}–{}) | {} | {ratio} |",
                    number(sample.median()),
                    row.unit.name(),
                    number(sample.quantile(0.1)),
                    number(sample.quantile(0.9)),
                    sample.len(),
                );
            }
        }
        text
    }
}

fn number(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Report, Row, Unit};
    use crate::sample::Sample;

    #[test]
    fn others_are_held_against_the_first() {
        let sample = |value: f64| {
            let mut sample = Sample::default();
            sample.push(value);
            sample
        };
        let samples = vec![
            ("dockerd".to_owned(), sample(200.0)),
            ("dhowd".to_owned(), sample(50.0)),
        ];
        let mut report = Report::new(vec!["a machine".into()]);
        report.add(Row {
            what: "run".into(),
            unit: Unit::Milliseconds,
            samples,
        });
        let text = report.markdown();
        assert!(
            text.contains("| run | dockerd | 200 ms | (200–200) | 1 |  |"),
            "{text}"
        );
        assert!(
            text.contains("|  | dhowd | 50.0 ms | (50.0–50.0) | 1 | 0.25 |"),
            "{text}"
        );
    }
}
