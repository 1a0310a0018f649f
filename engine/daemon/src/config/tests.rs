use serde_json::json;

use super::*;

fn around() -> Surroundings {
    Surroundings {
        insecure_tcp: false,
        shim: PathBuf::from("/usr/libexec/dhow/dhow-shim"),
    }
}

fn config(file: serde_json::Value) -> Result<Config, String> {
    parse_file(&file.to_string())
        .and_then(|settings| Config::new(settings, &around()))
        .map_err(|e| e.to_string())
}

#[track_caller]
fn refused(file: serde_json::Value, words: &str) {
    let error = config(file).unwrap_err();
    assert!(error.contains(words), "{error:?} does not say {words:?}");
    assert!(!error.contains('\n'), "{error:?} is more than a line");
}

#[test]
fn nothing_said_is_a_whole_configuration() {
    let config = config(json!({})).unwrap();
    assert_eq!(config.hosts, [Host::Unix("/run/dhow.sock".into())]);
    assert_eq!(config.pidfile, Path::new("/run/dhow/dhowd.pid"));
    assert_eq!(config.engine.data_root, Path::new("/var/lib/dhow"));
    assert_eq!(
        (
            config.engine.bridge.as_str(),
            config.engine.nft_table.as_str()
        ),
        ("dhow0", "dhow")
    );
    assert_eq!(config.engine.shm_size, 64 << 20);
    assert!(config.live_restore && config.tls.is_none());
    assert_eq!(parse_file(" \n").unwrap(), Settings::default());
}

#[test]
fn another_engine_gets_other_names() {
    let config = config(json!({"bridge": "dhow1", "exec-root": "/run/two"})).unwrap();
    assert_eq!(config.engine.nft_table, "dhow-dhow1");
    assert_eq!(config.pidfile, Path::new("/run/two/dhowd.pid"));
}

#[test]
fn every_wrong_value_is_named() {
    refused(json!({"bogus": 1}), "bogus");
    refused(json!({"log-level": "loud"}), "loud");
    refused(json!({"log-format": "xml"}), "xml");
    refused(json!({"hosts": ["carrier-pigeon://"]}), "carrier-pigeon://");
    refused(
        json!({"hosts": ["unix:///a", "unix:///a"]}),
        "more than once",
    );
    refused(json!({"data-root": "here"}), "data-root: here");
    refused(json!({"bip": "10.0.0.1"}), "bip");
    refused(json!({"mtu": 10}), "mtu");
    refused(json!({"ip": "nowhere"}), "ip: nowhere");
    refused(json!({"dns": ["x"]}), "dns: x");
    refused(json!({"labels": ["x"]}), "bad attribute format: x");
    refused(json!({"log-driver": "syslog"}), "syslog");
    refused(json!({"default-shm-size": "big"}), "default-shm-size");
    refused(json!({"registry-mirrors": ["m"]}), "invalid mirror m");
    refused(
        json!({"max-concurrent-downloads": 0}),
        "max-concurrent-downloads",
    );
    refused(json!({"iptables": false}), "iptables");
    refused(json!({"storage-driver": "zfs"}), "zfs");
    refused(json!({"cgroup-parent": "/a/../.."}), "cgroup-parent");
    assert_eq!(
        parse_file("{").unwrap_err().to_string(),
        "not valid JSON: EOF while parsing an object at line 1 column 1"
    );
}

#[test]
fn flags_and_file_must_not_speak_of_the_same() {
    let flags = Settings {
        hosts: Some(vec!["fd://".to_owned()]),
        ..Settings::default()
    };
    let file = parse_file(r#"{"hosts": ["unix:///a"], "debug": true}"#).unwrap();
    assert_eq!(
        merge(flags, file.clone()).unwrap_err().to_string(),
        "the following directives are specified both as a flag and in the configuration file: \
         hosts: (from flag: [\"fd://\"], from file: [\"unix:///a\"])"
    );
    assert_eq!(merge(Settings::default(), file.clone()).unwrap(), file);
}

#[test]
fn plain_tcp_for_others_must_be_told_twice() {
    let host = "tcp://0.0.0.0:2375";
    let new = |file: serde_json::Value, insecure_tcp| {
        let around = Surroundings {
            insecure_tcp,
            ..around()
        };
        Config::new(parse_file(&file.to_string()).unwrap(), &around)
    };
    let once = json!({"hosts": [host]});
    let flagged = json!({"hosts": [host], "allow-insecure-tcp": true});
    assert!(
        new(once.clone(), false)
            .unwrap_err()
            .to_string()
            .contains(host)
    );
    assert!(new(once, true).is_err());
    assert!(new(flagged.clone(), false).is_err());
    assert!(new(flagged, true).is_ok());
    assert!(new(json!({"hosts": ["tcp://127.0.0.1:2375"]}), false).is_ok());
    assert!(new(json!({"hosts": [host], "tls": true}), false).is_err());
    let verified = new(
        json!({"hosts": ["tcp://0.0.0.0"], "tlsverify": true}),
        false,
    )
    .unwrap();
    assert_eq!(verified.hosts[0].to_string(), "tcp://0.0.0.0:2376");
    assert!(verified.tls.unwrap().client_authority.is_some());
}

#[test]
fn a_reload_takes_what_can_change_and_names_the_rest() {
    let old = config(json!({"labels": ["a=1"], "mtu": 1400})).unwrap();
    let new = config(json!({
        "labels": ["a=2"], "debug": true, "mtu": 9000, "bridge": "other0",
        "registry-mirrors": ["https://m.test"], "shutdown-timeout": -1,
        "proxies": {"https-proxy": "http://p.test"},
    }))
    .unwrap();
    let (merged, ignored) = old.reloaded(new, &around()).unwrap();
    assert_eq!(ignored, ["bridge", "mtu", "nft-table", "https-proxy"]);
    assert_eq!(merged.engine.labels, ["a=2"]);
    assert_eq!(
        merged.engine.registries.mirrors["docker.io"],
        ["https://m.test"]
    );
    assert_eq!(merged.engine.registries.proxies.https, None);
    assert_eq!(
        (merged.log_level, merged.engine.debug),
        (LogLevel::Debug, true)
    );
    assert_eq!(merged.shutdown_timeout, None);
    assert_eq!(
        (merged.engine.mtu, merged.engine.bridge.as_str()),
        (1400, "dhow0")
    );
    let (same, ignored) = merged.clone().reloaded(merged, &around()).unwrap();
    assert!(ignored.is_empty() && same.engine.debug);
}
