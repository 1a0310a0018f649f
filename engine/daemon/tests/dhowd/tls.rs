//! Mutual TLS, with certificates and a client of OpenSSL's.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::daemon::{Daemon, Place, refused};

/// Runs openssl in `dir`.
fn openssl(dir: &Path, line: &str) {
    let output = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(dir)
        .output()
        .expect("this test needs the program openssl");
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// An authority, a server's certificate and a client's; and a stranger's.
fn certificates(dir: &Path) {
    std::fs::write(
        dir.join("server.ext"),
        "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n",
    )
    .unwrap();
    std::fs::write(dir.join("client.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for authority in ["ca", "other"] {
        openssl(
            dir,
            &format!(
                "req -x509 {curve} -keyout {authority}-key.pem -out {authority}.pem -subj /CN={authority} -days 2"
            ),
        );
    }
    for (name, authority) in [("server", "ca"), ("client", "ca"), ("stranger", "other")] {
        let extensions = if name == "server" {
            "server.ext"
        } else {
            "client.ext"
        };
        openssl(
            dir,
            &format!("req {curve} -keyout {name}-key.pem -out {name}.csr -subj /CN={name}"),
        );
        openssl(
            dir,
            &format!(
                "x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}-key.pem -CAcreateserial \
                 -out {name}.pem -days 2 -extfile {extensions}"
            ),
        );
    }
}

/// What the daemon answers to a ping by `name`, if anything.
fn ping(dir: &Path, address: &str, name: Option<&str>) -> String {
    let mut command = Command::new("openssl");
    command.args([
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-CAfile",
        "ca.pem",
        "-connect",
        address,
    ]);
    if let Some(name) = name {
        command.args([
            "-cert",
            &format!("{name}.pem"),
            "-key",
            &format!("{name}-key.pem"),
        ]);
    }
    let mut child = command
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let request = b"GET /_ping HTTP/1.1\r\nHost: dhow\r\nConnection: close\r\n\r\n";
    let mut stdin = child.stdin.take().unwrap();
    // A stranger's connection may be gone before the request is written.
    let _refused_already = stdin.write_all(request);
    let Output { stdout, .. } = child.wait_with_output().unwrap();
    drop(stdin);
    String::from_utf8_lossy(&stdout).into_owned()
}

#[test]
fn lets_in_whom_the_authority_signed() {
    let place = Place::new();
    let dir = place.dir.path();
    certificates(dir);
    let mut command = place.command();
    command.args(["-H", "tcp://127.0.0.1:0", "--tlsverify"]);
    for (flag, file) in [
        ("--tlscacert", "ca.pem"),
        ("--tlscert", "server.pem"),
        ("--tlskey", "server-key.pem"),
    ] {
        command.arg(flag).arg(dir.join(file));
    }
    let daemon = Daemon::spawn(command, place.path("none"), place.path("log"));
    let address = daemon.tcp_address();
    assert!(ping(dir, &address, Some("client")).ends_with("OK"));
    assert!(!ping(dir, &address, Some("stranger")).contains("OK"));
    assert!(!ping(dir, &address, None).contains("OK"));
    assert!(ping(dir, &address, Some("client")).ends_with("OK"));
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn names_the_file_it_cannot_use() {
    let place = Place::new();
    let mut command = place.command();
    command.args([
        "-H",
        "tcp://127.0.0.1:0",
        "--tls",
        "--tlscert",
        "/nowhere/cert.pem",
    ]);
    command.args(["--tlskey", "/nowhere/key.pem"]);
    refused(command, "/nowhere/key.pem");
}
