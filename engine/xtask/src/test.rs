//! `cargo xtask test`: everything that CI checks, in the order in which it
//! fails fastest.
//!
//! Every step runs even if one before it failed, the machine is swept
//! before and after, and the totals are printed at the end.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, target_directory};
use crate::command::{as_root, is_root, may_use_sudo, run, shown};
use crate::{app, lock, packages};

/// How long one test program may take. The harness names the tests that
/// were under way.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Engines that start at the same time on a large machine wait for the
/// same locks of the kernel.
const MOST_THREADS: usize = 8;

#[derive(clap::Args)]
pub struct Options {
    /// Run only tests whose name contains this.
    filter: Option<String>,
    /// Test only this package (may be repeated).
    #[arg(short, long)]
    package: Vec<String>,
    /// Leave out the window and the tray, which take WebKit to compile and
    /// Node.js to build the page. `-p dhow-app` tests nothing else.
    #[arg(long)]
    no_app: bool,
    /// Skip rustfmt and clippy.
    #[arg(long)]
    no_lint: bool,
    /// Don't look for missing packages.
    #[arg(long)]
    no_install: bool,
    /// Passed to the test programs, after `--`.
    #[arg(last = true)]
    rest: Vec<String>,
}

impl Options {
    /// Whether any of the engine is tested.
    fn with_engine(&self) -> bool {
        self.package.is_empty() || self.package.iter().any(|name| name != app::PACKAGE)
    }

    /// Whether the app is tested.
    fn with_app(&self) -> bool {
        let named = self.package.iter().any(|name| name == app::PACKAGE);
        !self.no_app && (self.package.is_empty() || named)
    }
}

pub fn all(options: &Options) -> Result<()> {
    let started = Instant::now();
    if !options.no_install {
        let mut wanted = vec![packages::BUILD, packages::RUN, packages::TEST];
        if options.with_app() {
            wanted.extend([packages::APP, packages::APP_TEST]);
        }
        packages::ensure(&wanted)?;
    }
    may_use_sudo(
        "running containers in the tests",
        "cargo test (the test programs, as root)",
    )?;
    let _lock = lock::take("test")?;

    let mut steps = Steps::default();
    if !options.no_lint {
        steps.take("format", || run(&mut cargo(&["fmt", "--all", "--check"])));
        steps.take("clippy", || {
            run(&mut cargo(&[
                "clippy",
                "--all-targets",
                "--quiet",
                "--keep-going",
                "--",
                "-D",
                "warnings",
            ]))
        });
    }
    // The tests run all programs of the engine, not only their own package's.
    steps.take("build", || run(&mut cargo(&["build", "--bins"])));
    let mut totals = Totals::default();
    if steps.take("sweep", sweep) {
        if options.with_engine() {
            let named = options.package.iter().cloned();
            let engine: Vec<String> = named.filter(|name| name != app::PACKAGE).collect();
            steps.take("tests", || tests(options, &engine, &mut totals));
        }
        if options.with_app() && steps.take("page", app::build_page) {
            if !options.no_lint {
                steps.take("app: clippy", app::lint);
            }
            steps.take("app: driver", app::ensure_driver);
            let package = [app::PACKAGE.to_owned()];
            steps.take("app: tests", || tests(options, &package, &mut totals));
        }
    }
    steps.take("sweep after", sweep);

    println!();
    for step in &steps.0 {
        let outcome = if step.failed { "FAILED" } else { "ok" };
        println!(
            "{:<12} {outcome:<7} {:>6.1} s",
            step.name,
            step.took.as_secs_f64()
        );
    }
    println!("{totals} in {:.0} s", started.elapsed().as_secs_f64());
    if steps.0.iter().any(|step| step.failed) {
        bail!("not all is well");
    }
    Ok(())
}

/// Removes what killed runs left on the machine: processes, bridges,
/// tables, control groups, mounts, folders.
pub fn sweep() -> Result<()> {
    let target = target_directory()?;
    let sweeper = target.join("debug/dhow-sweep");
    run(&mut as_root(&sweeper, &[]))?;
    for footprint in crate::run::left_over(&target)? {
        run(as_root(&sweeper, &[]).arg(footprint))?;
    }
    Ok(())
}

/// Runs the tests of `packages`, or of the whole engine where none is named.
fn tests(options: &Options, packages: &[String], totals: &mut Totals) -> Result<()> {
    let mut command = cargo(&["test", "--no-fail-fast"]);
    for package in packages {
        command.args(["--package", package]);
    }
    command.args(&options.filter);
    if !options.rest.is_empty() {
        command.arg("--").args(&options.rest);
    }
    command.env(runner_variable(), runner());
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        command.env("RUST_TEST_THREADS", cores.min(MOST_THREADS).to_string());
    }
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", shown(&command)))?;
    let stdout = child.stdout.take().context("cargo's output is piped")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        totals.add(&line);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} failed: {status}", shown(&command));
    }
    Ok(())
}

/// What cargo runs the test programs with: something that ends those that
/// hang, and sudo where cargo builds as the person and they run as root.
fn runner() -> String {
    let limit = format!(
        "timeout --foreground --verbose --kill-after=10 {}",
        LIMIT.as_secs()
    );
    if is_root() {
        return limit;
    }
    let kept = "PATH,HOME,CARGO,CARGO_TARGET_DIR,RUST_BACKTRACE,RUST_TEST_THREADS";
    format!("sudo --preserve-env={kept} -- {limit}")
}

fn runner_variable() -> String {
    let architecture = std::env::consts::ARCH.to_uppercase();
    format!("CARGO_TARGET_{architecture}_UNKNOWN_LINUX_GNU_RUNNER")
}

#[derive(Default)]
struct Steps(Vec<Step>);

struct Step {
    name: &'static str,
    failed: bool,
    took: Duration,
}

impl Steps {
    fn take(&mut self, name: &'static str, action: impl FnOnce() -> Result<()>) -> bool {
        println!("── {name}");
        let started = Instant::now();
        let outcome = action();
        if let Err(error) = &outcome {
            println!("{name}: {error:#}");
        }
        self.0.push(Step {
            name,
            failed: outcome.is_err(),
            took: started.elapsed(),
        });
        outcome.is_ok()
    }
}

/// The sums of what every test program printed of itself.
#[derive(Default, Debug, PartialEq)]
struct Totals {
    programs: u32,
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Totals {
    fn add(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        self.programs += 1;
        for part in counts.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(count) = count.parse::<u32>() else {
                continue;
            };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            programs,
            passed,
            failed,
            ignored,
        } = self;
        write!(
            formatter,
            "tests: {passed} passed, {failed} failed, {ignored} ignored, in {programs} programs"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Totals;

    #[test]
    fn totals_sum_what_the_programs_say() {
        let mut totals = Totals::default();
        totals.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s");
        totals.add("test tests::x ... ok");
        totals.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s");
        assert_eq!(
            totals,
            Totals {
                programs: 2,
                passed: 15,
                failed: 2,
                ignored: 1
            }
        );
    }
}
