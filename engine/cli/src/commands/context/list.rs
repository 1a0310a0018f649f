//! `context ls`: lists contexts.

use clap::Args;
use dhow_client::context::{Context, DEFAULT};

use super::{config, current, default_endpoint, overriding_variable, store};
use crate::failure::Failure;
use crate::format::Value;
use crate::output;
use crate::output::list::{self, Columns, Format, Row};
use crate::output::order::natural;
use crate::session::Session;

/// List contexts
#[derive(Args)]
pub struct Arguments {
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long, default_value = "")]
    format: String,
    /// Show names only
    #[arg(short, long)]
    quiet: bool,
}

const COLUMNS: Columns = Columns {
    go_type: "*formatter.clientContextContext",
    failure: list::PARSING,
    headers: &[
        ("Name", "NAME"),
        ("Description", "DESCRIPTION"),
        ("DockerEndpoint", "DOCKER ENDPOINT"),
        ("Current", ""),
        ("Error", "ERROR"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let store = store(session);
    let current = current(session, &config(session)?)?;
    let usual = if arguments.quiet {
        "{{.Name}}"
    } else {
        "table {{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}"
    };
    let format = match arguments.format.as_str() {
        "" | "table" if arguments.quiet => Format::parse(usual, "")?,
        spec => Format::parse(spec, usual)?,
    };
    let mut contexts = store
        .list()
        .map_err(|error| said_of("failed to read metadata", error, session))?;
    let mut default = Context {
        name: DEFAULT.to_owned(),
        ..Context::default()
    };
    default.describe(super::DEFAULT_DESCRIPTION);
    default.set_docker(&default_endpoint(session)?.to_string(), false);
    contexts.push(default);
    let mut named: Vec<(String, Row)> = contexts
        .iter()
        .map(|context| (context.name.clone(), row(context, &current)))
        .collect();
    if !contexts.iter().any(|context| context.name == current) {
        let error = match store.find(&current) {
            Ok(_) => String::new(),
            Err(error) => shortened(&session.program.explain(&error)),
        };
        let missing = Row::new(&COLUMNS)
            .value("Current", Value::Bool(true))
            .text("Description", "")
            .text("DockerEndpoint", "")
            .text("Error", error)
            .text("Name", &current);
        named.push((current.clone(), missing));
    }
    named.sort_by_key(|(name, _)| natural(name));
    format.print(&COLUMNS, named.into_iter().map(|(_, row)| row).collect())?;
    let by_flag = !session.choice.hosts.is_empty() || session.choice.context.is_some();
    if let Some(name) = overriding_variable(session)
        && !by_flag
        && !arguments.quiet
    {
        output::warn(&format!(
            "Warning: {name} environment variable overrides the active context. To use a context, either set the global --context flag, or unset {name} environment variable."
        ));
    }
    Ok(0)
}

fn row(context: &Context, current: &str) -> Row {
    Row::new(&COLUMNS)
        .value("Current", Value::Bool(context.name == current))
        .text("Description", context.description())
        .text("DockerEndpoint", context.host())
        .text("Error", "")
        .text("Name", &context.name)
}

/// So much of an error as fits into a column.
fn shortened(text: &str) -> String {
    const WIDTH: usize = 45;
    if text.chars().count() <= WIDTH {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(WIDTH - 1).collect();
    short.push('…');
    short
}

fn said_of(what: &str, error: dhow_client::Error, session: &Session) -> Failure {
    Failure::message(format!("{what}: {}", session.program.explain(&error)))
}
