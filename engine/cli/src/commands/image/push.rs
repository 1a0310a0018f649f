//! `push`: sends an image to a registry.

use clap::Args;
use dhow_client::{Request, credentials, encode};

use crate::commands::image::pull::named;
use crate::commands::inspect::platform_json;
use crate::failure::Failure;
use crate::output;
use crate::output::progress::Progress;
use crate::session::Session;

/// Send an image to a registry
#[derive(Args)]
pub struct Arguments {
    /// Send every tag of the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Taken for compatibility, without effect
    #[arg(long, action = clap::ArgAction::Set, default_value = "true")]
    disable_content_trust: bool,
    /// The platform to send, of an image that has several (os/architecture)
    #[arg(long)]
    platform: Option<String>,
    /// Print the image's name only
    #[arg(short, long)]
    quiet: bool,
    #[arg(required = true, value_name = "NAME[:TAG]")]
    name: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let _ = arguments.disable_content_trust;
    let reference = named(&arguments.name, arguments.all_tags, arguments.quiet)?;
    if arguments.platform.is_some() {
        session.require_version("platform", 46).await?;
    }
    let platform = arguments
        .platform
        .as_deref()
        .map(platform_json)
        .transpose()?;
    let key = credentials::registry_key(reference.domain());
    let found = credentials::lookup(&session.target()?.config, key).await?;
    let name = encode(&reference.familiar_name());
    let request = Request::post(format!("/images/{name}/push"))
        .query_if("tag", reference.tag())
        .query_if("platform", platform)
        .header("x-registry-auth", &found.header());
    let response = session.client()?.send(request).await?;
    Progress::stdout(arguments.quiet)
        .show(response, |_| {})
        .await?;
    if arguments.quiet {
        output::line(&match reference.tag() {
            Some(tag) => format!("{}:{tag}", reference.name()),
            None => reference.name(),
        });
    }
    Ok(0)
}
