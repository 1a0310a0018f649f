//! The app: its program, what drives its tests, its icons.
//!
//! It is no default member of the workspace, so everything about it is asked
//! for by name here, and work on the engine does not wait for WebKit.

use std::path::PathBuf;

use anyhow::Result;

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

/// Builds the app, whose pages are there already, and says where it is.
pub fn build(release: bool) -> Result<PathBuf> {
    let mut arguments = vec!["build", "--package", PACKAGE];
    if release {
        arguments.push("--release");
    }
    run(&mut cargo(&arguments))?;
    let profile = if release { "release" } else { "debug" };
    Ok(target_directory()?.join(profile).join(PACKAGE))
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
