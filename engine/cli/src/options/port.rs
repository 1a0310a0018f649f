//! `-p` and `--expose` as the API takes them. The grammar is
//! [`dhow_model::port`]'s.

use dhow_model::port::{Port, PortSpec};
use serde_json::{Map, Value, json};

use crate::options::words;

/// What `-p` and `--expose` say together.
#[derive(Debug, Default, PartialEq)]
pub struct Ports {
    /// `ExposedPorts`.
    pub exposed: Map<String, Value>,
    /// `PortBindings`.
    pub bindings: Map<String, Value>,
}

/// Reads all of them.
pub fn parse(publish: &[String], expose: &[String]) -> Result<Ports, String> {
    let mut ports = Ports::default();
    for text in publish {
        let text = if text.contains('=') {
            short_form(text)?
        } else {
            text.clone()
        };
        for spec in PortSpec::parse(&text).map_err(|error| error.to_string())? {
            let key = spec.container.to_string();
            let binding = json!({
                "HostIp": spec.address.map(|a| a.to_string()).unwrap_or_default(),
                "HostPort": spec.host.map(|range| range.to_string()).unwrap_or_default(),
            });
            ports.exposed.insert(key.clone(), json!({}));
            let bindings = ports.bindings.entry(key).or_insert_with(|| json!([]));
            if let Some(bindings) = bindings.as_array_mut() {
                bindings.push(binding);
            }
        }
    }
    for text in expose {
        if text.contains(':') {
            return Err(format!("invalid port format for --expose: {text}"));
        }
        for port in exposed(text)? {
            ports.exposed.insert(port.to_string(), json!({}));
        }
    }
    Ok(ports)
}

fn exposed(text: &str) -> Result<Vec<Port>, String> {
    Port::parse_range(text).map_err(|error| {
        let range = text.split('/').next().unwrap_or_default();
        let number = range
            .split('-')
            .find(|part| part.parse::<u16>().is_err())
            .unwrap_or(range);
        let reason = if number.parse::<u64>().is_ok() {
            format!("strconv.ParseUint: parsing {number:?}: value out of range")
        } else if number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty() {
            error.to_string()
        } else {
            format!("strconv.ParseUint: parsing {number:?}: invalid syntax")
        };
        format!("invalid range format for --expose: {text}, error: {reason}")
    })
}

/// `target=80,published=8080,protocol=tcp` as `8080:80/tcp`.
fn short_form(text: &str) -> Result<String, String> {
    let (mut target, mut published, mut protocol) =
        (String::new(), String::new(), "tcp".to_owned());
    for field in words::comma_fields(text)? {
        let (key, value) = field
            .split_once('=')
            .ok_or_else(|| format!("invalid field {field}"))?;
        match key {
            "target" => target = value.to_owned(),
            "published" => published = value.to_owned(),
            "protocol" => protocol = value.to_owned(),
            "mode" => {}
            _ => return Err(format!("invalid field key {key}")),
        }
    }
    if target.is_empty() {
        return Err("missing mandatory field \"target\"".to_owned());
    }
    Ok(match published.as_str() {
        "" => format!("{target}/{protocol}"),
        published => format!("{published}:{target}/{protocol}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    #[test]
    fn published_ports_are_exposed_too() {
        let ports = parse(
            &texts(&["127.0.0.1:8080:80", "8081:80", "53/udp"]),
            &texts(&["90-91"]),
        )
        .unwrap();
        assert_eq!(
            Value::from(ports.bindings),
            json!({
                "53/udp": [{"HostIp": "", "HostPort": ""}],
                "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"},
                           {"HostIp": "", "HostPort": "8081"}],
            })
        );
        let mut exposed: Vec<_> = ports.exposed.keys().cloned().collect();
        exposed.sort_unstable();
        assert_eq!(exposed, ["53/udp", "80/tcp", "90/tcp", "91/tcp"]);
    }

    #[test]
    fn the_long_form() {
        let ports = parse(&texts(&["target=80,published=8080,protocol=udp"]), &[]).unwrap();
        assert!(ports.bindings.contains_key("80/udp"));
    }

    #[test]
    fn what_is_no_port() {
        let publish = |text: &str| parse(&texts(&[text]), &[]).unwrap_err();
        let expose = |text: &str| parse(&[], &texts(&[text])).unwrap_err();
        assert_eq!(publish("x"), "invalid containerPort: x");
        assert_eq!(publish("1:2:3:4"), "invalid IP address: 1:2");
        assert_eq!(
            expose("x"),
            "invalid range format for --expose: x, error: strconv.ParseUint: parsing \"x\": invalid syntax"
        );
        assert_eq!(expose("1:2"), "invalid port format for --expose: 1:2");
    }
}
