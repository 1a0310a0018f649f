//! `import`: makes an image of an archive of files.

use clap::Args;
use dhow_client::Request;
use dhow_model::reference::Reference;

use crate::commands::stream::{file_stream, stdin_stream};
use crate::failure::{Failure, path_error};
use crate::output::progress::Progress;
use crate::session::Session;

/// Make an image of a tar archive of files
#[derive(Args)]
pub struct Arguments {
    /// Apply a Dockerfile instruction to the image
    #[arg(short, long, value_name = "list")]
    change: Vec<String>,
    /// What it is
    #[arg(short, long, default_value = "")]
    message: String,
    /// The platform of the files (os/architecture)
    #[arg(long)]
    platform: Option<String>,
    #[arg(required = true, value_name = "file|URL|-")]
    source: String,
    #[arg(value_name = "[REPOSITORY[:TAG]]")]
    references: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let source = arguments.source.as_str();
    let is_url = source.starts_with("http://") || source.starts_with("https://");
    let mut request = Request::post("/images/create")
        .query("fromSrc", if is_url { source } else { "-" })
        .query_if("platform", arguments.platform.as_deref());
    if !arguments.message.is_empty() {
        request = request.query("message", &arguments.message);
    }
    for change in &arguments.change {
        request = request.query("changes", change);
    }
    if let Some(text) = arguments.references.first().filter(|text| !text.is_empty()) {
        Reference::parse_normalized(text).map_err(|error| Failure::message(error.to_string()))?;
        request = request.query("repo", text);
    }
    if !is_url {
        let body = if source == "-" {
            stdin_stream()
        } else {
            let file = std::fs::File::open(source)
                .map_err(|error| Failure::message(path_error("open", source, &error)))?;
            file_stream(file)
        };
        request = request.stream("application/x-tar", body);
    }
    let response = session.client()?.send(request).await?;
    Progress::stdout(false).show(response, |_| {}).await?;
    Ok(0)
}
