//! Engines that are not on a socket: over TCP with TLS, and through ssh.

use std::path::Path;

use dhow_testkit::certificate::{Authority, Certificate};
use dhow_testkit::{Engine, SshServer, program, until};

use crate::both::Client;

/// An engine that lets in on TCP whom its authority signed.
struct Guarded {
    engine: Engine,
    address: String,
    authority: Authority,
    client: Certificate,
    stranger: Certificate,
    place: tempfile::TempDir,
}

impl Guarded {
    fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        let authority = Authority::new(&place.path().join("ca"));
        let server = authority.issue("server");
        let client = authority.issue("client");
        let stranger = Authority::new(&place.path().join("other")).issue("stranger");
        let path = |path: &Path| path.display().to_string();
        let engine = Engine::options()
            .argument("--host=tcp://127.0.0.1:0")
            .argument("--tlsverify")
            .argument(&format!("--tlscacert={}", path(&authority.certificate())))
            .argument(&format!("--tlscert={}", path(&server.certificate)))
            .argument(&format!("--tlskey={}", path(&server.key)))
            .start();
        let address = until("the daemon says where it listens", || {
            let log = engine.log();
            let start = log
                .find("tcp://127.0.0.1:")
                .or_else(|| log.find("127.0.0.1:"))?;
            let rest = log[start..].trim_start_matches("tcp://");
            let end = rest.find(|c: char| c != '.' && c != ':' && !c.is_ascii_digit())?;
            let port: u16 = rest[..end].rsplit(':').next()?.parse().ok()?;
            (port != 0).then(|| format!("tcp://127.0.0.1:{port}"))
        });
        Self {
            engine,
            address,
            authority,
            client,
            stranger,
            place,
        }
    }

    /// The flags that a client with this certificate gives.
    fn flags(&self, certificate: &Certificate) -> Vec<String> {
        vec![
            format!("--tlscacert={}", self.authority.certificate().display()),
            format!("--tlscert={}", certificate.certificate.display()),
            format!("--tlskey={}", certificate.key.display()),
        ]
    }

    /// The engine's own id, which no other engine has.
    fn id(&self) -> String {
        self.engine.docker(&["info", "-f", "{{.ID}}"]).ok()
    }

    fn clients(&self) -> [Client; 2] {
        [
            Client::docker(&self.place.path().join("docker")),
            Client::dhow(&self.place.path().join("dhow")),
        ]
    }
}

const ID: [&str; 3] = ["info", "-f", "{{.ID}}"];

fn words<'a>(flags: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    flags
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect()
}

#[test]
fn tls_by_flags() {
    let guarded = Guarded::start();
    let id = guarded.id();
    let host = guarded.address.as_str();
    for client in guarded.clients() {
        let known = guarded.flags(&guarded.client);
        let line = words(&known, &["--tlsverify", "-H", host]);
        assert_eq!(client.run(&[line.clone(), ID.to_vec()].concat()).ok(), id);
        // Encrypted, whoever answers.
        let line = words(&known, &["--tls", "-H", host]);
        assert_eq!(client.run(&[line, ID.to_vec()].concat()).ok(), id);
        let line = words(&known, &["--tlsverify=false", "-H", host]);
        assert_eq!(client.run(&[line, ID.to_vec()].concat()).ok(), id);
        // Without a certificate, with a stranger's, without TLS.
        let strange = guarded.flags(&guarded.stranger);
        for flags in [&known[..1], &strange] {
            let line = words(flags, &["--tlsverify", "-H", host]);
            let refused = client.run(&[line, ID.to_vec()].concat());
            assert_ne!(refused.code, 0, "{refused}");
            assert!(!refused.out().contains(&id), "{refused}");
        }
        let line = [["-H", host].to_vec(), ID.to_vec()].concat();
        let plain = client.run(&line);
        assert_ne!(plain.code, 0, "{plain}");
        assert!(!plain.out().contains(&id), "{plain}");
    }
}

#[test]
fn an_engine_that_nobody_vouches_for_is_refused() {
    let guarded = Guarded::start();
    let other = Authority::new(&guarded.place.path().join("third"));
    let ca = format!("--tlscacert={}", other.certificate().display());
    let known = guarded.flags(&guarded.client);
    for client in guarded.clients() {
        let line = words(&known[1..], &["--tlsverify", &ca, "-H", &guarded.address]);
        let refused = client.run(&[line, ID.to_vec()].concat());
        assert_ne!(refused.code, 0, "{refused}");
        assert!(refused.err().contains("certificate"), "{refused}");
    }
}

#[test]
fn tls_by_environment_and_by_context() {
    let guarded = Guarded::start();
    let id = guarded.id();
    let folder = guarded.place.path().join("certificates");
    std::fs::create_dir(&folder).unwrap();
    for (from, name) in [
        (&guarded.authority.certificate(), "ca.pem"),
        (&guarded.client.certificate, "cert.pem"),
        (&guarded.client.key, "key.pem"),
    ] {
        std::fs::copy(from, folder.join(name)).unwrap();
    }
    let path = folder.display().to_string();
    for client in guarded.clients() {
        let client = client
            .variable("DOCKER_HOST", &guarded.address)
            .variable("DOCKER_TLS_VERIFY", "1")
            .variable("DOCKER_CERT_PATH", &path);
        assert_eq!(client.run(&ID).ok(), id);
    }
    let endpoint = format!(
        "host={},ca={path}/ca.pem,cert={path}/cert.pem,key={path}/key.pem",
        guarded.address
    );
    let lone = format!("host={},skip-tls-verify=true", guarded.address);
    for client in guarded.clients() {
        client
            .run(&["context", "create", "far", "--docker", &endpoint])
            .ok();
        client
            .run(&["context", "create", "lone", "--docker", &lone])
            .ok();
        let line = [["--context", "far"].to_vec(), ID.to_vec()].concat();
        assert_eq!(client.run(&line).ok(), id);
        let line = [["--context", "lone"].to_vec(), ID.to_vec()].concat();
        assert_ne!(client.run(&line).code, 0, "no certificate of its own");
        client.run(&["context", "use", "far"]).ok();
        assert_eq!(client.run(&ID).ok(), id);
        let sent = client.run_fed(&["load"], &dhow_testkit::fixture::busybox().archive("b:1"));
        assert_eq!(sent.ok(), "Loaded image: b:1");
        let echoed = client.run_fed(&["run", "--rm", "-i", "b:1", "cat"], b"through TLS");
        assert_eq!(echoed.out(), "through TLS", "{echoed}");
    }
}

#[test]
fn through_ssh() {
    let engine = Engine::with_busybox();
    engine.docker(&["create", "--name", "far", "busybox"]).ok();
    let place = tempfile::tempdir().unwrap();
    // Whoever logs in finds `dhow`, and by the name `docker` as well.
    let bin = place.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for name in ["dhow", "docker"] {
        std::os::unix::fs::symlink(program::ours("dhow"), bin.join(name)).unwrap();
    }
    let remote_path = format!("{}:/usr/bin:/bin", bin.display());
    let host = engine.host();
    let server = SshServer::start(
        &place.path().join("ssh"),
        &[("PATH", &remote_path), ("DOCKER_HOST", &host)],
    );
    let path = format!("{}:/usr/bin:/bin", server.client_folder().display());
    let address = server.address();
    let names = ["ps", "-a", "--format", "{{.Names}}"];
    for (home, client) in [
        ("docker", Client::docker as fn(&Path) -> Client),
        ("dhow", Client::dhow),
    ] {
        let client = client(&place.path().join(home)).variable("PATH", &path);
        let line = [["-H", &address].to_vec(), names.to_vec()].concat();
        assert_eq!(client.run(&line).ok(), "far");
        let endpoint = format!("host={address}");
        client
            .run(&["context", "create", "ssh", "--docker", &endpoint])
            .ok();
        let line = [["--context", "ssh"].to_vec(), names.to_vec()].concat();
        assert_eq!(client.run(&line).ok(), "far");
        // Both ways, with an end of input that has to arrive.
        let line = ["-H", &address, "run", "--rm", "-i", "busybox", "wc", "-c"];
        assert_eq!(client.run_fed(&line, &[b'x'; 100_000]).ok(), "100000");
        let line = [
            "-H", &address, "run", "--rm", "busybox", "sh", "-c", "exit 7",
        ];
        assert_eq!(client.run(&line).code, 7);
    }
    // Nobody there.
    let dhow = Client::dhow(&place.path().join("dhow")).variable("PATH", &path);
    drop(server);
    let line = [["-H", &address].to_vec(), names.to_vec()].concat();
    let refused = dhow.run(&line);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.err().contains("Connection refused"), "{refused}");
}
