//! `completion`: scripts that teach a shell the command line.

use clap::Args;
use clap_complete::Shell;

use crate::app;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Print a script for your shell that completes commands, flags and names
#[derive(Args)]
pub struct Arguments {
    /// bash, zsh, fish, elvish or powershell
    #[arg(required = true, value_name = "SHELL")]
    shell: String,
}

/// Those that ask the program what could come next, names included.
const SCRIPTS: &[(&str, &str)] = &[
    ("bash", include_str!("../completion/scripts/bash.sh")),
    ("fish", include_str!("../completion/scripts/fish.fish")),
    ("zsh", include_str!("../completion/scripts/zsh.sh")),
];

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let name = session.program.name;
    if let Some((_, script)) = SCRIPTS.iter().find(|(shell, _)| *shell == arguments.shell) {
        output::print(&script.replace("PROGRAM", name));
        return Ok(0);
    }
    // The others know commands and flags only.
    let shell: Shell = arguments.shell.parse().map_err(|_| {
        let shell = &arguments.shell;
        Failure::message(format!(
            "unknown shell {shell:?}: must be one of bash, zsh, fish, elvish, powershell"
        ))
    })?;
    let mut grammar = app::grammar(session.program);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut grammar, name, &mut script);
    output::print(&String::from_utf8_lossy(&script));
    Ok(0)
}
