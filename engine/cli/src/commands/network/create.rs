//! `network create`: makes a network.

use clap::Args;
use dhow_client::Request;
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;
use crate::options::words;
use crate::output;
use crate::session::Session;

/// Make a network
#[derive(Args)]
pub struct Arguments {
    /// Let containers be connected by hand
    #[arg(long)]
    attachable: bool,
    /// Addresses the driver uses itself (name=address)
    #[arg(long, value_name = "map")]
    aux_address: Vec<String>,
    /// The driver
    #[arg(short, long, default_value = "bridge")]
    driver: String,
    /// The gateway of a subnet
    #[arg(long, value_name = "strings")]
    gateway: Vec<String>,
    /// Keep it from the outside
    #[arg(long)]
    internal: bool,
    /// Give containers addresses from this range only
    #[arg(long, value_name = "strings")]
    ip_range: Vec<String>,
    /// The address management driver
    #[arg(long, default_value = "default")]
    ipam_driver: String,
    /// Options of the address management driver
    #[arg(long, value_name = "map")]
    ipam_opt: Vec<String>,
    /// Whether containers get IPv4 addresses
    #[arg(long, action = clap::ArgAction::Set)]
    ipv4: Option<bool>,
    /// Whether containers get IPv6 addresses
    #[arg(long, action = clap::ArgAction::Set)]
    ipv6: Option<bool>,
    /// Label it (name=value)
    #[arg(long, value_name = "list")]
    label: Vec<String>,
    /// Options of the driver
    #[arg(short, long, value_name = "map")]
    opt: Vec<String>,
    /// A subnet in CIDR form
    #[arg(long, value_name = "strings")]
    subnet: Vec<String>,
    #[arg(required = true, value_name = "NETWORK")]
    network: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let mut body = Map::new();
    let mut set = |key: &str, value: Json| body.insert(key.to_owned(), value);
    set("Name", arguments.network.as_str().into());
    set("Driver", arguments.driver.as_str().into());
    set("Internal", arguments.internal.into());
    set("Attachable", arguments.attachable.into());
    set("Options", words::to_map(&arguments.opt).into());
    set("Labels", words::to_map(&arguments.label).into());
    if let Some(enabled) = arguments.ipv4 {
        set("EnableIPv4", enabled.into());
    }
    if let Some(enabled) = arguments.ipv6 {
        set("EnableIPv6", enabled.into());
    }
    let ipam = json!({
        "Driver": arguments.ipam_driver,
        "Options": words::to_map(&arguments.ipam_opt),
        "Config": pools(&arguments)?,
    });
    set("IPAM", ipam);
    let answer = session
        .json(Request::post("/networks/create").json(&Json::from(body)))
        .await?;
    let warning = answer.str("Warning");
    if !warning.is_empty() {
        output::warn(&format!("WARNING: {warning}"));
    }
    output::line(answer.str("Id"));
    Ok(0)
}

/// Each subnet with the range, gateway and addresses that lie in it.
fn pools(arguments: &Arguments) -> Result<Vec<Json>, Failure> {
    let mut pools: Vec<Json> = Vec::new();
    for subnet in &arguments.subnet {
        pools.push(json!({"Subnet": subnet}));
    }
    let mut put = |kind: &str, key: &str, address: &str, value: Json| {
        let home = pools.iter_mut().find(|pool| {
            pool["Subnet"]
                .as_str()
                .is_some_and(|subnet| contains(subnet, address))
        });
        let Some(pool) = home else {
            return Err(Failure::message(format!(
                "no matching subnet for {kind} {address}"
            )));
        };
        match key {
            "AuxiliaryAddresses" => {
                if let (Some(all), Some(one)) = (
                    pool.as_object_mut()
                        .map(|pool| pool.entry(key).or_insert_with(|| json!({})))
                        .and_then(Json::as_object_mut),
                    value.as_object(),
                ) {
                    all.extend(one.clone());
                }
            }
            key => pool[key] = value,
        }
        Ok(())
    };
    for range in &arguments.ip_range {
        put("range", "IPRange", range, range.as_str().into())?;
    }
    for gateway in &arguments.gateway {
        put("gateway", "Gateway", gateway, gateway.as_str().into())?;
    }
    for (name, address) in words::to_map(&arguments.aux_address) {
        let text = address.as_str().unwrap_or_default().to_owned();
        put(
            "aux-address",
            "AuxiliaryAddresses",
            &text,
            json!({name: address}),
        )?;
    }
    Ok(pools)
}

/// Whether an address, or a range's first one, lies in a subnet.
fn contains(subnet: &str, address: &str) -> bool {
    let address = address.split('/').next().unwrap_or_default();
    let (Some((base, bits)), Ok(address)) =
        (subnet.split_once('/'), address.parse::<std::net::IpAddr>())
    else {
        return false;
    };
    let (Ok(base), Ok(bits)) = (base.parse::<std::net::IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let same = |a: u128, b: u128, width: u32| {
        let shift = width.saturating_sub(bits);
        shift >= 128 || a >> shift == b >> shift
    };
    match (base, address) {
        (std::net::IpAddr::V4(a), std::net::IpAddr::V4(b)) => {
            same(u32::from(a).into(), u32::from(b).into(), 32)
        }
        (std::net::IpAddr::V6(a), std::net::IpAddr::V6(b)) => same(a.into(), b.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_their_subnets() {
        assert!(contains("10.1.0.0/16", "10.1.2.3"));
        assert!(contains("10.1.0.0/16", "10.1.2.0/24"));
        assert!(!contains("10.1.0.0/16", "10.2.2.3"));
        assert!(contains("fd00::/64", "fd00::1") && !contains("fd00::/64", "10.0.0.1"));
        assert!(contains("0.0.0.0/0", "1.2.3.4"));
    }
}
