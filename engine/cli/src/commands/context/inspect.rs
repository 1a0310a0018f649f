//! `context inspect`: everything about contexts, but for keys themselves.

use clap::Args;
use dhow_client::context::DEFAULT;
use serde_json::{Map, Value};

use super::{config, current, find, store};
use crate::failure::Failure;
use crate::format::encode_html;
use crate::session::Session;

/// Show everything about contexts
#[derive(Args)]
pub struct Arguments {
    /// Print through a Go template, or 'json' for JSON on one line
    #[arg(short, long, default_value = "")]
    format: String,
    #[arg(value_name = "[CONTEXT] [CONTEXT...]")]
    contexts: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let names = if arguments.contexts.is_empty() {
        vec![current(session, &config(session)?)?]
    } else {
        arguments.contexts
    };
    let inspect = crate::commands::inspect::inspect;
    inspect(session, &arguments.format, &names, |name| async move {
        describe(session, &name)
    })
    .await
}

fn describe(session: &Session, name: &str) -> Result<String, Failure> {
    let store = store(session);
    let (mut context, material) = find(session, &store, name)?;
    let (mut metadata, mut tls) = ("<IN MEMORY>".to_owned(), "<IN MEMORY>".to_owned());
    if name == DEFAULT {
        context.metadata.clear();
    } else {
        metadata = store.metadata_folder(name).display().to_string();
        tls = store.material_folder(name).display().to_string();
    }
    if context.is_docker() {
        // Docker shows both fields, whichever are stored.
        let (host, skip_verify) = (context.host().to_owned(), context.skip_verify());
        context.set_docker(&host, skip_verify);
    }
    let files: Map<String, Value> = material
        .iter()
        .map(|(endpoint, files)| {
            let names: Vec<&str> = files.keys().map(String::as_str).collect();
            (endpoint.clone(), names.into())
        })
        .collect();
    // Written out in the order Docker has.
    let parts = [
        ("Name", Value::from(context.name.as_str()).to_string()),
        ("Metadata", Value::from(context.metadata).to_string()),
        ("Endpoints", Value::from(context.endpoints).to_string()),
        ("TLSMaterial", Value::from(files).to_string()),
    ];
    let parts: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("\"{name}\":{}", escaped(value)))
        .collect();
    Ok(format!(
        "{{{},\"Storage\":{{\"MetadataPath\":{},\"TLSPath\":{}}}}}",
        parts.join(","),
        encode_html(&metadata),
        encode_html(&tls),
    ))
}

/// JSON as Go writes it: outside of strings it has none of these.
fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}
