//! What `/version` says of the build: the commit, when it was made, and the
//! compiler. Where there is no git (a source archive), the packager sets the
//! variables, or they stay empty.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Written by git whenever what is checked out changes.
    if let Some(log) = git(&[
        "rev-parse",
        "--path-format=absolute",
        "--git-path",
        "logs/HEAD",
    ]) && Path::new(&log).exists()
    {
        println!("cargo::rerun-if-changed={log}");
    }
    // The commit's date and not the clock's: two builds of one commit are equal.
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    tell("DHOW_COMMIT", || git(&["rev-parse", "--short=7", "HEAD"]));
    tell("DHOW_BUILD_TIME", || {
        git(&["show", "--no-patch", "--format=%cI", "HEAD"])
    });
    tell("DHOW_COMPILER", || {
        let version = printed(Command::new(rustc).arg("--version"))?;
        Some(version.split(" (").next()?.to_owned())
    });
}

/// Sets `name` for the crate, unless whoever builds has set it.
fn tell(name: &str, find: impl FnOnce() -> Option<String>) {
    println!("cargo::rerun-if-env-changed={name}");
    let value = std::env::var(name).ok().or_else(find).unwrap_or_default();
    println!("cargo::rustc-env={name}={value}");
}

fn git(arguments: &[&str]) -> Option<String> {
    printed(Command::new("git").args(arguments))
}

fn printed(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|o| o.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
