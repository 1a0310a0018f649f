//! Running programs: what they are told, what they answer, and as whom.
//!
//! No shell is ever involved, so nothing here needs quoting.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A command of `program` with `arguments`, ready to be run.
pub fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs to the end with our own output; an error names what failed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs to the end and returns what was printed; an error carries stderr.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", shown(command)))?;
    if !output.status.success() {
        bail!(
            "{} failed: {}\n{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// Where `program` is, looking also where daemons live.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .map(|folder| Path::new(folder).join(program))
        .find(|candidate| candidate.is_file())
}

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// `program` as root: plain when we are, through sudo when we are not.
pub fn as_root(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    if is_root() {
        return command(program, arguments);
    }
    let mut sudo = Command::new("sudo");
    sudo.arg("--").arg(program).args(arguments);
    sudo
}

/// Asks before anything is done with sudo; where nobody can answer, an
/// error says what to run instead.
pub fn may_use_sudo(what_for: &str, by_hand: &str) -> Result<()> {
    if is_root() {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "{what_for} needs root, and there is no terminal to ask on. Run this as root:\n  {by_hand}"
        );
    }
    eprint!("{what_for} needs root. Use sudo for\n  {by_hand}\n? [Y/n] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "" | "y" | "yes" => Ok(()),
        _ => bail!("not done; {what_for} needs it"),
    }
}
