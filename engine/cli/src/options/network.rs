//! `--network name`, or `--network name=…,alias=…,ip=…`.

use serde_json::{Map, Value, json};

use crate::options::{flag, words};

/// One network to join, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub aliases: Vec<String>,
    pub ip: String,
    pub ip6: String,
    pub link_local_ips: Vec<String>,
    pub mac_address: String,
    pub driver_options: Vec<String>,
    pub gateway_priority: Option<i64>,
}

/// Reads a `--network`.
pub fn parse(text: &str) -> Result<Attachment, String> {
    let mut attachment = Attachment::default();
    if !text.contains('=') {
        attachment.name = text.to_owned();
        return Ok(attachment);
    }
    for field in words::comma_fields(text)? {
        let (key, value) = field
            .split_once('=')
            .ok_or_else(|| format!("invalid field {field}"))?;
        let value = value.trim();
        match key.trim().to_lowercase().as_str() {
            "name" => attachment.name = value.to_owned(),
            "alias" => attachment.aliases.push(value.to_owned()),
            "ip" => attachment.ip = flag::plain_ip(value)?,
            "ip6" => attachment.ip6 = flag::plain_ip(value)?,
            "link-local-ip" => attachment.link_local_ips.push(flag::plain_ip(value)?),
            "mac-address" => attachment.mac_address = mac(value)?,
            "driver-opt" => attachment.driver_options.push(value.to_owned()),
            "gw-priority" => {
                let priority = value
                    .parse()
                    .map_err(|_| format!("invalid gw-priority ({value}): must be an integer"))?;
                attachment.gateway_priority = Some(priority);
            }
            key => return Err(format!("invalid field key {key}")),
        }
    }
    if attachment.name.is_empty() {
        return Err("network name/id is not specified".to_owned());
    }
    Ok(attachment)
}

impl Attachment {
    /// The API's endpoint settings; nothing where nothing was said.
    pub fn settings(&self) -> Option<Value> {
        let mut settings = Map::new();
        if !self.aliases.is_empty() {
            settings.insert("Aliases".into(), json!(self.aliases));
        }
        let mut ipam = Map::new();
        let texts = [("IPv4Address", &self.ip), ("IPv6Address", &self.ip6)];
        for (key, text) in texts {
            if !text.is_empty() {
                ipam.insert(key.to_owned(), text.as_str().into());
            }
        }
        if !self.link_local_ips.is_empty() {
            ipam.insert("LinkLocalIPs".into(), json!(self.link_local_ips));
        }
        if !ipam.is_empty() {
            settings.insert("IPAMConfig".into(), ipam.into());
        }
        if !self.mac_address.is_empty() {
            settings.insert("MacAddress".into(), self.mac_address.as_str().into());
        }
        if !self.driver_options.is_empty() {
            let options = words::to_map(&self.driver_options);
            settings.insert("DriverOpts".into(), options.into());
        }
        if let Some(priority) = self.gateway_priority {
            settings.insert("GwPriority".into(), priority.into());
        }
        (!settings.is_empty()).then(|| settings.into())
    }

    /// Whether the name is one that networks made by people cannot have.
    pub fn is_built_in(&self) -> bool {
        matches!(self.name.as_str(), "default" | "bridge" | "host" | "none")
            || self.name.starts_with("container:")
    }
}

/// A MAC address.
pub fn mac(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    let byte = |part: &&str| part.len() == 2 && part.chars().all(|c| c.is_ascii_hexdigit());
    if parts.len() == 6 && parts.iter().all(byte) {
        return Ok(text.to_owned());
    }
    Err(format!("{text} is not a valid mac address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_named_or_described() {
        assert_eq!(parse("host").unwrap().settings(), None);
        let attachment = parse("name=net,alias=a,alias=b,ip=10.0.0.5").unwrap();
        assert_eq!(attachment.name, "net");
        assert_eq!(
            attachment.settings().unwrap(),
            json!({"Aliases": ["a", "b"], "IPAMConfig": {"IPv4Address": "10.0.0.5"}})
        );
        assert!(parse("alias=a").is_err() && parse("name=a,foo=b").is_err());
        assert!(parse("name=a,ip=x").is_err());
        assert!(mac("92:d0:c6:0a:29:33").is_ok() && mac("foo").is_err());
    }
}
