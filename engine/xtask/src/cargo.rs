//! Calling cargo: where the workspace is, what it is made of, where its
//! programs land.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command::{output, run};

/// A cargo command that runs at the root of the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace());
    command
}

/// The folder of the workspace's `Cargo.toml`.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("xtask lives two folders below the root")
}

/// Builds the engine's programs and returns the folder they are in. These are
/// the workspace's default members; another choice of packages would give
/// their dependencies other features, and so compile them again for the tests.
pub fn build_programs(release: bool) -> Result<PathBuf> {
    let mut arguments = vec!["build", "--bins"];
    if release {
        arguments.push("--release");
    }
    run(&mut cargo(&arguments))?;
    Ok(target_directory()?.join(if release { "release" } else { "debug" }))
}

/// Cargo's own answer to where it puts what it builds.
pub fn target_directory() -> Result<PathBuf> {
    Ok(metadata(false)?.target_directory)
}

/// What cargo says about the workspace, with all dependencies if asked.
pub fn metadata(dependencies: bool) -> Result<Metadata> {
    let mut arguments = vec!["metadata", "--format-version", "1"];
    let platform;
    if dependencies {
        platform = host()?;
        arguments.extend(["--filter-platform", &platform]);
    } else {
        arguments.push("--no-deps");
    }
    let json = output(&mut cargo(&arguments))?;
    serde_json::from_str(&json).context("cargo metadata is not what was expected")
}

fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = output(Command::new(rustc).arg("-vV").current_dir(workspace()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc -vV names no host")
}

#[derive(Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    pub workspace_members: Vec<String>,
    pub target_directory: PathBuf,
    pub resolve: Option<Resolve>,
}

#[derive(Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub struct Dependency {
    pub name: String,
    /// Absent for a normal one, else `dev` or `build`.
    pub kind: Option<String>,
}

#[derive(Deserialize)]
pub struct Resolve {
    pub nodes: Vec<Node>,
}

#[derive(Deserialize)]
pub struct Node {
    pub id: String,
    pub deps: Vec<NodeDependency>,
}

#[derive(Deserialize)]
pub struct NodeDependency {
    pub pkg: String,
    pub dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
pub struct DependencyKind {
    pub kind: Option<String>,
}
