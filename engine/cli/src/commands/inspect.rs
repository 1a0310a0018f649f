//! `inspect`, for any kind of object: the engine's own JSON, or a template run
//! on it.

use clap::Args;
use dhow_client::{Request, encode};

use crate::failure::Failure;
use crate::format::{Functions, Template, Value, indent, to_json};
use crate::output;
use crate::session::Session;

/// Show everything about containers, images, volumes or networks
#[derive(Args)]
pub struct Arguments {
    /// Print through a Go template, or 'json' for JSON on one line
    #[arg(short, long, default_value = "")]
    format: String,
    /// Show sizes of containers
    #[arg(short, long)]
    size: bool,
    /// The kind of thing that is meant
    #[arg(long = "type", default_value = "")]
    kind: String,
    #[arg(required = true, value_name = "NAME|ID [NAME|ID...]")]
    names: Vec<String>,
}

/// Show everything about containers
#[derive(Args)]
pub struct ContainerArguments {
    /// Print through a Go template, or 'json' for JSON on one line
    #[arg(short, long, default_value = "")]
    format: String,
    /// Show sizes
    #[arg(short, long)]
    size: bool,
    #[arg(required = true, value_name = "CONTAINER [CONTAINER...]")]
    names: Vec<String>,
}

/// Show everything about images
#[derive(Args)]
pub struct ImageArguments {
    /// Print through a Go template, or 'json' for JSON on one line
    #[arg(short, long, default_value = "")]
    format: String,
    /// The platform of the image (os/architecture)
    #[arg(long)]
    platform: Option<String>,
    #[arg(required = true, value_name = "IMAGE [IMAGE...]")]
    names: Vec<String>,
}

/// Show everything about volumes
#[derive(Args)]
pub struct VolumeArguments {
    /// Print through a Go template, or 'json' for JSON on one line
    #[arg(short, long, default_value = "")]
    format: String,
    #[arg(required = true, value_name = "VOLUME [VOLUME...]")]
    names: Vec<String>,
}

/// Show everything about networks
#[derive(Args)]
pub struct NetworkArguments {
    /// Print through a Go template, or 'json' for JSON on one line
    #[arg(short, long, default_value = "")]
    format: String,
    /// Show more
    #[arg(short, long)]
    verbose: bool,
    #[arg(required = true, value_name = "NETWORK [NETWORK...]")]
    names: Vec<String>,
}

/// What can be inspected here.
const KINDS: &[&str] = &["container", "image", "network", "volume"];

/// Kinds that Docker's client knows, for the sentence about wrong ones.
const ALL_KINDS: &[&str] = &[
    "config",
    "container",
    "image",
    "network",
    "node",
    "plugin",
    "secret",
    "service",
    "task",
    "volume",
];

/// Runs it on objects of any kind.
pub async fn any(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let kind = arguments.kind.as_str();
    if !kind.is_empty() && !ALL_KINDS.contains(&kind) {
        let known: Vec<String> = ALL_KINDS.iter().map(|kind| format!("{kind:?}")).collect();
        return Err(Failure::message(format!(
            "unknown type: {kind:?}: must be one of {}",
            known.join(", ")
        )));
    }
    let size = arguments.size;
    inspect(
        session,
        &arguments.format,
        &arguments.names,
        |name| async move {
            if !kind.is_empty() {
                return fetch(session, kind, &name, size).await;
            }
            for kind in KINDS {
                match fetch(session, kind, &name, size).await {
                    Err(failure) if failure.is_not_found() => {}
                    other => return other,
                }
            }
            Err(Failure::message(format!("Error: No such object: {name}")))
        },
    )
    .await
}

/// Runs it on containers.
pub async fn containers(a: ContainerArguments, session: &Session) -> Result<i32, Failure> {
    let size = a.size;
    inspect(session, &a.format, &a.names, |name| async move {
        fetch(session, "container", &name, size).await
    })
    .await
}

/// Runs it on images.
pub async fn images(a: ImageArguments, session: &Session) -> Result<i32, Failure> {
    if a.platform.is_some() {
        session.require_version("platform", 49).await?;
    }
    let platform = a.platform.as_deref().map(platform_json).transpose()?;
    let platform = &platform;
    inspect(session, &a.format, &a.names, |name| async move {
        let request = Request::get(format!("/images/{}/json", encode(&name)))
            .query_if("platform", platform.as_ref());
        bytes(session, request).await
    })
    .await
}

/// Runs it on volumes.
pub async fn volumes(a: VolumeArguments, session: &Session) -> Result<i32, Failure> {
    inspect(session, &a.format, &a.names, |name| async move {
        fetch(session, "volume", &name, false).await
    })
    .await
}

/// Runs it on networks.
pub async fn networks(a: NetworkArguments, session: &Session) -> Result<i32, Failure> {
    let verbose = a.verbose;
    inspect(session, &a.format, &a.names, |name| async move {
        let request = Request::get(format!("/networks/{}", encode(&name))).flag("verbose", verbose);
        bytes(session, request).await
    })
    .await
}

/// A platform in the JSON form that newer endpoints take.
pub fn platform_json(text: &str) -> Result<String, Failure> {
    let platform: dhow_model::platform::Platform =
        text.parse()
            .map_err(|error: dhow_model::platform::InvalidPlatform| {
                Failure::message(error.to_string())
            })?;
    let mut json = serde_json::Map::new();
    json.insert("os".into(), platform.os().into());
    json.insert("architecture".into(), platform.architecture().into());
    if !platform.variant().is_empty() {
        json.insert("variant".into(), platform.variant().into());
    }
    Ok(serde_json::Value::from(json).to_string())
}

async fn fetch(session: &Session, kind: &str, name: &str, size: bool) -> Result<String, Failure> {
    let name = encode(name);
    let request = match kind {
        "container" => Request::get(format!("/containers/{name}/json")).flag("size", size),
        "image" => Request::get(format!("/images/{name}/json")),
        "network" => Request::get(format!("/networks/{name}")),
        "volume" => Request::get(format!("/volumes/{name}")),
        other => Request::get(format!("/{other}s/{name}")),
    };
    bytes(session, request).await
}

async fn bytes(session: &Session, request: Request) -> Result<String, Failure> {
    let bytes = session.client()?.send(request).await?.bytes().await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The template of a `--format`, unless it asks for JSON.
pub fn template(spec: &str) -> Result<Option<Template>, Failure> {
    if matches!(spec, "" | "json") {
        return Ok(None);
    }
    match Template::parse(spec) {
        Ok(template) => Ok(Some(template)),
        Err(error) => {
            let text = format!("template parsing error: {error}");
            Err(Failure::message(text).with_code(64))
        }
    }
}

/// Prints what `fetch` finds for every name; what cannot be found is said at
/// the end, after everything that could.
pub async fn inspect<F>(
    _session: &Session,
    spec: &str,
    names: &[String],
    fetch: impl Fn(String) -> F,
) -> Result<i32, Failure>
where
    F: Future<Output = Result<String, Failure>>,
{
    let template = template(&spec.replace("\\t", "\t").replace("\\n", "\n"))?;
    let mut found = Vec::new();
    let mut text = String::new();
    let mut failures = Vec::new();
    for name in names {
        let json = match fetch(name.clone()).await {
            Ok(json) => json,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        let Some(template) = &template else {
            found.push(json);
            continue;
        };
        let value = Value::from_json(json.as_bytes())
            .map_err(|error| Failure::message(format!("unable to read inspect data: {error}")))?;
        let mut line = String::new();
        if let Err(error) = template.execute(&value, Functions::Usual, &mut line) {
            failures.push(Failure::message(format!("template parsing error: {error}")));
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    match (&template, spec) {
        (Some(_), _) if text.is_empty() => output::line(""),
        (Some(_), _) => output::print(&text),
        (None, "json") => {
            // Read and written again, so that it stands on one line.
            let values = found
                .iter()
                .map(|json| Value::from_json(json.as_bytes()))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| Failure::message(error.to_string()))?;
            output::line(&to_json(&Value::List(values)));
        }
        (None, _) => {
            let list = format!("[{}]", found.join(","));
            output::line(&indent(&list, "    "));
        }
    }
    Failure::of_several(failures)?;
    Ok(0)
}
