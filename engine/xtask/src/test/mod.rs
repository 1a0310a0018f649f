//! `cargo xtask test`: everything that CI checks, in the order in which it
//! fails fastest.
//!
//! Every step runs even if one before it failed, the machine is swept
//! before and after, and the totals are printed at the end.

mod pages;
mod totals;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, target_directory};
use crate::command::{as_root, is_root, may_use_sudo, run, shown};
use crate::{app, lock, packages, ui};
use totals::Totals;

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

pub fn all(options: &Options) -> Result<()> {
    let started = Instant::now();
    // Asked for some tests only, one does not wait for the pages and the app.
    let everything = options.filter.is_none() && options.package.is_empty();
    let named = options.package.iter().any(|name| name == app::PACKAGE);
    // The app's window and tray, on a desktop of their own.
    let desktop = everything || named;
    if !options.no_install {
        let mut wanted = vec![packages::BUILD, packages::RUN, packages::TEST];
        if desktop {
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
    let mut totals = Totals::default();
    if desktop {
        // Before the build, which puts them into `dhow`.
        steps.take("pages", || ui::build(!options.no_install));
    }
    if everything {
        steps.take("tests of pages", || pages::unit(&mut totals));
    }
    if desktop {
        steps.take("driver of app", app::ensure_driver);
    }
    if !options.no_lint {
        steps.take("format", || run(&mut cargo(&["fmt", "--all", "--check"])));
        steps.take("clippy", || clippy(&[]));
    }
    // The tests run all programs of the engine, not only their own package's.
    steps.take("build", || run(&mut cargo(&["build", "--bins"])));
    if steps.take("sweep", sweep) {
        steps.take("tests", || tests(options, &mut totals));
        if everything {
            steps.take("end to end", || pages::end_to_end(&mut totals));
            // Last, because it takes longest to compile.
            if !options.no_lint {
                steps.take("clippy of app", || clippy(APP));
            }
            steps.take("tests of app", || cargo_test(APP, options, &mut totals));
        }
    }
    steps.take("sweep after", sweep);

    println!();
    for step in &steps.0 {
        let outcome = if step.failed { "FAILED" } else { "ok" };
        println!(
            "{:<14} {outcome:<7} {:>6.1} s",
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

const APP: &[&str] = &["--package", app::PACKAGE];

fn clippy(packages: &[&str]) -> Result<()> {
    let mut command = cargo(&["clippy", "--all-targets", "--quiet", "--keep-going"]);
    run(command.args(packages).args(["--", "-D", "warnings"]))
}

fn tests(options: &Options, totals: &mut Totals) -> Result<()> {
    let chosen = options.package.iter();
    let chosen: Vec<&str> = chosen.flat_map(|name| ["--package", name]).collect();
    cargo_test(&chosen, options, totals)
}

fn cargo_test(packages: &[&str], options: &Options, totals: &mut Totals) -> Result<()> {
    let mut command = cargo(&["test", "--no-fail-fast"]);
    command.args(packages);
    command.args(&options.filter);
    if !options.rest.is_empty() {
        command.arg("--").args(&options.rest);
    }
    command.env(runner_variable(), runner());
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        command.env("RUST_TEST_THREADS", cores.min(MOST_THREADS).to_string());
    }
    counted(&mut command, |line| totals.add(line))
}

/// Runs to the end, showing each line of what is printed to `count` as well.
fn counted(command: &mut Command, mut count: impl FnMut(&str)) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", shown(command)))?;
    let stdout = child.stdout.take().context("the output is piped")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        count(&line);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} failed: {status}", shown(command));
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
