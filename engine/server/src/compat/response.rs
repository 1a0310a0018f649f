//! Answers: fields that older API versions had or did not have.

use serde_json::{Map, Value, json};

use crate::version::ApiVersion;

/// `GET /images/json`.
pub(crate) fn images(mut list: Value, version: ApiVersion) -> Value {
    for image in objects(&mut list) {
        if !version.at_least(44) {
            copy(image, "Size", "VirtualSize");
        }
        if !version.at_least(43) {
            none_if_empty(image, "RepoTags", "<none>:<none>");
            none_if_empty(image, "RepoDigests", "<none>@<none>");
        }
        if !version.at_least(47) {
            image.shift_remove("Manifests");
        }
        if !version.at_least(48) {
            image.shift_remove("Descriptor");
        }
    }
    list
}

/// `GET /images/{name}/json`.
pub(crate) fn image(mut value: Value, version: ApiVersion) -> Value {
    let Some(image) = value.as_object_mut() else {
        return value;
    };
    if !version.at_least(44) {
        copy(image, "Size", "VirtualSize");
    }
    if !version.at_least(45) {
        image.entry("Container").or_insert(json!(""));
        image.entry("ContainerConfig").or_insert(json!({}));
    }
    if !version.at_least(48) {
        image.shift_remove("Descriptor");
        image.shift_remove("Manifests");
    }
    if !version.at_least(50) {
        // Container settings that an image never has, but that the shared
        // type carried until 1.50.
        if let Some(config) = image.get_mut("Config").and_then(Value::as_object_mut) {
            for key in ["Hostname", "Domainname", "Image", "User", "WorkingDir"] {
                config.entry(key).or_insert(json!(""));
            }
            for key in ["Entrypoint", "OnBuild", "Volumes"] {
                config.entry(key).or_insert(Value::Null);
            }
            for key in [
                "AttachStdin",
                "AttachStdout",
                "AttachStderr",
                "Tty",
                "OpenStdin",
                "StdinOnce",
            ] {
                config.entry(key).or_insert(json!(false));
            }
        }
    }
    if !version.at_least(52) {
        for key in ["Parent", "Comment", "DockerVersion", "Author"] {
            image.entry(key).or_insert(json!(""));
        }
    }
    if !version.at_least(53) {
        image.shift_remove("Identity");
    }
    value
}

/// `GET /containers/json`.
pub(crate) fn containers(mut list: Value, version: ApiVersion) -> Value {
    for container in objects(&mut list) {
        if !version.at_least(46)
            && let Some(host) = container
                .get_mut("HostConfig")
                .and_then(Value::as_object_mut)
        {
            host.shift_remove("Annotations");
        }
        if !version.at_least(48) {
            container.shift_remove("ImageManifestDescriptor");
        }
        if !version.at_least(52) {
            container.shift_remove("Health");
        }
        endpoints(container, version);
    }
    list
}

/// `GET /containers/{id}/json`.
pub(crate) fn container(mut value: Value, version: ApiVersion) -> Value {
    let Some(container) = value.as_object_mut() else {
        return value;
    };
    if !version.at_least(43)
        && let Some(host) = container
            .get_mut("HostConfig")
            .and_then(Value::as_object_mut)
    {
        host.shift_remove("Annotations");
    }
    if !version.at_least(48) {
        container.shift_remove("ImageManifestDescriptor");
    }
    endpoints(container, version);
    if !version.at_least(52) {
        if let Some(settings) = container
            .get_mut("NetworkSettings")
            .and_then(Value::as_object_mut)
        {
            default_bridge(settings);
        }
        let mac = container
            .get("NetworkSettings")
            .and_then(|s| s.get("MacAddress"))
            .cloned();
        if let (Some(mac), Some(config)) = (
            mac,
            container.get_mut("Config").and_then(Value::as_object_mut),
        ) && !version.at_least(44)
        {
            config.entry("MacAddress").or_insert(mac);
        }
    }
    value
}

/// What the endpoints of a container learned to tell.
fn endpoints(container: &mut Map<String, Value>, version: ApiVersion) {
    let networks = container
        .get_mut("NetworkSettings")
        .and_then(|settings| settings.get_mut("Networks"))
        .and_then(Value::as_object_mut);
    let endpoints = networks.into_iter().flatten().map(|(_, endpoint)| endpoint);
    for endpoint in endpoints.filter_map(Value::as_object_mut) {
        if !version.at_least(44) {
            endpoint.shift_remove("DNSNames");
        }
        if !version.at_least(48) {
            endpoint.shift_remove("GwPriority");
        }
    }
}

/// Until 1.52 the default bridge's endpoint was told twice.
fn default_bridge(settings: &mut Map<String, Value>) {
    let bridge = settings
        .get("Networks")
        .and_then(|n| n.get("bridge"))
        .cloned();
    let of_bridge = |key: &str| {
        bridge
            .as_ref()
            .and_then(|b| b.get(key))
            .filter(|v| !v.is_null())
            .cloned()
    };
    for key in [
        "EndpointID",
        "Gateway",
        "GlobalIPv6Address",
        "IPAddress",
        "IPv6Gateway",
        "MacAddress",
    ] {
        let value = of_bridge(key).unwrap_or_else(|| json!(""));
        settings.entry(key).or_insert(value);
    }
    for key in ["GlobalIPv6PrefixLen", "IPPrefixLen"] {
        let value = of_bridge(key).unwrap_or_else(|| json!(0));
        settings.entry(key).or_insert(value);
    }
    settings.entry("Bridge").or_insert(json!(""));
    settings.entry("HairpinMode").or_insert(json!(false));
    settings.entry("LinkLocalIPv6Address").or_insert(json!(""));
    settings.entry("LinkLocalIPv6PrefixLen").or_insert(json!(0));
    settings
        .entry("SecondaryIPAddresses")
        .or_insert(Value::Null);
    settings
        .entry("SecondaryIPv6Addresses")
        .or_insert(Value::Null);
}

/// One message of `GET /events`.
pub(crate) fn event(mut value: Value, version: ApiVersion) -> Value {
    if version.at_least(52) {
        return value;
    }
    let Some(event) = value.as_object_mut() else {
        return value;
    };
    let kind = event
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if kind != "container" && kind != "image" {
        return value;
    }
    let actor = event.get("Actor").cloned().unwrap_or_default();
    if kind == "container"
        && let Some(image) = actor.pointer("/Attributes/image")
    {
        event.insert("from".to_owned(), image.clone());
    }
    if let Some(id) = actor.get("ID") {
        event.insert("id".to_owned(), id.clone());
    }
    copy(event, "Action", "status");
    value
}

/// `GET /system/df`: since 1.52 sums per kind, before that the plain lists.
pub(crate) fn disk_usage(mut value: Value, version: ApiVersion) -> Value {
    if version.at_least(52) {
        return value;
    }
    let mut take = |kind: &str, field: &str| {
        value
            .get_mut(kind)
            .and_then(|v| v.get_mut(field))
            .map(Value::take)
    };
    let mut old = Map::new();
    old.insert(
        "LayersSize".to_owned(),
        take("ImageUsage", "TotalSize").unwrap_or_else(|| json!(0)),
    );
    for (kind, name) in [
        ("ImageUsage", "Images"),
        ("ContainerUsage", "Containers"),
        ("VolumeUsage", "Volumes"),
        ("BuildCacheUsage", "BuildCache"),
    ] {
        let list = take(kind, "Items")
            .filter(|v| !v.is_null())
            .unwrap_or_else(|| json!([]));
        old.insert(name.to_owned(), list);
    }
    if let Some(list) = old.get_mut("Images") {
        *list = images(list.take(), version);
    }
    if let Some(list) = old.get_mut("Containers") {
        *list = containers(list.take(), version);
    }
    if !version.at_least(42) {
        old.insert("BuilderSize".to_owned(), json!(0));
    }
    Value::Object(old)
}

fn objects(list: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

fn copy(object: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = object.get(from).cloned() {
        object.insert(to.to_owned(), value);
    }
}

fn none_if_empty(object: &mut Map<String, Value>, key: &str, none: &str) {
    let empty = object
        .get(key)
        .is_none_or(|v| v.as_array().is_none_or(Vec::is_empty));
    if empty {
        object.insert(key.to_owned(), json!([none]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(minor: u32) -> ApiVersion {
        ApiVersion::new(1, minor)
    }

    #[test]
    fn image_lists_change_with_the_version() {
        let list = json!([{"Id": "sha256:a", "Size": 7, "RepoTags": [], "RepoDigests": [], "Descriptor": {}}]);
        assert_eq!(images(list.clone(), v(55)), list);
        assert_eq!(
            images(list, v(41)),
            json!([{"Id": "sha256:a", "Size": 7, "VirtualSize": 7, "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}])
        );
    }

    #[test]
    fn the_default_bridge_is_told_twice_to_old_clients() {
        let inspect = json!({"NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "IPPrefixLen": 16}}}});
        assert_eq!(container(inspect.clone(), v(52)), inspect);
        let old = container(inspect, v(51));
        assert_eq!(old["NetworkSettings"]["IPAddress"], "172.17.0.2");
        assert_eq!(old["NetworkSettings"]["IPPrefixLen"], 16);
        assert_eq!(old["NetworkSettings"]["Gateway"], "");
    }

    #[test]
    fn events_had_three_more_fields() {
        let message = json!({"Type": "container", "Action": "start", "Actor": {"ID": "c", "Attributes": {"image": "busybox"}}});
        assert_eq!(event(message.clone(), v(52)), message);
        let old = event(message, v(41));
        assert_eq!(
            (&old["status"], &old["id"], &old["from"]),
            (&json!("start"), &json!("c"), &json!("busybox"))
        );
        let network = json!({"Type": "network", "Action": "connect", "Actor": {"ID": "n"}});
        assert_eq!(event(network.clone(), v(41)), network);
    }

    #[test]
    fn disk_usage_was_lists() {
        let new = json!({"ImageUsage": {"TotalSize": 5, "Items": [{"Id": "i", "Size": 5}]}, "VolumeUsage": {"Items": null}});
        assert_eq!(disk_usage(new.clone(), v(52)), new);
        let old = disk_usage(new, v(51));
        assert_eq!(old["LayersSize"], 5);
        assert_eq!(old["Images"][0]["Id"], "i");
        assert_eq!(old["Volumes"], json!([]));
        assert_eq!(old["BuildCache"], json!([]));
    }
}
