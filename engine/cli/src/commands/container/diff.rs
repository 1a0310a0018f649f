//! `diff`: what a container changed in its files.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::failure::Failure;
use crate::format::Value;
use crate::output;
use crate::output::list::{self, Columns, Format, Row};
use crate::session::Session;

/// Show what a container changed in its files
#[derive(Args)]
pub struct Arguments {
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long, hide = true)]
    format: Option<String>,
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
}

const COLUMNS: Columns = Columns {
    go_type: "*container.diffContext",
    failure: list::PARSING,
    headers: &[("Type", "CHANGE TYPE"), ("Path", "PATH")],
};

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    if arguments.container.is_empty() {
        return Err(Failure::message("container name cannot be empty"));
    }
    let request = Request::get(path(&arguments.container, "changes"));
    let changes = session.json(request).await?;
    if let Some(spec) = &arguments.format {
        let format = Format::parse(spec, "table {{.Type}}\t{{.Path}}")?;
        let rows = changes.items().iter().map(|change| {
            Row::new(&COLUMNS)
                .text("Type", letter(change))
                .text("Path", change.str("Path"))
        });
        format.print(&COLUMNS, rows.collect())?;
        return Ok(0);
    }
    let mut text = String::new();
    for change in changes.items() {
        text.push_str(&format!("{} {}\n", letter(change), change.str("Path")));
    }
    output::print(&text);
    Ok(0)
}

fn letter(change: &Value) -> &'static str {
    match change.int("Kind") {
        0 => "C",
        1 => "A",
        2 => "D",
        _ => "",
    }
}
