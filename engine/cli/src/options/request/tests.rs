//! Command lines in, request bodies out.

use clap::{Args, FromArgMatches};

use super::*;

fn flags(words: &[&str]) -> CreateFlags {
    let command = crate::usage::adapt(CreateFlags::augment_args(clap::Command::new("create")));
    let matches = command
        .try_get_matches_from(std::iter::once(&"create").chain(words))
        .unwrap();
    CreateFlags::from_arg_matches(&matches).unwrap()
}

fn body(words: &[&str]) -> Value {
    plan(&flags(words), "busybox", &[], None, Use::default())
        .unwrap()
        .body
}

fn refusal(words: &[&str]) -> String {
    plan(&flags(words), "busybox", &[], None, Use::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn nothing_said_is_nothing_sent() {
    assert_eq!(
        body(&[]),
        json!({
            "AttachStdout": true, "AttachStderr": true, "Image": "busybox",
            "HostConfig": {
                "NetworkMode": "default",
                "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            },
        })
    );
}

#[test]
fn everyday_flags() {
    let body = body(&[
        "-it",
        "--rm",
        "--name",
        "web",
        "-p",
        "127.0.0.1:8080:80",
        "-v",
        "/a:/b:ro",
        "-v",
        "/anon",
        "-e",
        "A=b",
        "-l",
        "x=y",
        "-m",
        "64m",
        "--cpus=1.5",
        "-u",
        "1:2",
        "-w",
        "/w",
        "--entrypoint",
        "",
        "--network=host",
        "--init",
        "--privileged=false",
    ]);
    assert_eq!(body["Tty"], true);
    assert_eq!(body["StdinOnce"], true);
    assert_eq!(body["AttachStdin"], true);
    assert_eq!(body["Env"], json!(["A=b"]));
    assert_eq!(body["Labels"], json!({"x": "y"}));
    assert_eq!(body["Volumes"], json!({"/anon": {}}));
    assert_eq!(body["Entrypoint"], json!([""]));
    assert_eq!(body["ExposedPorts"], json!({"80/tcp": {}}));
    assert_eq!(body["User"], "1:2");
    let host = &body["HostConfig"];
    assert_eq!(host["AutoRemove"], true);
    assert_eq!(host["Binds"], json!(["/a:/b:ro"]));
    assert_eq!(host["Memory"], 64 << 20);
    assert_eq!(host["NanoCpus"], 1_500_000_000);
    assert_eq!(host["NetworkMode"], "host");
    assert_eq!(host["Init"], true);
    assert_eq!(host["Privileged"], Value::Null);
    assert_eq!(
        host["PortBindings"]["80/tcp"],
        json!([{"HostIp": "127.0.0.1", "HostPort": "8080"}])
    );
    assert_eq!(body.get("NetworkingConfig"), None);
}

#[test]
fn a_detached_container_is_attached_to_nothing() {
    let usage = Use {
        detached: true,
        ..Use::default()
    };
    let plan = plan(&flags(&["-i"]), "busybox", &[], None, usage).unwrap();
    assert_eq!(plan.attach, Attach::default());
    assert_eq!(plan.body["OpenStdin"], true);
    assert_eq!(plan.body.get("StdinOnce"), None);
}

#[test]
fn aliases_and_addresses_go_to_the_network() {
    let body = body(&[
        "--network",
        "net",
        "--network-alias",
        "a",
        "--ip",
        "10.0.0.2",
    ]);
    assert_eq!(
        body["NetworkingConfig"]["EndpointsConfig"],
        json!({"net": {"Aliases": ["a"], "IPAMConfig": {"IPv4Address": "10.0.0.2"}}})
    );
    assert_eq!(body["HostConfig"]["NetworkMode"], "net");
}

#[test]
fn health_checks() {
    let checked = body(&[
        "--health-cmd",
        "true",
        "--health-interval",
        "5s",
        "--health-retries=2",
    ]);
    assert_eq!(
        checked["Healthcheck"],
        json!({"Test": ["CMD-SHELL", "true"], "Interval": 5_000_000_000i64, "Retries": 2})
    );
    assert_eq!(
        body(&["--no-healthcheck"])["Healthcheck"],
        json!({"Test": ["NONE"]})
    );
    assert_eq!(
        refusal(&["--no-healthcheck", "--health-cmd", "a"]),
        "--no-healthcheck conflicts with --health-* options"
    );
}

#[test]
fn security_options() {
    let opened = body(&["--security-opt", "systempaths=unconfined"]);
    assert_eq!(opened["HostConfig"]["MaskedPaths"], json!([]));
    assert_eq!(opened["HostConfig"].get("SecurityOpt"), None);
    let kept = body(&[
        "--security-opt",
        "no-new-privileges",
        "--security-opt",
        "seccomp=unconfined",
    ]);
    assert_eq!(
        kept["HostConfig"]["SecurityOpt"],
        json!(["no-new-privileges", "seccomp=unconfined"])
    );
    assert_eq!(
        refusal(&["--security-opt", "seccomp=/nope"]),
        "opening seccomp profile (/nope) failed: open /nope: no such file or directory"
    );
    assert_eq!(
        refusal(&["--security-opt", "foo"]),
        "Invalid --security-opt: \"foo\""
    );
}

#[test]
fn contradictions_are_refused_in_dockers_words() {
    let check = |words: &[&str], expected: &str| assert_eq!(refusal(words), expected);
    check(
        &["--rm", "--restart", "always"],
        "conflicting options: cannot specify both --restart and --rm",
    );
    check(&["--pid", "foo"], "--pid: invalid PID mode");
    check(&["--cgroupns", "foo"], "--cgroupns: invalid CGROUP mode");
    check(
        &["--memory-swappiness", "101"],
        "invalid value: 101. Valid memory swappiness range is 0-100",
    );
    check(
        &["--log-driver", "none", "--log-opt", "a=b"],
        "invalid logging opts for driver none",
    );
    check(&["--storage-opt", "foo"], "invalid storage option");
    check(&["--mac-address", "foo"], "foo is not a valid mac address");
    check(&["--network="], "no name set for network");
    check(&["-p", "x"], "invalid containerPort: x");
    check(&["--device", ""], "bad format for path: ");
}

#[test]
fn proxies_of_the_configuration_do_not_replace_the_persons_own() {
    let proxy = Proxy {
        http_proxy: "http://p".into(),
        no_proxy: "x".into(),
        ..Proxy::default()
    };
    let plan = plan(
        &flags(&["-e", "HTTP_PROXY=mine"]),
        "busybox",
        &[],
        Some(&proxy),
        Use::default(),
    )
    .unwrap();
    assert_eq!(
        plan.body["Env"],
        json!([
            "HTTP_PROXY=mine",
            "http_proxy=http://p",
            "NO_PROXY=x",
            "no_proxy=x"
        ])
    );
}
