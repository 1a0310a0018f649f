//! The app: its page, its program, what its tests need, its icons.
//!
//! It is no default member of the workspace, so everything about it is asked
//! for by name here, and work on the engine waits neither for WebKit nor for
//! Node.js.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::cargo::{cargo, target_directory, workspace};
use crate::command::{command, find, run};
use crate::packages;

/// The app's package.
pub const PACKAGE: &str = "dhow-app";

/// The driver of the window's tests, pinned.
const DRIVER: &str = "tauri-driver@2.1.0";

/// The icons' pictures: what is drawn, how large, and where it goes.
const PICTURES: &[(&str, u32, &str)] = &[
    ("dhow.svg", 32, "app/32.png"),
    ("dhow.svg", 128, "app/128.png"),
    ("dhow.svg", 256, "app/256.png"),
    ("dhow.svg", 512, "app/512.png"),
    ("tray/up.svg", 64, "tray/up.png"),
    ("tray/busy.svg", 64, "tray/busy.png"),
    ("tray/down.svg", 64, "tray/down.png"),
    ("tray/up-template.svg", 64, "tray/up-template.png"),
    ("tray/busy-template.svg", 64, "tray/busy-template.png"),
    ("tray/down-template.svg", 64, "tray/down-template.png"),
];

/// Builds the page that the app carries.
pub fn build_page() -> Result<()> {
    let npm = find("npm").context("Node.js 20.19 or newer with npm is needed to build the page")?;
    let folder = workspace().join("ui");
    if stale(&folder)? {
        run(command(&npm, &["ci", "--silent"]).current_dir(&folder))?;
    }
    run(command(&npm, &["run", "--silent", "build"])
        .current_dir(&folder)
        .stdout(Stdio::null()))
}

/// Builds the app, page and all, and returns its program.
pub fn build(release: bool) -> Result<PathBuf> {
    build_page()?;
    let mut arguments = vec!["build", "--package", PACKAGE];
    if release {
        arguments.push("--release");
    }
    run(&mut cargo(&arguments))?;
    let folder = target_directory()?.join(if release { "release" } else { "debug" });
    Ok(folder.join(PACKAGE))
}

/// Looks over the app's code.
pub fn lint() -> Result<()> {
    run(&mut cargo(&[
        "clippy",
        "--package",
        PACKAGE,
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))
}

/// Makes sure that the driver of the window's tests is there: the person's
/// own, or one beside what is built.
pub fn ensure_driver() -> Result<()> {
    let tools = target_directory()?.join("tools");
    if find("tauri-driver").is_some() || tools.join("bin/tauri-driver").is_file() {
        return Ok(());
    }
    run(cargo(&["install", "--quiet", "--locked", DRIVER, "--root"]).arg(tools))
}

/// `cargo xtask icons`: draws every picture anew from its source.
pub fn draw_icons() -> Result<()> {
    packages::ensure(&[packages::ICONS])?;
    let folder = workspace().join("icons");
    for (source, size, picture) in PICTURES {
        let size = size.to_string();
        run(
            command("rsvg-convert", &["--width", &size, "--height", &size])
                .arg(folder.join(source))
                .arg("--output")
                .arg(folder.join(picture)),
        )?;
    }
    Ok(())
}

/// Whether what is installed is not what the lock file says.
fn stale(folder: &Path) -> Result<bool> {
    let time = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified());
    let wanted = time(&folder.join("package-lock.json"))
        .with_context(|| format!("there is no page in {}", folder.display()))?;
    let installed = time(&folder.join("node_modules/.package-lock.json"));
    Ok(!installed.is_ok_and(|installed| installed >= wanted))
}
