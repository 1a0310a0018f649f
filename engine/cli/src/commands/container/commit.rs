//! `commit`: makes an image of a container.

use clap::Args;
use dhow_client::Request;
use dhow_model::reference::Reference;

use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Make an image of what a container changed
#[derive(Args)]
pub struct Arguments {
    /// Who made it
    #[arg(short, long, default_value = "")]
    author: String,
    /// Apply a Dockerfile instruction to the image
    #[arg(short, long, value_name = "list")]
    change: Vec<String>,
    /// What it is
    #[arg(short, long, default_value = "")]
    message: String,
    /// Pause the container meanwhile
    #[arg(short, long, action = clap::ArgAction::Set, default_value = "true")]
    pause: bool,
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
    #[arg(value_name = "[REPOSITORY[:TAG]]")]
    reference: Option<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let mut request = Request::post("/commit")
        .query("container", &arguments.container)
        .query("comment", &arguments.message)
        .query("author", &arguments.author);
    if let Some(text) = arguments
        .reference
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        let reference = Reference::parse_normalized(text)
            .map_err(|error| Failure::message(error.to_string()))?;
        request = request.query("repo", reference.familiar_name());
        request = request.query("tag", reference.tag().unwrap_or("latest"));
    }
    for change in &arguments.change {
        request = request.query("changes", change);
    }
    if !arguments.pause {
        request = request.query("pause", "0");
    }
    let answer = session.json(request).await?;
    output::line(answer.str("Id"));
    Ok(0)
}
