//! `volume create`: makes a volume.

use clap::Args;
use dhow_client::Request;
use serde_json::{Map, Value as Json};

use crate::failure::Failure;
use crate::options::words;
use crate::output;
use crate::session::Session;

/// Make a volume
#[derive(Args)]
pub struct Arguments {
    /// The driver
    #[arg(short, long, default_value = "local")]
    driver: String,
    /// Label it (name=value)
    #[arg(long, value_name = "list")]
    label: Vec<String>,
    /// Its name
    #[arg(long, hide = true)]
    name: Option<String>,
    /// Options of the driver
    #[arg(short, long, value_name = "map")]
    opt: Vec<String>,
    #[arg(value_name = "[VOLUME]")]
    volume: Option<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    if arguments.name.is_some() && arguments.volume.is_some() {
        return Err(Failure::message(
            "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
        ));
    }
    let name = arguments.volume.or(arguments.name).unwrap_or_default();
    let mut body = Map::new();
    body.insert("Name".into(), name.into());
    body.insert("Driver".into(), arguments.driver.into());
    body.insert("Labels".into(), words::to_map(&arguments.label).into());
    body.insert("DriverOpts".into(), words::to_map(&arguments.opt).into());
    let request = Request::post("/volumes/create").json(&Json::from(body));
    let volume = session.json(request).await?;
    output::line(volume.str("Name"));
    Ok(0)
}
