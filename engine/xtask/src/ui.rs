//! `cargo xtask ui`: the pages of the user interface, built for the program
//! that serves them.
//!
//! Only what changed is done again: npm's packages when the list of them
//! changed, the pages when one of their sources did. So `dhow`, which has the
//! pages inside, is not compiled anew for nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};

use crate::cargo::workspace;
use crate::command::{command, find, output, run, shown};
use crate::packages;

/// The oldest Node.js that the bundler runs on.
const OLDEST: u32 = 20;

/// What the last installation and the last build were made from.
const INSTALLED: &str = "node_modules/.dhow-installed";
const BUILT: &str = "node_modules/.dhow-built";

/// Folders that are made, not written.
const MADE: &[&str] = &["node_modules", "dist"];

#[derive(clap::Args)]
pub struct Options {
    /// Don't look for missing packages.
    #[arg(long)]
    no_install: bool,
}

pub fn run_alone(options: &Options) -> Result<()> {
    build(!options.no_install)?;
    println!("the pages are in ui/dist; the next build of dhow has them inside");
    Ok(())
}

/// Makes `ui/dist` what its sources say.
pub fn build(install: bool) -> Result<()> {
    let folder = workspace().join("ui");
    if !folder.join("package.json").is_file() {
        bail!(
            "there is no user interface here: {} is missing",
            folder.display()
        );
    }
    if install {
        install_node()?;
    }
    check_node()?;
    let lock = folder.join("package-lock.json");
    let wanted = std::fs::read_to_string(&lock)
        .with_context(|| format!("cannot read {}", lock.display()))?;
    if left(&folder.join(INSTALLED)) != wanted {
        npm(&folder, &["ci", "--no-audit", "--no-fund"])?;
        leave(&folder.join(INSTALLED), &wanted)?;
    }
    let sources = sources(&folder)?;
    let made = folder.join("dist/index.html").is_file();
    if !made || left(&folder.join(BUILT)) != sources {
        npm(&folder, &["run", "build"])?;
        leave(&folder.join(BUILT), &sources)?;
    }
    Ok(())
}

/// Debian's packages, unless there is a Node.js already, whatever its origin.
fn install_node() -> Result<()> {
    if find("node").is_some() && find("npm").is_some() {
        return Ok(());
    }
    if find("node").is_some() {
        bail!(
            "node is here but npm is not; install the npm that belongs to it (Debian's would \
             bring a second node along)"
        );
    }
    packages::ensure(&[packages::UI])
}

fn check_node() -> Result<()> {
    let asked = output(&mut command("node", &["--version"]))
        .context("the pages are built with Node.js (Debian's packages nodejs and npm)")?;
    let found = asked.trim();
    if major(found).is_none_or(|major| major < OLDEST) {
        bail!(
            "node {found} is too old for building the pages, which needs {OLDEST}: Debian 13 and \
             Ubuntu 25.04 have it, and nodejs.org for any other; put it first in PATH"
        );
    }
    Ok(())
}

/// `20` of `v20.19.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut npm = command("npm", arguments);
    eprintln!("{} (in ui)", shown(&npm));
    run(npm.current_dir(folder))
}

/// Every source with its size and the time of its last change.
fn sources(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let mut text = String::new();
    for file in files {
        let about = file.metadata()?;
        let changed = about.modified()?.duration_since(UNIX_EPOCH)?.as_nanos();
        let name = file.strip_prefix(folder)?.display();
        writeln!(text, "{name} {} {changed}", about.len())?;
    }
    Ok(text)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if MADE.iter().any(|made| name == *made) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn left(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn leave(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn reads_what_node_says() {
        assert_eq!(major("v20.19.2"), Some(20));
        assert_eq!(major("v8.1.0-nightly"), Some(8));
        assert_eq!(major("20.1"), None);
    }
}
