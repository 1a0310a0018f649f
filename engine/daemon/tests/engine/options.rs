//! The options of `docker run`, each seen from inside a container, from the
//! host's side, or refused in Docker's words.
//!
//! Most of it is tables: flags, a script that looks, what it must say.

mod limits;
mod mounted;
mod network;
mod process;
mod refused;
mod security;
mod storage;

use dhow_testkit::{Engine, Outcome};

/// Flags as one types them, a script for the container's shell, its output.
type Line<'a> = (&'a str, &'a str, &'a str);

/// Runs every line in a container of its own.
#[track_caller]
fn prints(engine: &Engine, table: &[Line<'_>]) {
    for (flags, script, expected) in table {
        let outcome = run(engine, flags, script);
        assert_eq!(outcome.code, 0, "{outcome}");
        assert_eq!(outcome.out(), *expected, "{outcome}");
    }
}

/// Runs every line's container, which must be refused before it starts with
/// a message that has the second part.
#[track_caller]
fn refuses(engine: &Engine, table: &[(&str, &str)]) {
    for (flags, message) in table {
        let outcome = run(engine, flags, "true");
        let said = outcome.err();
        assert!(matches!(outcome.code, 125..=127), "{outcome}");
        assert!(said.contains(message), "no {message:?} in {outcome}");
    }
}

fn run(engine: &Engine, flags: &str, script: &str) -> Outcome {
    let flags: Vec<&str> = flags.split_whitespace().collect();
    engine.docker(
        &[
            &["run", "--rm"],
            &flags[..],
            &["busybox", "sh", "-c", script],
        ]
        .concat(),
    )
}
