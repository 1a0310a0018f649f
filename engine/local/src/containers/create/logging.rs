//! Whether a log configuration is one of ours, in dockerd's words. Pure.

use bollard_stubs::models::HostConfigLogConfig;
use dhow_model::size;

use crate::{Error, Result};

const JSON_FILE: &[&str] = &[
    "max-size",
    "max-file",
    "compress",
    "labels",
    "labels-regex",
    "env",
    "env-regex",
    "tag",
    "mode",
    "max-buffer-size",
];
const LOCAL: &[&str] = &[
    "max-size",
    "max-file",
    "compress",
    "mode",
    "max-buffer-size",
];
const NONE: &[&str] = &["mode", "max-buffer-size"];

/// What Go takes for true, and for false.
const TRUE: &[&str] = &["1", "t", "T", "true", "TRUE", "True"];
const FALSE: &[&str] = &["0", "f", "F", "false", "FALSE", "False"];

/// Refuses unknown drivers, options and values.
pub(crate) fn check(config: Option<&HostConfigLogConfig>) -> Result<()> {
    let Some(config) = config else {
        return Ok(());
    };
    let driver = config.typ.as_deref().unwrap_or("json-file");
    let known = match driver {
        "json-file" => JSON_FILE,
        "local" => LOCAL,
        "none" => NONE,
        other => {
            return Err(Error::invalid(format!(
                "logger: no log driver named '{other}' is registered"
            )));
        }
    };
    for (key, value) in config.config.iter().flatten() {
        if !known.contains(&key.as_str()) {
            return Err(Error::invalid(format!(
                "unknown log opt '{key}' for {driver} log driver"
            )));
        }
        check_value(key, value)?;
    }
    let option = |key: &str| config.config.as_ref().and_then(|c| c.get(key));
    // Without a size nothing is ever rotated. dockerd takes the number of files
    // all the same, but no compression of what will never be.
    let files: u64 = option("max-file").and_then(|n| n.parse().ok()).unwrap_or(1);
    let compress = option("compress").is_some_and(|text| TRUE.contains(&text.as_str()));
    if driver == "json-file" && compress && (files < 2 || option("max-size").is_none()) {
        return Err(Error::invalid(
            "compress cannot be true when max-file is less than 2 or max-size is not set",
        ));
    }
    Ok(())
}

fn check_value(key: &str, value: &str) -> Result<()> {
    match key {
        "max-size" | "max-buffer-size" => {
            let bytes = size::parse_bytes(value)
                .map_err(|e| Error::invalid(format!("invalid value for log opt '{key}': {e}")))?;
            if key == "max-size" && bytes == 0 {
                return Err(Error::invalid("max-size must be a positive number"));
            }
        }
        "max-file" => {
            let files: i64 = value.parse().map_err(|_| {
                Error::invalid(format!("invalid value for log opt 'max-file': {value:?}"))
            })?;
            if files < 1 {
                return Err(Error::invalid("max-file cannot be less than 1"));
            }
        }
        "compress" if !TRUE.contains(&value) && !FALSE.contains(&value) => {
            return Err(Error::invalid(format!(
                "invalid value for log opt 'compress': {value:?}"
            )));
        }
        "mode" if !["blocking", "non-blocking"].contains(&value) => {
            return Err(Error::invalid(format!(
                "logger: logging mode not supported: {value}"
            )));
        }
        _ => {}
    }
    Ok(())
}
