//! What people get to read when it does not work.

use std::net::TcpListener;

use dhow_model::{ErrorKind, HasKind as _};
use dhow_registry::{Access, Config, Credentials, Error, Registry, Repository, Target};

use crate::server::{Server, reply};
use crate::support::{client, remote, text};

async fn manifest_of(address: &str) -> Error {
    let remote = remote(address, "app", Access::Pull).await;
    let target = Target::Tag("1".into());
    remote.manifest(&target).await.unwrap_err()
}

/// A registry that answers every manifest with this.
fn answering(status: &'static str, content_type: &'static str, body: &'static [u8]) -> Server {
    Server::start(move |request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        _ => reply(stream, status, &[("Content-Type", content_type)], body),
    })
}

async fn check(
    status: &'static str,
    content_type: &'static str,
    body: &'static [u8],
    kind: ErrorKind,
    expected: &str,
) {
    let server = answering(status, content_type, body);
    let error = manifest_of(&server.address()).await;
    let expected = expected.replace("{}", &server.address());
    assert_eq!(text(&error), expected);
    assert_eq!(error.kind(), kind);
}

#[tokio::test]
async fn refusals_read_as_dockers() {
    let json = "application/json";
    check(
        "404 Not Found",
        json,
        br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
        ErrorKind::NotFound,
        "manifest for {}/app:1 not found: manifest unknown: manifest unknown",
    )
    .await;
    check(
        "404 Not Found",
        json,
        br#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#,
        ErrorKind::NotFound,
        "repository {}/app not found: name unknown: repository name not known to registry",
    )
    .await;
    check(
        "403 Forbidden",
        json,
        br#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#,
        ErrorKind::NotFound,
        "pull access denied for {}/app, repository does not exist or may require 'docker login': \
         denied: requested access to the resource is denied",
    )
    .await;
    check(
        "429 Too Many Requests",
        json,
        br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#,
        ErrorKind::Unavailable,
        "toomanyrequests: You have reached your pull rate limit.",
    )
    .await;
    check(
        "500 Internal Server Error",
        "text/plain",
        b"oops",
        ErrorKind::System,
        "received unexpected HTTP status: 500 Internal Server Error",
    )
    .await;
}

#[tokio::test]
async fn manifests_that_are_none_are_named() {
    check(
        "200 OK",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        br#"{"schemaVersion":1}"#,
        ErrorKind::InvalidParameter,
        "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been \
         removed. Suggest the author of {}/app:1 to upgrade the image to the OCI Format or Docker \
         Image manifest v2, schema 2. More information at \
         https://docs.docker.com/go/deprecated-image-specs/",
    )
    .await;
    check(
        "200 OK",
        "text/html",
        br#"{"schemaVersion":2}"#,
        ErrorKind::InvalidParameter,
        "unsupported media type text/html",
    )
    .await;
}

#[tokio::test]
async fn a_manifest_without_end_is_not_read_to_its_end() {
    let server = Server::start(|request, stream, _| {
        if request.path() == "/v2/" {
            return reply(stream, "200 OK", &[], b"");
        }
        crate::server::head(stream, "200 OK", &[], None);
        while std::io::Write::write_all(stream, &[b' '; 65536]).is_ok() {}
    });
    let error = manifest_of(&server.address()).await;
    assert_eq!(text(&error), "manifest is larger than 4194304 bytes");
}

#[tokio::test]
async fn a_manifest_of_another_digest_is_refused() {
    let server = answering(
        "200 OK",
        "application/vnd.oci.image.manifest.v1+json",
        b"{}",
    );
    let remote = remote(&server.address(), "app", Access::Pull).await;
    let digest = crate::support::digest(b"x");
    let error = remote
        .manifest(&Target::Digest(digest.clone()))
        .await
        .unwrap_err();
    assert_eq!(
        text(&error),
        format!("manifest verification failed for digest {digest}")
    );
}

#[tokio::test]
async fn nobody_listening_reads_as_in_go() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    assert_eq!(
        text(&manifest_of(&address).await),
        format!("Get \"http://{address}/v2/\": dial tcp {address}: connect: connection refused")
    );
}

#[tokio::test]
async fn an_unknown_host_reads_as_in_go() {
    let remote = client()
        .remote(
            Repository::new("registry.invalid", "app"),
            Credentials::default(),
            Access::Pull,
        )
        .await
        .unwrap();
    let error = remote.manifest(&Target::Tag("1".into())).await.unwrap_err();
    let text = text(&error);
    let start = "Get \"https://registry.invalid/v2/\": dial tcp: lookup registry.invalid: ";
    assert!(text.starts_with(start), "{text}");
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for_without_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut config: Config = crate::support::config();
    config.retry.answer = std::time::Duration::from_millis(200);
    let remote = Registry::new(config)
        .unwrap()
        .remote(
            Repository::new(&address, "app"),
            Credentials::default(),
            Access::Pull,
        )
        .await
        .unwrap();
    let error = remote.manifest(&Target::Tag("1".into())).await.unwrap_err();
    assert!(
        text(&error).contains("Client.Timeout exceeded while awaiting headers"),
        "{error:?}"
    );
}
