//! What every `prune` shares: its flags, its question, its report.

use clap::Args;
use dhow_client::Request;
use dhow_model::size::human_size;

use super::confirm;
use crate::failure::Failure;
use crate::format::Value;
use crate::options::filter;
use crate::output;
use crate::session::Session;

// No documentation comment: it would become that of each command.
#[derive(Args)]
pub struct Flags {
    /// Remove only what fits, for example label=…
    #[arg(long = "filter", value_name = "filter", value_parser = filter::parse)]
    pub filters: Vec<(String, String)>,
    /// Do not ask
    #[arg(short, long)]
    pub force: bool,
}

/// How much room a prune made, and the list of what is gone.
pub type Pruned = (i64, String);

impl Flags {
    /// Whether to go on: so forced, or told by the person who was warned.
    pub fn allow(&self, warning: &str) -> Result<bool, Failure> {
        Ok(self.force || confirm(warning)?)
    }
}

/// Asks the engine to prune one kind of thing.
pub async fn ask(
    session: &Session,
    path: &str,
    filters: &[(String, String)],
) -> Result<Value, Failure> {
    let request = Request::post(path).query_if("filters", filter::to_query(filters));
    session.json(request).await
}

/// The names of what is gone, under a heading.
pub fn list<'a>(heading: &str, deleted: &'a [Value], line: impl Fn(&'a Value) -> String) -> String {
    if deleted.is_empty() {
        return String::new();
    }
    let mut text = format!("{heading}:\n");
    for item in deleted {
        text.push_str(&line(item));
        text.push('\n');
    }
    text.push('\n');
    text
}

/// An item that is only a name.
pub fn name(item: &Value) -> String {
    item.as_str().unwrap_or_default().to_owned()
}

/// Says what was pruned.
pub fn report((space, text): Pruned) {
    output::print(&text);
    output::line(&format!("Total reclaimed space: {}", human_size(space)));
}
