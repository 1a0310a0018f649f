//! The tests of the user interface: types and view models with no browser,
//! then the built pages in Debian's Chromium, served by `dhow dashboard`, on
//! engines of their own.

use std::process::Command;

use anyhow::Result;

use super::{counted, totals::Totals};
use crate::cargo::{target_directory, workspace};
use crate::command::{command, find, is_root, run};

/// What is to be true of the sources alone.
pub fn unit(totals: &mut Totals) -> Result<()> {
    run(&mut npm(&["run", "check"]))?;
    counted(&mut npm(&["test"]), |line| totals.add_vitest(line))
}

/// What a person sees. Root, because the engines' containers are real.
pub fn end_to_end(totals: &mut Totals) -> Result<()> {
    let arguments = ["playwright", "test", "--project=e2e"];
    let mut command = match is_root() {
        true => command("npx", &arguments),
        false => {
            let npx = find("npx").unwrap_or_else(|| "npx".into());
            let mut sudo = command("sudo", &["--preserve-env=PATH,DHOW_BIN,NO_COLOR", "--"]);
            sudo.arg(npx).args(arguments);
            sudo
        }
    };
    command
        .current_dir(workspace().join("ui"))
        .env("DHOW_BIN", target_directory()?.join("debug"))
        .env("NO_COLOR", "1");
    counted(&mut command, |line| totals.add_playwright(line))
}

fn npm(arguments: &[&str]) -> Command {
    let mut npm = command("npm", arguments);
    npm.current_dir(workspace().join("ui")).env("NO_COLOR", "1");
    npm
}
