//! Request bodies: forms that Go's decoder lets pass, and defaults and fields
//! that older API versions mean differently.

use dhow_local::Error;
use serde_json::{Map, Value, json};

use crate::version::ApiVersion;

/// Lists that may be a single string in Docker's API (`strslice.StrSlice`).
const LOOSE_LISTS: [&str; 5] = ["Cmd", "Entrypoint", "Shell", "CapAdd", "CapDrop"];

/// A `POST /containers/create` body of `version`, as the newest would say it.
pub(crate) fn create(mut body: Value, version: ApiVersion) -> Result<Value, Error> {
    let Some(config) = body.as_object_mut() else {
        return Err(not_an_object(&body));
    };
    loosen(config);
    if !version.at_least(44)
        && let Some(health) = object(config, "Healthcheck")
    {
        health.remove("StartInterval");
    }
    if let Some(host) = object(config, "HostConfig") {
        loosen(host);
        restart_policy(host)?;
        host_config(host, version)?;
    }
    Ok(body)
}

/// An update body.
pub(crate) fn update(mut body: Value) -> Result<Value, Error> {
    let Some(config) = body.as_object_mut() else {
        return Err(not_an_object(&body));
    };
    restart_policy(config)?;
    Ok(body)
}

/// A `POST /containers/{id}/exec` or `/commit` body.
pub(crate) fn loose(mut body: Value) -> Result<Value, Error> {
    let Some(config) = body.as_object_mut() else {
        return Err(not_an_object(&body));
    };
    loosen(config);
    Ok(body)
}

fn host_config(host: &mut Map<String, Value>, version: ApiVersion) -> Result<(), Error> {
    let unset =
        |host: &Map<String, Value>, key: &str| host.get(key).is_none_or(|v| v.is_null() || v == "");
    if !version.at_least(40) && unset(host, "IpcMode") {
        host.insert("IpcMode".to_owned(), json!("shareable"));
    }
    if !version.at_least(42) {
        host.remove("ConsoleSize");
    }
    if !version.at_least(43) {
        host.remove("Annotations");
    }
    let mounts = host.get_mut("Mounts").and_then(Value::as_array_mut);
    for mount in mounts
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        mount_options(mount, version)?;
    }
    Ok(())
}

fn mount_options(mount: &mut Map<String, Value>, version: ApiVersion) -> Result<(), Error> {
    mount_words(mount)?;
    if !version.at_least(45)
        && let Some(options) = object(mount, "VolumeOptions")
    {
        options.remove("Subpath");
    }
    let bind = mount.get("Type").is_some_and(|t| t == "bind");
    if !version.at_least(44) && bind {
        // Before 1.44 no read-only mount was recursive, and nobody said so.
        let options = mount.entry("BindOptions").or_insert(Value::Null);
        if options.is_null() {
            *options = json!({});
        }
        if let Some(options) = options.as_object_mut() {
            if options.get("ReadOnlyForceRecursive") == Some(&Value::Bool(true)) {
                return Err(Error::invalid(
                    "BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer",
                ));
            }
            options.insert("ReadOnlyNonRecursive".to_owned(), json!(true));
        }
    }
    if let Some(options) = object(mount, "BindOptions") {
        if !version.at_least(40) {
            options.remove("NonRecursive");
        }
        if !version.at_least(42) {
            options.remove("CreateMountpoint");
        }
    }
    Ok(())
}

/// Words that the wire model knows as enums, whose own errors say less.
fn mount_words(mount: &Map<String, Value>) -> Result<(), Error> {
    const TYPES: [&str; 6] = ["bind", "cluster", "image", "npipe", "tmpfs", "volume"];
    const PROPAGATIONS: [&str; 7] = [
        "", "private", "rprivate", "shared", "rshared", "slave", "rslave",
    ];
    let typ = mount
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let wrong =
        |reason: String| Error::invalid(format!("invalid mount config for type {typ:?}: {reason}"));
    if !TYPES.contains(&typ) {
        return Err(wrong("mount type unknown".to_owned()));
    }
    let bind = mount.get("BindOptions").and_then(|b| b.get("Propagation"));
    match bind.and_then(Value::as_str) {
        Some(mode) if !PROPAGATIONS.contains(&mode) => {
            Err(wrong(format!("invalid propagation mode: {mode}")))
        }
        _ => Ok(()),
    }
}

/// The wire model knows the policies as an enum, whose own error says less.
fn restart_policy(host: &Map<String, Value>) -> Result<(), Error> {
    let name = host.get("RestartPolicy").and_then(|p| p.get("Name"));
    match name.and_then(Value::as_str) {
        None | Some("" | "no" | "always" | "on-failure" | "unless-stopped") => Ok(()),
        Some(other) => Err(Error::invalid(format!(
            "invalid restart policy: unknown policy '{other}'; use one of 'no', 'always', \
             'on-failure', or 'unless-stopped'"
        ))),
    }
}

fn loosen(config: &mut Map<String, Value>) {
    for key in LOOSE_LISTS {
        if let Some(value) = config.get_mut(key)
            && value.is_string()
        {
            *value = json!([value.take()]);
        }
    }
}

fn object<'a>(parent: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    parent.get_mut(key)?.as_object_mut()
}

fn not_an_object(body: &Value) -> Error {
    let kind = match body {
        Value::Null => {
            return Error::invalid("config cannot be empty in order to create a container");
        }
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Error::invalid(format!(
        "invalid JSON: json: cannot unmarshal {kind} into Go value"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_as(minor: u32, body: Value) -> Value {
        create(body, ApiVersion::new(1, minor)).unwrap()
    }

    #[test]
    fn takes_strings_for_lists() {
        let body = create_as(
            55,
            json!({"Cmd": "ls", "Entrypoint": null, "HostConfig": {"CapAdd": "ALL"}}),
        );
        assert_eq!(
            body,
            json!({"Cmd": ["ls"], "Entrypoint": null, "HostConfig": {"CapAdd": ["ALL"]}})
        );
    }

    #[test]
    fn gives_old_clients_the_defaults_of_their_time() {
        let host = |minor, host: Value| {
            create_as(minor, json!({ "HostConfig": host }))["HostConfig"].take()
        };
        assert_eq!(host(39, json!({}))["IpcMode"], "shareable");
        assert_eq!(
            host(39, json!({"IpcMode": "private"}))["IpcMode"],
            "private"
        );
        assert_eq!(host(40, json!({})), json!({}));
        assert_eq!(host(42, json!({"Annotations": {"a": "b"}})), json!({}));
        let bind = json!({"Mounts": [{"Type": "bind", "ReadOnly": true}]});
        assert_eq!(
            host(43, bind.clone())["Mounts"][0]["BindOptions"]["ReadOnlyNonRecursive"],
            true
        );
        assert_eq!(host(44, bind.clone()), bind);
    }

    #[test]
    fn names_an_unknown_restart_policy() {
        let error = update(json!({"RestartPolicy": {"Name": "sometimes"}})).unwrap_err();
        assert!(
            error.to_string().contains("unknown policy 'sometimes'"),
            "{error}"
        );
        update(json!({"RestartPolicy": {"Name": "always"}})).unwrap();
        update(json!({"RestartPolicy": null})).unwrap();
    }

    #[test]
    fn names_unknown_mounts() {
        let error = |mount: Value| {
            let body = json!({"HostConfig": {"Mounts": [mount]}});
            create(body, ApiVersion::new(1, 55))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(json!({"Type": "bogus"})),
            "invalid mount config for type \"bogus\": mount type unknown"
        );
        assert_eq!(
            error(json!({"Type": "bind", "BindOptions": {"Propagation": "x"}})),
            "invalid mount config for type \"bind\": invalid propagation mode: x"
        );
    }

    #[test]
    fn refuses_what_is_not_an_object() {
        let error = loose(json!([])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid JSON: json: cannot unmarshal array into Go value"
        );
    }
}
