//! Starting, being refused, listening, going.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::daemon::{Daemon, Place, dhowd, get_tcp, get_unix, refused, write};

#[test]
fn serves_and_leaves_nothing() {
    let place = Place::new();
    let daemon = place.start(&["--log-format", "json", "-H", "tcp://127.0.0.1:0"]);
    let mode = std::fs::metadata(&daemon.socket)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o660);
    assert!(daemon.get("/_ping").ends_with("\r\n\r\nOK"));
    let address = daemon.log();
    let address = address
        .split("tcp://")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(get_tcp(address, "/v1.24/_ping").ends_with("OK"));
    for line in daemon.log().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            line["level"].is_string() && line["message"].is_string(),
            "{line}"
        );
    }
    let (socket, pid) = (daemon.socket.clone(), place.path("exec/dhowd.pid"));
    assert!(pid.exists());
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!socket.exists() && !pid.exists());
}

#[test]
fn one_engine_per_root() {
    let place = Place::new();
    let mut daemon = place.start(&[]);
    refused(
        {
            let mut command = place.command();
            command.args(["-H", "unix:///nowhere/x.sock"]);
            command
        },
        "is in use by another dhowd",
    );
    // Roots of its own, but the other's socket, or its pid file.
    let other = Place::new();
    let mut command = other.command();
    command
        .arg("-H")
        .arg(format!("unix://{}", daemon.socket.display()));
    refused_after_start(command, "another daemon is listening there");
    let mut command = other.command();
    command.arg("-p").arg(place.path("exec/dhowd.pid"));
    refused(command, "is still running");
    daemon.wait_for("initialization");
    assert!(
        daemon.get("/_ping").ends_with("OK"),
        "the first is unharmed"
    );
    assert_eq!(daemon.stop().code(), Some(0));
}

/// As [`refused`], where warnings may have been logged before.
#[track_caller]
fn refused_after_start(mut command: Command, words: &str) {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let last = text.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("dhowd: ") && last.contains(words),
        "{text}"
    );
}

#[test]
fn a_killed_daemon_is_followed_by_another() {
    let place = Place::new();
    place.start(&[]).kill();
    assert!(place.path("dhow.sock").exists() && place.path("exec/dhowd.pid").exists());
    let daemon = place.start(&[]);
    assert!(daemon.get("/_ping").ends_with("OK"));
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn wrong_flags_and_keys_start_nothing() {
    let place = Place::new();
    let file = place.path("daemon.json");
    let with_file = |text: &str| {
        write(&file, text);
        let mut command = place.command();
        command.arg("--config-file").arg(&file);
        command
    };
    let with = |arguments: &[&str]| {
        let mut command = place.command();
        command.args(arguments);
        command
    };
    refused(with(&["--bogus"]), "--bogus");
    refused(with(&["--log-level", "loud"]), "loud");
    refused(with(&["-H", "tcp://0.0.0.0:0"]), "tcp://0.0.0.0:0");
    refused(
        with(&["-H", "tcp://0.0.0.0:0", "--allow-insecure-tcp"]),
        "DHOW_ALLOW_INSECURE_TCP",
    );
    refused(
        with(&["--config-file", "/nowhere/daemon.json"]),
        "/nowhere/daemon.json",
    );
    refused(with_file(r#"{"bogus": 1}"#), "bogus");
    refused(with_file("{"), "not valid JSON");
    refused(with_file(r#"{"bridge": "x"}"#), "bridge");
    assert!(!place.path("data").exists(), "something was started");
}

#[test]
fn validates_without_starting() {
    let place = Place::new();
    let mut command = place.command();
    let output = command.arg("--validate").output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(0), b"configuration OK\n".as_slice())
    );
    assert!(!place.path("data").exists());
    let mut command = dhowd();
    command.args(["--validate", "--mtu", "3"]);
    refused(command, "mtu");
    let version = dhowd().arg("--version").output().unwrap();
    assert_eq!(version.status.code(), Some(0));
    assert!(version.stdout.starts_with(b"dhowd "));
}

#[test]
fn remote_tcp_told_twice_is_served() {
    let place = Place::new();
    let mut command = place.command();
    command
        .args(["-H", "tcp://0.0.0.0:0", "--allow-insecure-tcp"])
        .env("DHOW_ALLOW_INSECURE_TCP", "1");
    let daemon = Daemon::spawn(command, place.path("none"), place.path("log"));
    assert!(daemon.log().contains("WARN"));
    let port = daemon.log();
    let port = port
        .split("API listen on tcp://0.0.0.0:")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    assert!(get_tcp(&format!("127.0.0.1:{port}"), "/_ping").ends_with("OK"));
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn takes_sockets_from_whoever_starts_it() {
    let place = Place::new();
    let socket = place.path("activated.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    // The shell moves the socket to descriptor 3 and becomes the daemon, so
    // that LISTEN_PID is right.
    let daemon = place.command();
    let script = r#"exec 3<&0 0</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@""#;
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(daemon.get_program())
        .args(daemon.get_args());
    command.args(["-H", "fd://"]);
    let log = place.path("log");
    let mut child = command
        .stdin(OwnedFd::from(listener))
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    // The listener's last copy here, so that a daemon that fails is noticed.
    drop(command);
    let answer = get_unix(&socket, "/_ping");
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let status = child.wait().unwrap();
    assert!(answer.ends_with("OK"), "{answer}");
    assert_eq!(
        status.code(),
        Some(0),
        "{}",
        std::fs::read_to_string(&log).unwrap()
    );
    assert!(socket.exists(), "the socket is not ours to remove");

    let mut command = place.command();
    command.args(["-H", "fd://"]);
    refused_after_start(command, "no socket was passed");
}
