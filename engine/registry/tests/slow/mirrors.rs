//! Mirrors: tried in order, trusted with nothing, never needed.

use dhow_registry::{Access, Registry, Remote, Repository, Target};
use futures_util::TryStreamExt as _;

use crate::server::{Server, reply};
use crate::support::{config, credentials, descriptor, noise};

const MANIFEST: &[u8] = br#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":2},"layers":[]}"#;

/// A registry that has one manifest and one blob.
fn good(blob: Vec<u8>) -> Server {
    Server::start(move |request, stream, _| {
        let oci = [("Content-Type", "application/vnd.oci.image.manifest.v1+json")];
        match request.path() {
            "/v2/" => reply(stream, "200 OK", &[], b""),
            "/v2/app/manifests/1" => reply(stream, "200 OK", &oci, MANIFEST),
            _ => reply(stream, "200 OK", &[], &blob),
        }
    })
}

/// A mirror that wants a password and has nothing.
fn bad() -> Server {
    Server::start(|_, stream, _| {
        let headers = [("WWW-Authenticate", "Basic realm=\"x\"")];
        reply(stream, "401 Unauthorized", &headers, b"");
    })
}

async fn behind(mirrors: &[String], upstream: &Server) -> Remote {
    let mut config = config();
    for mirror in mirrors {
        config
            .add_mirror(Some(&upstream.address()), &format!("http://{mirror}"))
            .unwrap();
    }
    let repository = Repository::new(&upstream.address(), "app");
    Registry::new(config)
        .unwrap()
        .remote(repository, credentials("user", "hunter2"), Access::Pull)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_mirror_answers_in_the_registrys_place() {
    let bytes = noise(5000);
    let (mirror, upstream) = (good(bytes.clone()), good(Vec::new()));
    let remote = behind(&[mirror.address()], &upstream).await;
    remote.manifest(&Target::Tag("1".into())).await.unwrap();
    let got: Vec<_> = remote
        .blob(&descriptor(&bytes), 0)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(got.concat(), bytes);
    assert!(upstream.seen().is_empty());
    assert!(
        mirror
            .seen()
            .iter()
            .all(|r| r.header("authorization").is_none())
    );
}

#[tokio::test]
async fn failing_mirrors_pass_on_to_the_next_and_to_the_registry() {
    let bytes = noise(5000);
    let (first, upstream) = (bad(), good(bytes.clone()));
    // Nobody listens on a port that was just given back.
    let gone = Server::start(|_, _, _| {}).address();
    let remote = behind(&[first.address(), gone], &upstream).await;
    let fetched = remote.manifest(&Target::Tag("1".into())).await.unwrap();
    assert_eq!(fetched.bytes, MANIFEST);
    let got: Vec<_> = remote
        .blob(&descriptor(&bytes), 0)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(got.concat(), bytes);
    assert!(
        first
            .seen()
            .iter()
            .all(|r| r.header("authorization").is_none())
    );
}

#[tokio::test]
async fn a_mirror_that_lies_about_a_digest_is_passed_over() {
    let bytes = noise(100);
    let liar = Server::start(|_, stream, _| reply(stream, "200 OK", &[], b"{}"));
    let upstream = good(bytes);
    let remote = behind(&[liar.address()], &upstream).await;
    let digest = crate::support::digest(MANIFEST);
    let oci = remote.manifest(&Target::Digest(digest)).await;
    // Upstream has it by tag only, so what comes is upstream's own blob.
    assert!(oci.is_err());
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn pushes_go_past_mirrors() {
    let (mirror, upstream) = (good(Vec::new()), good(Vec::new()));
    let mut config = config();
    config
        .add_mirror(
            Some(&upstream.address()),
            &format!("http://{}", mirror.address()),
        )
        .unwrap();
    let remote = Registry::new(config)
        .unwrap()
        .remote(
            Repository::new(&upstream.address(), "app"),
            credentials("user", "hunter2"),
            Access::Push,
        )
        .await
        .unwrap();
    remote.has_blob(&crate::support::digest(b"")).await.unwrap();
    assert!(mirror.seen().is_empty());
    assert_eq!(upstream.seen().len(), 1);
}
