//! Devices, their limits, and GPUs.

use serde_json::{Value, json};

use crate::options::words;

/// `--device host[:container[:rwm]]`.
pub fn mapping(text: &str) -> Result<Value, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let wrong = || format!("bad format for path: {text}");
    let (host, inside, access) = match parts.as_slice() {
        [host] => (*host, "", "rwm"),
        [host, access] if is_access(access) => (*host, "", *access),
        [host, inside] => (*host, *inside, "rwm"),
        [host, inside, access] if is_access(access) => (*host, *inside, *access),
        [_, _, access] => return Err(format!("bad mode specified: {access}")),
        _ => return Err(wrong()),
    };
    if host.is_empty() {
        return Err(wrong());
    }
    let inside = if inside.is_empty() { host } else { inside };
    if !inside.starts_with('/') {
        return Err(format!("{inside} is not an absolute path"));
    }
    Ok(json!({
        "PathOnHost": host,
        "PathInContainer": inside,
        "CgroupPermissions": access,
    }))
}

/// Whether a `--device` names a CDI device (`vendor.example/class=name`).
pub fn is_cdi(text: &str) -> bool {
    let Some((kind, name)) = text.split_once('=') else {
        return false;
    };
    let Some((vendor, class)) = kind.split_once('/') else {
        return false;
    };
    !vendor.is_empty() && !class.is_empty() && !name.is_empty() && !text.starts_with('/')
}

/// `--blkio-weight-device path:weight`.
pub fn weight(text: &str) -> Result<Value, String> {
    let (path, weight) = path_and(text)?;
    let wrong = || format!("invalid weight for device: {text}");
    let weight: u16 = weight.parse().map_err(|_| wrong())?;
    if weight != 0 && !(10..=1000).contains(&weight) {
        return Err(wrong());
    }
    Ok(json!({"Path": path, "Weight": weight}))
}

/// `--device-read-bps path:1mb`.
pub fn bytes_per_second(text: &str) -> Result<Value, String> {
    let (path, rate) = path_and(text)?;
    let rate = dhow_model::size::parse_bytes(rate).map_err(|_| {
        format!(
            "invalid rate for device: {text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb"
        )
    })?;
    Ok(json!({"Path": path, "Rate": rate}))
}

/// `--device-read-iops path:1000`.
pub fn operations_per_second(text: &str) -> Result<Value, String> {
    let (path, rate) = path_and(text)?;
    let rate: u64 = rate.parse().map_err(|_| {
        format!(
            "invalid rate for device: {text}. The correct format is <device-path>:<number>. Number must be a positive integer"
        )
    })?;
    Ok(json!({"Path": path, "Rate": rate}))
}

/// `--gpus all`, `--gpus 2`, `--gpus device=0,capabilities=utility`.
pub fn gpus(text: &str) -> Result<Value, String> {
    let mut driver = String::new();
    let mut count = None;
    let mut ids: Vec<String> = Vec::new();
    let mut capabilities = vec!["gpu".to_owned()];
    let mut options = serde_json::Map::new();
    let parse_count = |value: &str| {
        match value {
        "all" => Ok(-1),
        number => number.parse::<i64>().map_err(|_| {
            format!("invalid count ({number}): value must be either \"all\" or an integer: invalid syntax")
        }),
    }
    };
    for (index, field) in words::comma_fields(text)?.iter().enumerate() {
        let Some((key, value)) = field.split_once('=') else {
            if index > 0 {
                return Err(format!("invalid field '{field}': must be a key=value pair"));
            }
            count = Some(parse_count(field)?);
            continue;
        };
        match key {
            "driver" => driver = value.to_owned(),
            "count" => count = Some(parse_count(value)?),
            "device" => ids = value.split(',').map(str::to_owned).collect(),
            "capabilities" => {
                let asked = value.split(',').filter(|name| *name != "gpu");
                capabilities.extend(asked.map(str::to_owned));
            }
            "options" => {
                for option in value.split(',') {
                    let (name, value) = option.split_once('=').unwrap_or((option, ""));
                    options.insert(name.to_owned(), value.into());
                }
            }
            _ => return Err(format!("unexpected key '{key}' in '{field}'")),
        }
    }
    if count.is_none() && ids.is_empty() {
        count = Some(1);
    }
    Ok(json!({
        "Driver": driver,
        "Count": count.unwrap_or(0),
        "DeviceIDs": ids,
        "Capabilities": [capabilities],
        "Options": options,
    }))
}

fn is_access(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 3
        && text.chars().all(|c| "rwm".contains(c))
        && "rwm".chars().all(|c| text.matches(c).count() <= 1)
}

fn path_and(text: &str) -> Result<(&str, &str), String> {
    let (path, rest) = text
        .split_once(':')
        .filter(|(_, rest)| !rest.contains(':'))
        .ok_or_else(|| format!("bad format: {text}"))?;
    if !path.starts_with("/dev/") {
        return Err(format!("bad format for device path: {text}"));
    }
    Ok((path, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_mappings() {
        let check = |text: &str, host: &str, inside: &str, access: &str| {
            let value = mapping(text).unwrap();
            assert_eq!(value["PathOnHost"], host, "{text}");
            assert_eq!(value["PathInContainer"], inside, "{text}");
            assert_eq!(value["CgroupPermissions"], access, "{text}");
        };
        check("/dev/a", "/dev/a", "/dev/a", "rwm");
        check("/dev/a:r", "/dev/a", "/dev/a", "r");
        check("/dev/a:/dev/b", "/dev/a", "/dev/b", "rwm");
        check("/dev/a:/dev/b:mr", "/dev/a", "/dev/b", "mr");
        assert_eq!(mapping("").unwrap_err(), "bad format for path: ");
        assert_eq!(mapping("a").unwrap_err(), "a is not an absolute path");
        assert!(mapping("/a:/b:rr").is_err() && mapping("/a:/b:r:x").is_err());
        assert!(is_cdi("vendor.example/gpu=0") && !is_cdi("/dev/a=b/c"));
    }

    #[test]
    fn rates_and_weights() {
        assert_eq!(
            weight("/dev/a:300").unwrap(),
            json!({"Path": "/dev/a", "Weight": 300})
        );
        assert_eq!(
            weight("/dev/a:5").unwrap_err(),
            "invalid weight for device: /dev/a:5"
        );
        assert_eq!(
            weight("a:5").unwrap_err(),
            "bad format for device path: a:5"
        );
        assert_eq!(
            bytes_per_second("/dev/a:1mb").unwrap(),
            json!({"Path": "/dev/a", "Rate": 1 << 20})
        );
        assert!(operations_per_second("/dev/a:1mb").is_err());
    }

    #[test]
    fn gpu_requests() {
        assert_eq!(gpus("all").unwrap()["Count"], -1);
        assert_eq!(gpus("2").unwrap()["Count"], 2);
        let some = gpus("\"device=0,1\",capabilities=utility").unwrap();
        assert_eq!(some["DeviceIDs"], json!(["0", "1"]));
        assert_eq!(some["Capabilities"], json!([["gpu", "utility"]]));
        assert!(gpus("x").is_err());
    }
}
