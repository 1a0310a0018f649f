//! `dhowd`: the engine as a daemon. Flags, configuration file, sockets,
//! signals and the log; everything else is [`dhow_local`]'s and
//! [`dhow_server`]'s.

#![forbid(unsafe_code)]

mod config;
mod file;
mod flags;
mod listen;
mod load;
mod lock;
mod logging;
mod ready;
mod reload;
mod run;
mod running;
mod tls;

use std::process::ExitCode;

use dhow_model::error::chain;

use crate::flags::{Flags, Instead};
use crate::load::Source;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("dhowd: {line}");
            ExitCode::FAILURE
        }
    }
}

/// Everything that can go wrong before and while running, as one line.
fn start() -> Result<(), String> {
    let mut flags = match Flags::read(std::env::args_os()) {
        Ok(flags) => flags,
        Err(Instead::Print(text)) => {
            print!("{text}");
            return Ok(());
        }
        Err(Instead::Refuse(line)) => return Err(line),
    };
    let (validate, file) = (flags.validate, flags.config_file.take());
    let settings = flags.settings().map_err(|e| chain(&e))?;
    let source = Source::new(settings, file);
    let config = source.read().map_err(|e| e.to_string())?;
    if validate {
        println!("configuration OK");
        return Ok(());
    }
    if !nix::unistd::Uid::effective().is_root() {
        return Err("dhowd needs to be started with root privileges".to_owned());
    }
    let level = logging::start(config.log_level, config.log_format);
    let runtime = tokio::runtime::Runtime::new().map_err(|e| chain(&e))?;
    let result = runtime.block_on(run::run(source, config, level));
    // Blocking work that hangs must not keep the daemon from going.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result.map_err(|error| format!("{error:#}"))
}
