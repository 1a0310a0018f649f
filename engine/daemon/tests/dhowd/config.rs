//! The configuration file through the API: `/dhow/config`.

use std::process::Command;

use serde_json::{Value, json};

use crate::daemon::{Daemon, Place, write};

fn put(daemon: &Daemon, query: &str, text: &str, version: &Value) -> (u16, Value) {
    let change = json!({ "Text": text, "Version": version });
    daemon.send("PUT", &format!("/dhow/config{query}"), &change.to_string())
}

fn get(daemon: &Daemon) -> Value {
    let (status, config) = daemon.send("GET", "/dhow/config", "");
    assert_eq!(status, 200, "{config}");
    config
}

fn key<'a>(config: &'a Value, name: &str) -> &'a Value {
    let mut keys = config["Keys"].as_array().unwrap().iter();
    keys.find(|key| key["Name"] == name).unwrap()
}

/// What the engine itself says it goes by.
fn labels(daemon: &Daemon) -> Value {
    daemon.send("GET", "/info", "").1["Labels"].clone()
}

#[test]
fn a_change_is_checked_written_and_in_effect() {
    let place = Place::new();
    let file = place.path("daemon.json");
    write(&file, r#"{"labels": ["color=red"]}"#);
    let daemon = place.start(&["--config-file", &file.display().to_string()]);

    let config = get(&daemon);
    assert_eq!(config["Path"], json!(file));
    assert_eq!(config["Text"], r#"{"labels": ["color=red"]}"#);
    assert_eq!(config["Writable"], true);
    assert_eq!(
        *key(&config, "labels"),
        json!({
            "Name": "labels", "Kind": "list", "Live": true, "Flag": false,
            "Value": ["color=red"], "Help": "Labels of this engine",
        })
    );
    assert_eq!(key(&config, "data-root")["Flag"], true);
    assert_eq!(key(&config, "mtu")["Value"], 1500);
    assert_eq!(key(&config, "proxies.http-proxy")["Value"], Value::Null);

    // Only checked: nothing is written, nothing changes.
    let text = r#"{"labels": ["color=blue"], "mtu": 1400, "registry-mirrors": ["https://m.test"]}"#;
    let (status, dry) = put(&daemon, "?dry=1", text, &config["Version"]);
    assert_eq!(
        (status, &dry["Live"], &dry["Restart"]),
        (200, &json!(["labels", "registry-mirrors"]), &json!(["mtu"]))
    );
    assert_eq!(get(&daemon)["Text"], config["Text"]);
    assert_eq!(labels(&daemon), json!(["color=red"]));

    let (status, outcome) = put(&daemon, "", text, &config["Version"]);
    assert_eq!((status, &outcome), (200, &dry));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    assert_eq!(labels(&daemon), json!(["color=blue"]));
    let info = daemon.send("GET", "/info", "").1;
    assert_eq!(
        info["RegistryConfig"]["Mirrors"],
        json!(["https://m.test/"]),
        "as Docker shows them"
    );
    let config = get(&daemon);
    assert_eq!(config["Version"], outcome["Version"]);
    assert_eq!(key(&config, "mtu")["Value"], 1500, "until a restart");
    assert_eq!(daemon.stop().code(), Some(0));

    let daemon = place.start(&["--config-file", &file.display().to_string()]);
    assert_eq!(key(&get(&daemon), "mtu")["Value"], 1400);
}

#[test]
fn what_is_wrong_is_named_and_loses_nothing() {
    let place = Place::new();
    let file = place.path("daemon.json");
    let text = r#"{"debug": true}"#;
    write(&file, text);
    let daemon = place.start(&["--config-file", &file.display().to_string()]);
    let version = get(&daemon)["Version"].clone();
    for (wrong, words) in [
        (
            "{",
            "not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        ("[]", "not valid JSON: it must be an object"),
        (r#"{"bogus": 1}"#, "any configuration option: bogus"),
        (r#"{"mtu": 3}"#, "mtu: 3 is not between 68 and 65535"),
        (
            r#"{"data-root": "/a"}"#,
            "both as a flag and in the configuration file: data-root",
        ),
    ] {
        for query in ["", "?dry=1"] {
            let (status, answer) = put(&daemon, query, wrong, &version);
            let message = answer["message"].as_str().unwrap();
            assert!(
                status == 400 && message.contains(words),
                "{status} {message}"
            );
        }
    }
    let (status, _) = daemon.send("PUT", "/dhow/config", r#"{"Txt": "{}"}"#);
    assert_eq!(status, 400);
    let (status, _) = daemon.send("PUT", "/dhow/config", "");
    assert_eq!(status, 400);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);

    // Somebody else was quicker.
    write(&file, r#"{"debug": false}"#);
    let (status, answer) = put(&daemon, "", "{}", &version);
    assert_eq!(status, 409);
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.ends_with("daemon.json has changed meanwhile"),
        "{message}"
    );
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        r#"{"debug": false}"#
    );
}

/// The description and the answers have the same fields.
#[test]
fn the_description_is_true() {
    let place = Place::new();
    let file = place.path("daemon.json");
    write(&file, "{}");
    let daemon = place.start(&["--config-file", &file.display().to_string()]);
    let (status, description) = daemon.send("GET", "/dhow/openapi.json", "");
    assert_eq!(status, 200);
    let described = |name: &str| {
        let properties = &description["components"]["schemas"][name]["properties"];
        let names: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
        names
    };
    let answered = |value: &Value| {
        let names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        names
    };
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let config = get(&daemon);
    let (_, outcome) = put(&daemon, "?dry=1", "{}", &config["Version"]);
    let (_, error) = put(&daemon, "?dry=1", "", &json!("other"));
    for (name, value) in [
        ("Config", &config),
        ("ConfigKey", key(&config, "mtu")),
        ("ConfigOutcome", &outcome),
        ("Error", &error),
    ] {
        assert_eq!(sorted(described(name)), sorted(answered(value)), "{name}");
    }
}

/// The daemon sees the file's folder read-only, and nobody else does.
#[test]
fn what_cannot_be_written_is_not_in_effect() {
    let place = Place::new();
    let folder = place.path("fixed");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("daemon.json");
    write(&file, r#"{"labels": ["color=red"]}"#);
    let socket = place.path("dhow.sock");
    let daemon = place.command();
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script])
        .arg(&folder)
        .arg(daemon.get_program())
        .args(daemon.get_args())
        .arg(format!("--host=unix://{}", socket.display()))
        .arg(format!("--config-file={}", file.display()));
    let daemon = Daemon::spawn(command, socket, place.path("log"));

    let config = get(&daemon);
    assert_eq!(config["Writable"], false);
    let (status, answer) = put(
        &daemon,
        "",
        r#"{"labels": ["color=blue"]}"#,
        &config["Version"],
    );
    let message = answer["message"].as_str().unwrap();
    assert!(
        status == 500 && message.contains("daemon.json"),
        "{message}"
    );
    assert_eq!(labels(&daemon), json!(["color=red"]));
    assert_eq!(get(&daemon)["Text"], config["Text"]);
}
