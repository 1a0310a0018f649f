//! `top`: the processes of a container.

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::failure::Failure;
use crate::format::Value;
use crate::output;
use crate::output::table::{self, Layout};
use crate::session::Session;

/// Show the processes of a container
#[derive(Args)]
pub struct Arguments {
    #[arg(
        required = true,
        trailing_var_arg = true,
        value_name = "CONTAINER [ps OPTIONS]"
    )]
    words: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let (container, options) = (&arguments.words[0], &arguments.words[1..]);
    let options = (!options.is_empty()).then(|| options.join(" "));
    let request = Request::get(path(container, "top")).query_if("ps_args", options);
    let answer = session.json(request).await?;
    const LAYOUT: Layout = Layout {
        min_width: 20,
        padding: 3,
    };
    let mut text = cells(answer.list("Titles"));
    for process in answer.list("Processes") {
        text.push_str(&cells(process.items()));
    }
    output::print(&table::align(&text, LAYOUT));
    Ok(0)
}

fn cells(values: &[Value]) -> String {
    let cells: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    cells.join("\t") + "\n"
}
