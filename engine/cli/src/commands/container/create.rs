//! `create`: makes a container without starting it. Also what `run` needs for
//! the same.

use std::io::Write;

use clap::Args;
use dhow_client::{Error, Request, credentials};
use dhow_model::platform::Platform;
use dhow_model::reference::{AnyReference, Reference};

use crate::commands::image::pull;
use crate::failure::{Failure, path_error};
use crate::format::Value;
use crate::options::create::CreateFlags;
use crate::options::request::{self, Plan, Use};
use crate::output;
use crate::session::Session;

/// Make a container of an image
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: CreateFlags,
    #[arg(
        required = true,
        trailing_var_arg = true,
        value_name = "IMAGE [COMMAND] [ARG...]"
    )]
    command: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    check_pull(&arguments.flags)?;
    let usage = Use {
        detached: false,
        console_size: crate::terminal::size::current(),
    };
    let plan = plan(session, &arguments.flags, &arguments.command, usage)?;
    let id = create(session, &arguments.flags, &arguments.command[0], &plan).await?;
    output::line(&id);
    Ok(0)
}

/// The request that the flags and words amount to.
pub fn plan(
    session: &Session,
    flags: &CreateFlags,
    command: &[String],
    usage: Use,
) -> Result<Plan, Failure> {
    check_image(&command[0])?;
    let target = session.target()?;
    let proxy = target.config.proxy(&target.endpoint.to_string());
    request::plan(flags, &command[0], &command[1..], proxy.as_ref(), usage)
}

/// Refuses an image's name that is none; ids are for the engine to know.
fn check_image(image: &str) -> Result<(), Failure> {
    AnyReference::parse(image)
        .map(|_| ())
        .map_err(|error| Failure::message(error.to_string()))
}

/// Refuses a `--pull` that is none.
pub fn check_pull(flags: &CreateFlags) -> Result<(), Failure> {
    match flags.pull.as_str() {
        "always" | "missing" | "never" => Ok(()),
        other => Err(Failure::message(format!(
            "invalid pull option: '{other}': must be one of \"always\", \"missing\" or \"never\""
        ))),
    }
}

/// Makes the container, pulling its image if that is missing; its id.
pub async fn create(
    session: &Session,
    flags: &CreateFlags,
    image: &str,
    plan: &Plan,
) -> Result<String, Failure> {
    check_platform(&flags.platform)?;
    let mut cidfile = CidFile::open(&flags.cidfile)?;
    if !flags.annotation.is_empty() {
        session.require_version("annotation", 43).await?;
    }
    if flags.pull == "always" {
        pull_image(session, flags, image).await?;
    }
    let created = match post(session, flags, plan).await {
        Err(failure) if flags.pull == "missing" && image_is_missing(&failure) => {
            if !flags.quiet {
                let reference = Reference::parse_normalized(image)
                    .map_err(|error| Failure::message(error.to_string()))?;
                let name = reference.with_default_tag().familiar();
                output::warn(&format!("Unable to find image '{name}' locally"));
            }
            pull_image(session, flags, image).await?;
            post(session, flags, plan).await?
        }
        other => other?,
    };
    for warning in created.list("Warnings").iter().filter_map(Value::as_str) {
        output::warn(&format!("WARNING: {warning}"));
    }
    let id = created.str("Id").to_owned();
    cidfile.write(&id)?;
    Ok(id)
}

async fn post(session: &Session, flags: &CreateFlags, plan: &Plan) -> Result<Value, Failure> {
    let name = Some(flags.name.as_str()).filter(|name| !name.is_empty());
    let platform = Some(flags.platform.as_str()).filter(|platform| !platform.is_empty());
    let request = Request::post("/containers/create")
        .query_if("name", name)
        .query_if("platform", platform)
        .json(&plan.body);
    session.json(request).await
}

/// A missing image, and not a missing network or volume.
fn image_is_missing(failure: &Failure) -> bool {
    match failure.client_error() {
        Some(Error::Api {
            status: 404,
            message,
        }) => message.to_lowercase().contains("no such image"),
        _ => false,
    }
}

async fn pull_image(session: &Session, flags: &CreateFlags, image: &str) -> Result<(), Failure> {
    let reference = Reference::parse_normalized(image)
        .map_err(|error| Failure::message(error.to_string()))?
        .with_default_tag();
    let key = credentials::registry_key(reference.domain());
    let found = credentials::lookup(&session.target()?.config, key).await?;
    let platform = Some(flags.platform.as_str()).filter(|platform| !platform.is_empty());
    pull::pull(
        session,
        &reference,
        platform,
        &found,
        pull::Show::Stderr(flags.quiet),
    )
    .await
}

fn check_platform(platform: &str) -> Result<(), Failure> {
    if platform.is_empty() {
        return Ok(());
    }
    platform
        .parse::<Platform>()
        .map(|_| ())
        .map_err(|error| Failure::message(format!("error parsing specified platform: {error}")))
}

/// `--cidfile`: made before the container, so that it is known to be new, and
/// taken away again if there is none.
struct CidFile<'a> {
    path: &'a str,
    file: Option<std::fs::File>,
    written: bool,
}

impl<'a> CidFile<'a> {
    fn open(path: &'a str) -> Result<Self, Failure> {
        let mut cidfile = Self {
            path,
            file: None,
            written: false,
        };
        if path.is_empty() {
            return Ok(cidfile);
        }
        if std::fs::metadata(path).is_ok() {
            return Err(Failure::message(format!(
                "container ID file found, make sure the other container isn't running or delete {path}"
            )));
        }
        let file = std::fs::File::create(path).map_err(|error| {
            let reason = path_error("open", path, &error);
            Failure::message(format!("failed to create the container ID file: {reason}"))
        })?;
        cidfile.file = Some(file);
        Ok(cidfile)
    }

    fn write(&mut self, id: &str) -> Result<(), Failure> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.write_all(id.as_bytes()).map_err(|error| {
            let reason = crate::failure::system_error(&error);
            Failure::message(format!(
                "failed to write the container ID ({id}) to file: {reason}"
            ))
        })?;
        self.written = true;
        Ok(())
    }
}

impl Drop for CidFile<'_> {
    fn drop(&mut self) {
        if self.file.is_some() && !self.written {
            let _ = std::fs::remove_file(self.path);
        }
    }
}
