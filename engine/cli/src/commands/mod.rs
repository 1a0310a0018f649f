//! The commands, one file each, in the groups Docker puts them in. A command
//! turns its arguments into requests and answers into text, and knows nothing
//! of the others but what is shared here.

pub mod completion;
pub mod container;
pub mod context;
pub mod dashboard;
pub mod image;
pub mod inspect;
pub mod network;
mod prune;
pub mod registry;
pub mod stream;
pub mod system;
pub mod volume;

use std::io::{BufRead, IsTerminal, Write};

use futures_util::StreamExt;

use crate::failure::Failure;
use crate::output;

/// Does something to each of `names`, several at a time, and prints in the
/// order given what each came to. One failure does not stop the rest.
pub async fn each<F>(names: &[String], work: impl Fn(String) -> F) -> Result<i32, Failure>
where
    F: Future<Output = Result<String, Failure>>,
{
    /// So many that names on one command line go at once, so few that the
    /// engine is not flooded.
    const AT_ONCE: usize = 50;
    let mut failures = Vec::new();
    let mut results = futures_util::stream::iter(names.iter().cloned().map(work)).buffered(AT_ONCE);
    while let Some(result) = results.next().await {
        match result {
            Ok(text) => output::line(&text),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of_several(failures)?;
    Ok(0)
}

/// Asks a question; only `y` is a yes. Nobody there to answer is a no.
pub fn confirm(question: &str) -> Result<bool, Failure> {
    output::print(&format!(
        "{question}\nAre you sure you want to continue? [y/N] "
    ));
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

/// Whether standard input is a terminal.
pub fn from_terminal() -> bool {
    std::io::stdin().is_terminal()
}
