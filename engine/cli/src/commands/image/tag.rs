//! `tag`: gives an image another name.

use clap::Args;
use dhow_client::{Request, encode};
use dhow_model::reference::Reference;

use crate::failure::Failure;
use crate::session::Session;

/// Give an image another name
#[derive(Args)]
pub struct Arguments {
    #[arg(required = true, value_name = "SOURCE_IMAGE[:TAG]")]
    source: String,
    #[arg(required = true, value_name = "TARGET_IMAGE[:TAG]")]
    target: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let check = |text: &str| {
        Reference::parse_normalized(text).map_err(|error| {
            Failure::message(format!(
                "Error parsing reference: \"{text}\" is not a valid repository/tag: {error}"
            ))
        })
    };
    // A bare id is no name, and no wrong name either.
    let is_id =
        !arguments.source.is_empty() && arguments.source.chars().all(|c| c.is_ascii_hexdigit());
    if !is_id {
        check(&arguments.source)?;
    }
    let target = check(&arguments.target)?;
    if target.digest().is_some() {
        return Err(Failure::message(
            "refusing to create a tag with a digest reference",
        ));
    }
    let request = Request::post(format!("/images/{}/tag", encode(&arguments.source)))
        .query("repo", target.familiar_name())
        .query("tag", target.tag().unwrap_or("latest"));
    session.done(request).await?;
    Ok(0)
}
