//! `context export` and `context import`: a context in one file, to take it
//! elsewhere.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;

use clap::Args;
use dhow_client::context::{self, DEFAULT, archive};

use super::{check_new_name, find, store};
use crate::failure::{Failure, path_error};
use crate::output;
use crate::session::Session;

/// Write a context, keys included, to a file or to standard output
#[derive(Args)]
pub struct ExportArguments {
    #[arg(required = true, value_name = "CONTEXT")]
    context: String,
    #[arg(value_name = "[FILE|-]")]
    file: Option<String>,
}

/// Make a context of what 'context export' wrote
#[derive(Args)]
pub struct ImportArguments {
    #[arg(required = true, value_name = "CONTEXT")]
    context: String,
    #[arg(required = true, value_name = "FILE|-")]
    file: String,
}

/// Runs `context export`.
pub async fn export(arguments: ExportArguments, session: &Session) -> Result<i32, Failure> {
    let name = &arguments.context;
    if name != DEFAULT {
        context::check_name(name)?;
    }
    let file = match arguments.file {
        Some(file) => file,
        None => format!("{name}.dockercontext"),
    };
    if file == "-" && output::to_terminal() {
        return Err(Failure::message(
            "cowardly refusing to export to a terminal, specify a file path",
        ));
    }
    let (context, material) = find(session, &store(session), name)?;
    let packed = archive::pack(&context, &material)?;
    if file == "-" {
        std::io::stdout().lock().write_all(&packed)?;
        return Ok(0);
    }
    let failed = |operation| {
        let file = file.clone();
        move |error| Failure::message(path_error(operation, &file, &error))
    };
    // There may be a key in it, so it is its maker's only; and what is there
    // already is left alone.
    let mut target = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .map_err(failed("open"))?;
    target.write_all(&packed).map_err(failed("write"))?;
    output::warn(&format!("Written file {file:?}"));
    Ok(0)
}

/// Runs `context import`.
pub async fn import(arguments: ImportArguments, session: &Session) -> Result<i32, Failure> {
    let name = &arguments.context;
    let store = store(session);
    check_new_name(&store, name)?;
    let (context, material) = if arguments.file == "-" {
        archive::unpack(std::io::stdin().lock(), name)?
    } else {
        let failed = |error| Failure::message(path_error("open", &arguments.file, &error));
        let file = std::fs::File::open(&arguments.file).map_err(failed)?;
        archive::unpack(file, name)?
    };
    store.save(&context, &material)?;
    output::line(name);
    output::warn(&format!("Successfully imported context {name:?}"));
    Ok(0)
}
