//! TLS with servers that are to be verified. Loopback never is when a registry
//! is named the usual way, so the tests stand inside the crate and say so.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dhow_model::error::chain;
use dhow_testkit::certificate::{Authority, Certificate};
use http::Method;
use reqwest::Url;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::{CertificateError, Error};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::Pinned;
use crate::config::Config;
use crate::endpoint::Base;
use crate::transport::{Outgoing, Transport};

/// `openssl s_server`, which answers any GET with a page about the connection.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(certificate: &Certificate, more: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args([
                "s_server",
                "-www",
                "-accept",
                "127.0.0.1:0",
                "-naccept",
                "20",
            ])
            .arg("-cert")
            .arg(&certificate.certificate)
            .arg("-key")
            .arg(&certificate.key)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl can be run");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("ACCEPT ")?.to_owned()))
            .expect("openssl says where it listens");
        // Its output must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn port(&self) -> &str {
        self.address.rsplit(':').next().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn base(url: &str) -> Base {
    let url = Url::parse(url).unwrap();
    Base {
        host: crate::endpoint::host_port(&url),
        url,
        insecure: false,
    }
}

/// Asks `url` for its page; the error is as people read it.
async fn ask(certs: &Path, url: &str) -> Result<u16, String> {
    let config = Config {
        certs_dirs: vec![certs.to_owned()],
        ..Config::default()
    };
    let transport = Transport::new(config).unwrap();
    let base = base(url);
    let outgoing = Outgoing::new(Method::GET, base.url.clone());
    let response = transport.send(&base, outgoing).await;
    response
        .map(|response| response.status().as_u16())
        .map_err(|error| chain(&error))
}

fn put(certs: &Path, host: &str, name: &str, from: &Path) {
    let folder = certs.join(host);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(from, folder.join(name)).unwrap();
}

fn self_signed(folder: &Path, more: &[&str]) -> Certificate {
    let certificate = Certificate {
        certificate: folder.join("self.pem"),
        key: folder.join("self-key.pem"),
    };
    let done = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-nodes"])
        .args([
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-subj",
            "/CN=self",
        ])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(more)
        .arg("-keyout")
        .arg(&certificate.key)
        .arg("-out")
        .arg(&certificate.certificate)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    certificate
}

#[tokio::test]
async fn an_authority_of_certs_d_is_trusted_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs.d");
    let authority = Authority::new(&folder.path().join("ca"));
    let server = Server::start(&authority.issue("server"), &[]);
    let url = format!("https://{}/", server.address);
    assert_eq!(
        ask(&certs, &url).await.unwrap_err(),
        format!(
            "Get \"{url}\": tls: failed to verify certificate: \
             x509: certificate signed by unknown authority"
        )
    );
    // Another registry's authority is not this one's.
    put(&certs, "127.0.0.1:1", "ca.crt", &authority.certificate());
    assert!(ask(&certs, &url).await.is_err());
    put(&certs, &server.address, "ca.crt", &authority.certificate());
    assert_eq!(ask(&certs, &url).await, Ok(200));
}

#[tokio::test]
async fn a_changed_directory_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs.d");
    let authority = Authority::new(&folder.path().join("ca"));
    let server = Server::start(&authority.issue("server"), &[]);
    let base = base(&format!("https://{}/", server.address));
    let transport = Transport::new(Config {
        certs_dirs: vec![certs.clone()],
        ..Config::default()
    })
    .unwrap();
    let outgoing = || Outgoing::get(base.url.clone());
    transport.send(&base, outgoing()).await.unwrap_err();
    put(&certs, &server.address, "ca.crt", &authority.certificate());
    transport.send(&base, outgoing()).await.unwrap();
}

#[tokio::test]
async fn a_name_the_certificate_does_not_have_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs.d");
    let server = Server::start(&self_signed(folder.path(), &[]), &[]);
    let host = format!("localhost:{}", server.port());
    put(&certs, &host, "ca.crt", &folder.path().join("self.pem"));
    let error = ask(&certs, &format!("https://{host}/")).await.unwrap_err();
    assert!(error.contains("x509: certificate is"), "{error}");
}

#[tokio::test]
async fn a_self_signed_registry_is_trusted_when_it_lies_in_certs_d() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs.d");
    // What `openssl req -x509` makes is an authority and a server in one.
    let authority = ["-addext", "basicConstraints=critical,CA:TRUE"];
    let server = Server::start(&self_signed(folder.path(), &authority), &[]);
    let url = format!("https://{}/", server.address);
    assert!(ask(&certs, &url).await.unwrap_err().contains("x509"));
    put(
        &certs,
        &server.address,
        "ca.crt",
        &folder.path().join("self.pem"),
    );
    assert_eq!(ask(&certs, &url).await, Ok(200));
}

#[test]
fn a_self_signed_certificate_is_trusted_only_while_it_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let made = self_signed(folder.path(), &["-days", "10"]);
    let pem = std::fs::read(made.certificate).unwrap();
    let certificate = CertificateDer::from_pem_slice(&pem).unwrap();
    let verifier = Pinned {
        chain: None,
        provider: Arc::new(rustls::crypto::ring::default_provider()),
        pinned: vec![certificate.clone()],
    };
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let now = UnixTime::now().as_secs();
    let day = 86_400;
    let check = |at: u64, expected: Option<CertificateError>| {
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
        let found = verifier.verify_server_cert(&certificate, &[], &name, &[], at);
        assert_eq!(found.err(), expected.map(Error::InvalidCertificate));
    };
    check(now, None);
    check(now + 9 * day, None);
    check(now + 11 * day, Some(CertificateError::Expired));
    check(now - day, Some(CertificateError::NotValidYet));
}

#[tokio::test]
async fn a_client_certificate_proves_who_we_are() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs.d");
    let authority = Authority::new(&folder.path().join("ca"));
    let trusted = authority.certificate();
    let demand = [
        "-Verify",
        "1",
        "-verify_return_error",
        "-CAfile",
        trusted.to_str().unwrap(),
    ];
    let server = Server::start(&authority.issue("server"), &demand);
    let url = format!("https://{}/", server.address);
    put(&certs, &server.address, "ca.crt", &authority.certificate());
    let error = ask(&certs, &url).await.unwrap_err();
    assert!(error.starts_with(&format!("Get \"{url}\": ")), "{error}");

    let client = authority.issue("client");
    put(&certs, &server.address, "client.cert", &client.certificate);
    let error = ask(&certs, &url).await.unwrap_err();
    assert!(
        error.ends_with(
            "missing key client.key for client certificate client.cert. \
             CA certificates must use the extension .crt"
        ),
        "{error}"
    );
    put(&certs, &server.address, "client.key", &client.key);
    assert_eq!(ask(&certs, &url).await, Ok(200));
    std::fs::remove_file(certs.join(&server.address).join("client.cert")).unwrap();
    let error = ask(&certs, &url).await.unwrap_err();
    assert!(
        error.ends_with("missing client certificate client.cert for key client.key"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_without_tls_reads_as_in_go() {
    let registry = dhow_testkit::registry::Registry::start();
    let url = format!("https://{}/v2/", registry.address());
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(
        ask(nothing.path(), &url).await.unwrap_err(),
        format!("Get \"{url}\": http: server gave HTTP response to HTTPS client")
    );
}
