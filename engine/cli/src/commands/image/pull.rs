//! `pull`: gets an image from a registry.

use clap::Args;
use dhow_client::Request;
use dhow_client::credentials::{self, Credentials};
use dhow_model::reference::Reference;

use crate::failure::Failure;
use crate::output;
use crate::output::progress::Progress;
use crate::session::Session;

/// Get an image from a registry
#[derive(Args)]
pub struct Arguments {
    /// Get every tag of the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Taken for compatibility, without effect
    #[arg(long, action = clap::ArgAction::Set, default_value = "true")]
    disable_content_trust: bool,
    /// The platform of the image (os/architecture)
    #[arg(long)]
    platform: Option<String>,
    /// Print the image's name only
    #[arg(short, long)]
    quiet: bool,
    #[arg(required = true, value_name = "NAME[:TAG|@DIGEST]")]
    name: String,
}

/// Where progress goes.
#[derive(Debug, Clone, Copy)]
pub enum Show {
    /// Standard output, unless quiet.
    Stdout(bool),
    /// Standard error, unless quiet.
    Stderr(bool),
}

/// The image that a command line names: every tag of it, or one.
pub fn named(name: &str, all_tags: bool, quiet: bool) -> Result<Reference, Failure> {
    let parsed =
        Reference::parse_normalized(name).map_err(|error| Failure::message(error.to_string()))?;
    if !all_tags {
        if parsed.is_name_only() && !quiet {
            output::line("Using default tag: latest");
        }
        return Ok(parsed.with_default_tag());
    }
    if !parsed.is_name_only() {
        return Err(Failure::message("tag can't be used with --all-tags/-a"));
    }
    Ok(parsed)
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let _ = arguments.disable_content_trust;
    let reference = named(&arguments.name, arguments.all_tags, arguments.quiet)?;
    let key = credentials::registry_key(reference.domain());
    let found = credentials::lookup(&session.target()?.config, key).await?;
    let platform = arguments.platform.as_deref();
    pull(
        session,
        &reference,
        platform,
        &found,
        Show::Stdout(arguments.quiet),
    )
    .await?;
    output::line(&full_name(&reference));
    Ok(0)
}

/// Pulls one image, or all tags of a repository that is named without one.
pub async fn pull(
    session: &Session,
    reference: &Reference,
    platform: Option<&str>,
    found: &Credentials,
    show: Show,
) -> Result<(), Failure> {
    let tag = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => Some(digest.to_string()),
        (None, tag) => tag.map(str::to_owned),
    };
    let mut request = Request::post("/images/create")
        .query("fromImage", reference.familiar_name())
        .query_if("tag", tag)
        .query_if("platform", platform);
    if !found.is_empty() {
        request = request.header("x-registry-auth", &found.header());
    }
    let response = session.client()?.send(request).await?;
    let mut progress = match show {
        Show::Stdout(quiet) => Progress::stdout(quiet),
        Show::Stderr(quiet) => Progress::stderr(quiet),
    };
    progress.show(response, |_| {}).await
}

/// The name with its domain, as the last line of a pull shows it.
fn full_name(reference: &Reference) -> String {
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => format!("{}@{digest}", reference.name()),
        (None, Some(tag)) => format!("{}:{tag}", reference.name()),
        (None, None) => reference.name(),
    }
}
