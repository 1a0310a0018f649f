//! `cargo xtask bench`: builds what is measured and what measures, as
//! releases, and runs it as root. `--window` measures the window instead.
//!
//! With `--write` each of the two replaces its own part of
//! `engine/BENCHMARKS.md`.

mod document;
mod window;

use anyhow::Result;

use crate::cargo::build_programs;
use crate::command::{as_root, may_use_sudo, run};
use crate::{lock, packages};

#[derive(clap::Args)]
pub struct Options {
    /// Write the report to engine/BENCHMARKS.md.
    #[arg(long)]
    write: bool,
    /// Measure the window and its pages, not the engine.
    #[arg(long)]
    window: bool,
    /// For the measuring program: --quick, --only NAME, --rounds N.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub fn bench(options: &Options) -> Result<()> {
    if options.window {
        let report = window::measure(&options.rest)?;
        return match options.write {
            true => document::replace(document::WINDOW, &report),
            false => Ok(()),
        };
    }
    packages::ensure(&[packages::BUILD, packages::RUN, packages::TEST])?;
    may_use_sudo("measuring", "dhow-bench (it starts both engines)")?;
    let programs = build_programs(true)?;
    // Tests on the same machine would be measured too.
    let _tests = lock::take("test")?;
    let mut command = as_root(programs.join("dhow-bench"), &[]);
    command.args(&options.rest);
    let report = programs.join("dhow-bench.md");
    if options.write {
        command.arg("--write").arg(&report);
    }
    let outcome = run(&mut command);
    run(&mut as_root(programs.join("dhow-sweep"), &[]))?;
    outcome?;
    match options.write {
        true => document::replace(document::ENGINE, &std::fs::read_to_string(report)?),
        false => Ok(()),
    }
}
