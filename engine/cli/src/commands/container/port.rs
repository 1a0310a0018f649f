//! `port`: where a container's ports are published.

use std::num::IntErrorKind;

use clap::Args;
use dhow_client::Request;

use crate::commands::container::path;
use crate::failure::Failure;
use crate::format::Value;
use crate::output;
use crate::output::order::natural;
use crate::session::Session;

/// Show where ports of a container are published
#[derive(Args)]
pub struct Arguments {
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
    #[arg(value_name = "[PRIVATE_PORT[/PROTO]]")]
    port: Option<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let container = session
        .json(Request::get(path(&arguments.container, "json")))
        .await?;
    let ports = container.get("NetworkSettings");
    let mut lines = Vec::new();
    if let Some(asked) = &arguments.port {
        let key = match asked.split_once('/') {
            Some(_) => asked.clone(),
            None => format!("{asked}/tcp"),
        };
        let number = key.split('/').next().unwrap_or_default();
        if let Err(error) = number.parse::<u16>() {
            let reason = match error.kind() {
                IntErrorKind::PosOverflow => "value out of range",
                _ => "invalid syntax",
            };
            return Err(Failure::message(format!(
                "Error: invalid port ({number}): strconv.ParseUint: parsing {number:?}: {reason}"
            )));
        }
        let bindings = ports.get("Ports").get(&key);
        if bindings.items().is_empty() {
            return Err(Failure::message(format!(
                "Error: No public port '{asked}' published for {}",
                arguments.container
            )));
        }
        lines.extend(bindings.items().iter().map(address));
    } else {
        for (port, bindings) in ports.map("Ports") {
            for binding in bindings.items() {
                lines.push(format!("{port} -> {}", address(binding)));
            }
        }
    }
    lines.sort_by_key(|line| natural(line));
    for line in lines {
        output::line(&line);
    }
    Ok(0)
}

fn address(binding: &Value) -> String {
    let (address, port) = (binding.str("HostIp"), binding.str("HostPort"));
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}
