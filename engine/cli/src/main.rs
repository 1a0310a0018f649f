//! `dhow`: the command line of the engine. Called by the name `docker` it
//! answers as Docker's client.
//!
//! A thin client: it reads its arguments, makes API requests, and prints. What
//! containers are is the engine's business.

#![forbid(unsafe_code)]

mod app;
mod commands;
mod completion;
mod failure;
mod format;
mod options;
mod output;
mod program;
mod session;
mod terminal;
mod usage;

use std::io::Write;

use clap::FromArgMatches;

use crate::app::App;
use crate::program::Program;
use crate::session::Session;

fn main() {
    let argv: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let program = Program::called(argv.first().map_or("", String::as_str));
    let code = run(program, &argv);
    let _ = std::io::stdout().flush();
    // A thread may still be blocked in reading standard input: it must not
    // hold the program.
    std::process::exit(code);
}

fn run(program: Program, argv: &[String]) -> i32 {
    let words = argv.get(1..).unwrap_or_default();
    if let Some(code) = completion::answer(program, words) {
        return code;
    }
    let parsed = app::grammar(program)
        .try_get_matches_from(argv)
        .and_then(|mut matches| App::from_arg_matches_mut(&mut matches));
    let app = match parsed {
        Ok(app) => app,
        Err(error) => {
            let refusal = usage::refuse(program, &app::grammar(program), words, &error);
            if refusal.asked_for {
                output::print(&refusal.text);
            } else {
                eprint!("{}", refusal.text);
            }
            return refusal.code;
        }
    };
    if let Some(level) = app.unknown_log_level() {
        output::warn(&format!("Unable to parse logging level: {level}"));
        return 1;
    }
    if app.version {
        output::line(&app::version_line(program));
        return 0;
    }
    let session = Session::new(program, app.choice(), app.debug);
    let Some(command) = app.command else {
        output::print(&usage::page(program, &[&app::grammar(program)]));
        return 0;
    };
    // One thread: the work is waiting for one engine.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            output::warn(&format!("{}: cannot start: {error}", program.name));
            return 1;
        }
    };
    let result = runtime.block_on(command.run(&session));
    // Whoever still waits for standard input is not waited for.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(failure) => {
            if let Some(text) = failure.text(program) {
                output::warn(&text);
            }
            failure.code
        }
    }
}
