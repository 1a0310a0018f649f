//! `version`: which versions both ends are.

use clap::Args;
use dhow_client::Request;
use dhow_client::version::NEWEST;

use crate::commands::inspect;
use crate::failure::Failure;
use crate::format::{Functions, Kind, Nil, Object, Value, to_json};
use crate::output;
use crate::output::human;
use crate::session::{Session, VERSION};

/// Show versions
#[derive(Args)]
pub struct Arguments {
    /// Print through a Go template, or 'json' for JSON on one line
    #[arg(short, long, default_value = "")]
    format: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let template = inspect::template(&arguments.format)?;
    let server = session.json(Request::get("/version")).await;
    let client = client(session, server.is_ok())?;
    let data = structure(&[
        ("Client", client.typed("system.clientVersion")),
        (
            "Server",
            server
                .as_ref()
                .map_or(Value::Nil(Nil::Pointer), Clone::clone),
        ),
    ])
    .typed("system.versionInfo");
    match (&template, arguments.format.as_str()) {
        (Some(template), _) => {
            let mut text = String::new();
            let data = structure(&[
                ("Client", field_names(data.get("Client"))),
                ("Server", field_names(data.get("Server"))),
            ])
            .typed("system.versionInfo");
            let result = template.execute(&data, Functions::Usual, &mut text);
            output::line(&text);
            // Docker gives this template, and only this one, a name.
            result.map_err(|error| {
                let text = error
                    .to_string()
                    .replacen("template: :", "template: version:", 1);
                Failure::message(text.replacen("executing \"\"", "executing \"version\"", 1))
            })?;
        }
        (None, "json") => output::line(&to_json(&data)),
        (None, _) => output::print(&text(&data)),
    }
    server.map(|_| 0)
}

fn client(session: &Session, answered: bool) -> Result<Value, Failure> {
    let agreed = match answered {
        true => session.client()?.version(),
        false => NEWEST,
    };
    let mut entries = Vec::new();
    if !session.program.is_docker() {
        let platform = structure(&[("Name", Value::text("Dhow"))]);
        entries.push(("Platform", platform));
    }
    entries.extend([
        ("Version", Value::text(VERSION)),
        ("ApiVersion", Value::text(agreed.to_string())),
        ("DefaultAPIVersion", Value::text(NEWEST.to_string())),
        ("GitCommit", Value::text("")),
        ("GoVersion", Value::text("")),
        ("Os", Value::text(std::env::consts::OS)),
        ("Arch", Value::text(architecture())),
        ("BuildTime", Value::text("")),
        ("Context", Value::text(&session.target()?.context)),
    ]);
    Ok(structure(&entries))
}

/// With the one field whose name in Go's types is not that in JSON.
fn field_names(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(object) = &mut value {
        let version = object.get("ApiVersion").cloned();
        object
            .entries
            .extend(version.map(|version| ("APIVersion".to_owned(), version)));
    }
    value
}

/// Go's name of this machine's architecture.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

fn structure(entries: &[(&str, Value)]) -> Value {
    let entries = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    Value::Object(Object::new(Kind::Struct, entries))
}

fn text(data: &Value) -> String {
    let client = data.get("Client");
    let platform = client.get("Platform").str("Name");
    let mut text = match platform {
        "" => "Client:\n".to_owned(),
        name => format!("Client: {name}\n"),
    };
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!(" {name:<18} {value}\n"));
        }
    };
    let (agreed, own) = (client.str("ApiVersion"), client.str("DefaultAPIVersion"));
    let api = if agreed == own {
        agreed.to_owned()
    } else {
        format!("{agreed} (downgraded from {own})")
    };
    line("Version:", client.str("Version"));
    line("API version:", &api);
    line("Go version:", client.str("GoVersion"));
    line("Git commit:", client.str("GitCommit"));
    line("Built:", client.str("BuildTime"));
    line(
        "OS/Arch:",
        &format!("{}/{}", client.str("Os"), client.str("Arch")),
    );
    line("Context:", client.str("Context"));
    let server = data.get("Server");
    if server.is_nil() {
        return text;
    }
    text.push_str(&match server.get("Platform").str("Name") {
        "" => "\nServer:\n".to_owned(),
        name => format!("\nServer: {name}\n"),
    });
    for component in components(server) {
        text.push_str(&format!(" {}:\n", component.str("Name")));
        let details = component.get("Details");
        let mut line = |name: &str, value: &str| {
            text.push_str(&format!("  {name:<17} {value}\n"));
        };
        line("Version:", component.str("Version"));
        if component.str("Name") != "Engine" {
            line("GitCommit:", details.str("GitCommit"));
            continue;
        }
        let api = (details.str("ApiVersion"), details.str("MinAPIVersion"));
        line(
            "API version:",
            &format!("{} (minimum version {})", api.0, api.1),
        );
        line("Go version:", details.str("GoVersion"));
        line("Git commit:", details.str("GitCommit"));
        line("Built:", &human::ctime(details.str("BuildTime")));
        line(
            "OS/Arch:",
            &format!("{}/{}", details.str("Os"), details.str("Arch")),
        );
        line("Experimental:", details.str("Experimental"));
    }
    text
}

/// What the engine is made of; old ones say only what they are themselves.
fn components(server: &Value) -> Vec<Value> {
    let components = server.list("Components");
    if !components.is_empty() {
        return components.to_vec();
    }
    let experimental = server.bool("Experimental").to_string();
    let copied = [
        "ApiVersion",
        "MinAPIVersion",
        "GoVersion",
        "GitCommit",
        "BuildTime",
        "Os",
        "Arch",
    ];
    let mut details: Vec<(&str, Value)> = copied
        .iter()
        .map(|key| (*key, server.get(key).clone()))
        .collect();
    details.push(("Experimental", Value::text(experimental)));
    vec![structure(&[
        ("Name", Value::text("Engine")),
        ("Version", server.get("Version").clone()),
        ("Details", structure(&details)),
    ])]
}
