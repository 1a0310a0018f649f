//! The window's part of the bench: the real one (`src-tauri/benches`), and its
//! pages in Chromium, where the time that they take can be told from what else
//! the machine does (`ui/tests/e2e/speed.bench.ts`).

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::unistd::Uid;
use serde::Deserialize;

use super::document;
use crate::cargo::{build_programs, cargo, workspace};
use crate::command::{command, output, run};
use crate::{app, lock, packages, ui};

/// One measurement.
#[derive(Debug, Deserialize)]
struct Row {
    what: String,
    unit: String,
    values: Vec<f64>,
}

/// Measures and tells; `rest` may say how many starts of the window.
pub fn measure(rest: &[String]) -> Result<String> {
    if !Uid::effective().is_root() {
        bail!(
            "the window's bench starts engines and runs as root: sudo -E cargo xtask bench --window"
        );
    }
    let needed = [
        packages::BUILD,
        packages::RUN,
        packages::TEST,
        packages::APP,
        packages::APP_TEST,
    ];
    packages::ensure(&needed)?;
    ui::build(true)?;
    app::ensure_driver()?;
    let programs = build_programs(true)?;
    app::build(true)?;
    let _tests = lock::take("test")?;
    let mut rows = window(rest)?;
    rows.extend(pages(&programs)?);
    let report = report(&rows)?;
    println!("{report}");
    Ok(report)
}

fn window(rest: &[String]) -> Result<Vec<Row>> {
    let mut bench = cargo(&[
        "bench",
        "--quiet",
        "--package",
        app::PACKAGE,
        "--bench",
        "window",
        "--",
    ]);
    rows(&output(bench.args(rest))?)
}

fn pages(programs: &Path) -> Result<Vec<Row>> {
    let found = programs.join("pages.jsonl");
    // Rows are appended to it.
    if found.exists() {
        std::fs::remove_file(&found)?;
    }
    run(command("npm", &["run", "--silent", "bench"])
        .current_dir(workspace().join("ui"))
        .env("DHOW_BIN", programs)
        .env("DHOW_BENCH_ROWS", &found))?;
    rows(&std::fs::read_to_string(found)?)
}

fn rows(text: &str) -> Result<Vec<Row>> {
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a row: {line}")))
        .collect()
}

fn report(rows: &[Row]) -> Result<String> {
    let mut text = format!("{}\n\n", document::WINDOW);
    text.push_str("The real window is measured under Xvfb, without a graphics card, from the start of its process. What the\n");
    text.push_str("pages do is measured in Chromium, headless, in processor time of the page's own thread: its longest task is\n");
    text.push_str(
        "the longest that it could not answer. Repeat with `cargo xtask bench --window`.\n\n",
    );
    let date = output(&mut command("date", &["+%-d %B %Y"]))?;
    let _ = writeln!(
        text,
        "- Chromium: {}",
        output(&mut command("chromium", &["--version"]))?.trim()
    );
    let _ = writeln!(text, "- measured on {}\n", date.trim());
    text.push_str("| | median | spread | n |\n|---|---:|---|---:|\n");
    for row in rows {
        let value = |part| number(quantile(&row.values, part));
        let _ = writeln!(
            text,
            "| {} | {} {} | ({}–{}) | {} |",
            row.what,
            value(0.5),
            row.unit,
            value(0.1),
            value(0.9),
            row.values.len()
        );
    }
    Ok(text)
}

/// The value below which this part of the values lies, the nearest that was
/// measured.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    let at = (part * last as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

fn number(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_median_and_spread() {
        let rows = rows(r#"{"what": "start", "unit": "ms", "values": [3, 1, 2]}"#).unwrap();
        assert_eq!(quantile(&rows[0].values, 0.5), 2.0);
        assert_eq!(quantile(&rows[0].values, 1.0), 3.0);
        assert!(super::rows("nonsense").is_err());
        assert_eq!((number(0.0), number(12.34)), ("0".into(), "12.3".into()));
    }
}
