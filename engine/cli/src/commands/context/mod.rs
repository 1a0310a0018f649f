//! Commands about contexts: which engine is meant.

use clap::Args;
use dhow_client::context::{self, DEFAULT};
use dhow_client::{ConfigFile, discovery};
use serde_json::json;

use crate::failure::Failure;
use crate::format::Value;
use crate::output;
use crate::output::list::{Columns, Format, Row};
use crate::session::Session;

/// List contexts
#[derive(Args)]
pub struct ListArguments {
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long, default_value = "")]
    format: String,
    /// Show names only
    #[arg(short, long)]
    quiet: bool,
}

/// Print the name of the context in use
#[derive(Args)]
pub struct ShowArguments {}

/// Use another context from now on
#[derive(Args)]
pub struct UseArguments {
    #[arg(required = true, value_name = "CONTEXT")]
    context: String,
}

/// Show everything about contexts
#[derive(Args)]
pub struct InspectArguments {
    /// Print through a Go template, or 'json' for JSON on one line
    #[arg(short, long, default_value = "")]
    format: String,
    #[arg(value_name = "[CONTEXT] [CONTEXT...]")]
    contexts: Vec<String>,
}

const COLUMNS: Columns = Columns {
    go_type: "*formatter.clientContextContext",
    headers: &[
        ("Name", "NAME"),
        ("Description", "DESCRIPTION"),
        ("DockerEndpoint", "DOCKER ENDPOINT"),
        ("Current", ""),
        ("Error", "ERROR"),
    ],
};

const DEFAULT_DESCRIPTION: &str = "Current DOCKER_HOST based configuration";

/// Runs `context ls`.
pub async fn list(arguments: ListArguments, session: &Session) -> Result<i32, Failure> {
    let config = config(session)?;
    let current = current(session, &config)?;
    let usual = if arguments.quiet {
        "{{.Name}}"
    } else {
        "table {{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}"
    };
    let format = match arguments.format.as_str() {
        "" | "table" if arguments.quiet => Format::parse(usual, "")?,
        spec => Format::parse(spec, usual)?,
    };
    let mut rows = vec![row(
        DEFAULT,
        DEFAULT_DESCRIPTION,
        &default_host(session, &config)?,
        &current,
    )];
    let mut found = false;
    for context in context::list(config.directory()) {
        found |= context.name == current;
        rows.push(row(
            &context.name,
            &context.description,
            &context.host,
            &current,
        ));
    }
    if current != DEFAULT && !found {
        let missing = Row::new(&COLUMNS)
            .value("Current", Value::Bool(true))
            .text("Description", "")
            .text("DockerEndpoint", "")
            .text("Error", format!("context {current:?}: context not found"))
            .text("Name", &current);
        rows.push(missing);
    }
    format.print(&COLUMNS, rows)?;
    if session.choice.hosts.is_empty()
        && session.choice.context.is_none()
        && session.environment.host().is_some()
        && !arguments.quiet
    {
        let name = match session.environment.variable("DHOW_HOST") {
            Some(_) => "DHOW_HOST",
            None => "DOCKER_HOST",
        };
        output::warn(&format!(
            "Warning: {name} environment variable overrides the active context. To use a context, either set the global --context flag, or unset {name} environment variable."
        ));
    }
    Ok(0)
}

/// Runs `context show`.
pub async fn show(_: ShowArguments, session: &Session) -> Result<i32, Failure> {
    let config = config(session)?;
    output::line(&current(session, &config)?);
    Ok(0)
}

/// Runs `context use`. Under its own name the choice is kept apart from
/// Docker's, so that neither client changes what the other talks to.
pub async fn choose(arguments: UseArguments, session: &Session) -> Result<i32, Failure> {
    let name = arguments.context;
    let docker = config(session)?;
    if name != DEFAULT {
        context::find(docker.directory(), &name)?;
    }
    let mut file = match &session.environment.own_config {
        Some(own) if !session.program.is_docker() => ConfigFile::load(own)?,
        _ => docker,
    };
    let value = (name != DEFAULT || !session.program.is_docker()).then_some(name.as_str());
    file.set_text("currentContext", value);
    file.save()?;
    output::line(&name);
    output::warn(&format!("Current context is now {name:?}"));
    if let Some(host) = session.environment.host() {
        let variable = match session.environment.variable("DHOW_HOST") {
            Some(_) => "DHOW_HOST",
            None => "DOCKER_HOST",
        };
        output::warn(&format!(
            "Warning: {variable} environment variable ({host}) overrides the active context."
        ));
    }
    Ok(0)
}

/// Runs `context inspect`.
pub async fn inspect(arguments: InspectArguments, session: &Session) -> Result<i32, Failure> {
    let config = config(session)?;
    let names = if arguments.contexts.is_empty() {
        vec![current(session, &config)?]
    } else {
        arguments.contexts
    };
    let config = &config;
    super::inspect::inspect(session, &arguments.format, &names, |name| async move {
        describe(session, config, &name)
    })
    .await
}

fn describe(session: &Session, config: &ConfigFile, name: &str) -> Result<String, Failure> {
    let in_memory = "<IN MEMORY>".to_owned();
    let (host, skip, description, metadata, tls) = if name == DEFAULT {
        let host = default_host(session, config)?;
        (host, false, String::new(), in_memory.clone(), in_memory)
    } else {
        let context = context::find(config.directory(), name)?;
        let metadata = context.metadata.display().to_string();
        let tls = metadata.replace("/contexts/meta/", "/contexts/tls/");
        (
            context.host,
            context.skip_verify,
            context.description,
            metadata,
            tls,
        )
    };
    // Written out in the order Docker has.
    let metadata_json = match description.as_str() {
        "" => json!({}),
        text => json!({"Description": text}),
    };
    let quote = crate::format::encode_html;
    Ok(format!(
        "{{\"Name\":{},\"Metadata\":{metadata_json},\"Endpoints\":{{\"docker\":{{\"Host\":{},\"SkipTLSVerify\":{skip}}}}},\"TLSMaterial\":{{}},\"Storage\":{{\"MetadataPath\":{},\"TLSPath\":{}}}}}",
        quote(name),
        quote(&host),
        quote(&metadata),
        quote(&tls),
    ))
}

fn config(session: &Session) -> Result<ConfigFile, Failure> {
    let directory = session.environment.docker_config(&session.choice);
    Ok(ConfigFile::load(&directory)?)
}

fn current(session: &Session, config: &ConfigFile) -> Result<String, Failure> {
    Ok(discovery::context_name(
        &session.choice,
        &session.environment,
        config,
    )?)
}

fn default_host(session: &Session, config: &ConfigFile) -> Result<String, Failure> {
    let choice = dhow_client::Choice {
        context: None,
        ..session.choice.clone()
    };
    let endpoint = discovery::default_endpoint(&choice, &session.environment, config.directory())?;
    Ok(endpoint.to_string())
}

fn row(name: &str, description: &str, host: &str, current: &str) -> Row {
    Row::new(&COLUMNS)
        .value("Current", Value::Bool(name == current))
        .text("Description", description)
        .text("DockerEndpoint", host)
        .text("Error", "")
        .text("Name", name)
}
