//! `completion`: scripts that teach a shell the command line.

use clap::Args;
use clap_complete::Shell;

use crate::app;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Print a script for your shell that completes commands and flags
#[derive(Args)]
pub struct Arguments {
    /// bash, zsh, fish, elvish or powershell
    #[arg(required = true, value_name = "SHELL")]
    shell: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let shell: Shell = arguments.shell.parse().map_err(|_| {
        let shell = &arguments.shell;
        Failure::message(format!(
            "unknown shell {shell:?}: must be one of bash, zsh, fish, elvish, powershell"
        ))
    })?;
    let mut grammar = app::grammar(session.program);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut grammar, session.program.name, &mut script);
    output::print(&String::from_utf8_lossy(&script));
    Ok(0)
}
