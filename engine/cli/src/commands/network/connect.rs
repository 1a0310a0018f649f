//! `network connect` and `network disconnect`.

use clap::Args;
use dhow_client::{Request, encode};
use serde_json::json;

use crate::failure::Failure;
use crate::options::flag;
use crate::options::network::Attachment;
use crate::session::Session;

/// Connect a container to a network
#[derive(Args)]
pub struct ConnectArguments {
    /// Another name of the container within the network
    #[arg(long, value_name = "list")]
    alias: Vec<String>,
    /// Options of the driver
    #[arg(long, value_name = "list")]
    driver_opt: Vec<String>,
    /// IPv4 address
    #[arg(long, default_value = "")]
    ip: String,
    /// IPv6 address
    #[arg(long, default_value = "")]
    ip6: String,
    /// Link to another container
    #[arg(long, value_name = "list", value_parser = flag::link)]
    link: Vec<String>,
    /// Link-local addresses
    #[arg(long, value_name = "list")]
    link_local_ip: Vec<String>,
    #[arg(required = true, value_name = "NETWORK")]
    network: String,
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
}

/// Disconnect a container from a network
#[derive(Args)]
pub struct DisconnectArguments {
    /// Do it whatever the container does
    #[arg(short, long)]
    force: bool,
    #[arg(required = true, value_name = "NETWORK")]
    network: String,
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
}

/// Runs `network connect`.
pub async fn connect(arguments: ConnectArguments, session: &Session) -> Result<i32, Failure> {
    let attachment = Attachment {
        name: arguments.network.clone(),
        aliases: arguments.alias,
        ip: arguments.ip,
        ip6: arguments.ip6,
        link_local_ips: arguments.link_local_ip,
        driver_options: arguments.driver_opt,
        ..Attachment::default()
    };
    let mut settings = attachment.settings().unwrap_or_else(|| json!({}));
    if !arguments.link.is_empty() {
        settings["Links"] = json!(arguments.link);
    }
    let body = json!({"Container": arguments.container, "EndpointConfig": settings});
    let path = format!("/networks/{}/connect", encode(&arguments.network));
    session.done(Request::post(path).json(&body)).await?;
    Ok(0)
}

/// Runs `network disconnect`.
pub async fn disconnect(arguments: DisconnectArguments, session: &Session) -> Result<i32, Failure> {
    let body = json!({"Container": arguments.container, "Force": arguments.force});
    let path = format!("/networks/{}/disconnect", encode(&arguments.network));
    session.done(Request::post(path).json(&body)).await?;
    Ok(0)
}
