//! Tokens and passwords: who gets to see them, and who never does.

use std::sync::atomic::{AtomicUsize, Ordering};

use dhow_model::{ErrorKind, HasKind as _};
use dhow_registry::{Access, Credentials, Error, Registry, Remote, Repository};
use futures_util::TryStreamExt as _;

use crate::server::{Request, Server, reply};
use crate::support::{client, credentials, descriptor, noise, text};

const PASSWORD: &str = "hunter2";

/// A registry with its own token server at `/token`. Tokens are numbered; only
/// from the one numbered `good` on are they accepted.
fn token_registry(good: usize, content: Vec<u8>) -> Server {
    let given = AtomicUsize::new(0);
    Server::start(move |request, stream, address| {
        if request.path() == "/token" {
            let number = given.fetch_add(1, Ordering::SeqCst);
            let body =
                format!(r#"{{"token":"t{number}","expires_in":300,"refresh_token":"fresh"}}"#);
            return reply(stream, "200 OK", &[], body.as_bytes());
        }
        let accepted = request
            .header("authorization")
            .and_then(|header| header.strip_prefix("Bearer t")?.parse::<usize>().ok())
            .is_some_and(|number| number >= good);
        if accepted {
            return reply(stream, "200 OK", &[], &content);
        }
        let challenge = format!(
            r#"Bearer realm="http://{address}/token",service="reg",scope="repository:app:pull""#
        );
        let headers = [("WWW-Authenticate", challenge.as_str())];
        let body = br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
        reply(stream, "401 Unauthorized", &headers, body);
    })
}

async fn open(client: &Registry, server: &Server, credentials: Credentials) -> Remote {
    let repository = Repository::new(&server.address(), "app");
    client
        .remote(repository, credentials, Access::Pull)
        .await
        .unwrap()
}

async fn fetch(remote: &Remote, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let chunks: Vec<_> = remote.blob(&descriptor(bytes), 0).try_collect().await?;
    Ok(chunks.concat())
}

fn tokens(server: &Server) -> Vec<Request> {
    let mut seen = server.seen();
    seen.retain(|request| request.path() == "/token");
    seen
}

#[tokio::test]
async fn one_token_serves_all_layers_and_the_next_pull() {
    let bytes = noise(5000);
    let server = token_registry(0, bytes.clone());
    let client = client();
    let remote = open(&client, &server, credentials("user", PASSWORD)).await;
    let all = (0..8).map(|_| fetch(&remote, &bytes));
    for got in futures_util::future::join_all(all).await {
        assert_eq!(got.unwrap(), bytes);
    }
    let again = open(&client, &server, credentials("user", PASSWORD)).await;
    assert_eq!(fetch(&again, &bytes).await.unwrap(), bytes);
    let asked = tokens(&server);
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].target,
        "/token?service=reg&scope=repository%3Aapp%3Apull&account=user"
    );
    assert_eq!(
        asked[0].header("authorization"),
        Some("Basic dXNlcjpodW50ZXIy")
    );
    // Somebody else must not get the first one's token.
    let other = open(&client, &server, Credentials::default()).await;
    fetch(&other, &bytes).await.unwrap();
    assert_eq!(tokens(&server).len(), 2);
    assert_eq!(tokens(&server)[1].header("authorization"), None);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let bytes = noise(1000);
    let server = token_registry(1, bytes.clone());
    let remote = open(&client(), &server, Credentials::default()).await;
    assert_eq!(fetch(&remote, &bytes).await.unwrap(), bytes);
    assert_eq!(tokens(&server).len(), 2);

    let server = token_registry(99, bytes.clone());
    let remote = open(&client(), &server, Credentials::default()).await;
    let error = fetch(&remote, &bytes).await.unwrap_err();
    assert_eq!(text(&error), "unauthorized: authentication required");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(tokens(&server).len(), 2);
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let bytes = noise(1000);
    let server = token_registry(0, bytes.clone());
    let credentials = Credentials {
        username: "user".into(),
        identity_token: "re/fresh+token".into(),
        ..Credentials::default()
    };
    let remote = open(&client(), &server, credentials).await;
    fetch(&remote, &bytes).await.unwrap();
    let asked = &tokens(&server)[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(
        String::from_utf8_lossy(&asked.body),
        "grant_type=refresh_token&service=reg&client_id=docker&\
         scope=repository%3Aapp%3Apull&refresh_token=re%2Ffresh%2Btoken"
    );
    assert_eq!(asked.header("authorization"), None);
}

#[tokio::test]
async fn a_registry_token_is_sent_as_it_is() {
    let bytes = noise(1000);
    let server = token_registry(7, bytes.clone());
    let credentials = Credentials {
        registry_token: "t7".into(),
        ..Credentials::default()
    };
    let remote = open(&client(), &server, credentials).await;
    assert_eq!(fetch(&remote, &bytes).await.unwrap(), bytes);
    assert!(tokens(&server).is_empty());
}

#[tokio::test]
async fn login_brings_the_identity_token() {
    let server = token_registry(0, Vec::new());
    let mut credentials = credentials("user", PASSWORD);
    credentials.server_address = format!("http://{}/", server.address());
    let login = client().login(&credentials).await.unwrap();
    assert_eq!(login.status, "Login Succeeded");
    assert_eq!(login.identity_token.expose(), "fresh");
    assert!(tokens(&server)[0].target.contains("offline_token=true"));
}

#[tokio::test]
async fn a_token_server_that_refuses_is_quoted_as_docker_does() {
    let server = Server::start(|request, stream, address| {
        if request.path() == "/token" {
            return reply(
                stream,
                "401 Unauthorized",
                &[],
                br#"{"details":"incorrect username or password"}"#,
            );
        }
        let challenge = format!(r#"Bearer realm="http://{address}/token",service="reg""#);
        let headers = [("WWW-Authenticate", challenge.as_str())];
        reply(stream, "401 Unauthorized", &headers, b"");
    });
    let remote = open(&client(), &server, credentials("user", PASSWORD)).await;
    let bytes = noise(10);
    let error = fetch(&remote, &bytes).await.unwrap_err();
    let digest = descriptor(&bytes).digest;
    assert_eq!(
        text(&error),
        format!(
            "Get \"http://{}/v2/app/blobs/{digest}\": \
             unauthorized: incorrect username or password",
            server.address()
        )
    );
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(!format!("{error:?}").contains(PASSWORD));
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_host() {
    let bytes = noise(5000);
    let content = bytes.clone();
    let storage = Server::start(move |_, stream, _| reply(stream, "200 OK", &[], &content));
    let there = storage.address();
    let registry = Server::start(move |request, stream, _| {
        if request.header("authorization").is_none() {
            let headers = [("WWW-Authenticate", "Basic realm=\"x\"")];
            return reply(stream, "401 Unauthorized", &headers, b"");
        }
        match request.path() {
            "/v2/" => reply(stream, "200 OK", &[], b""),
            // First within the registry, then out of it.
            "/moved" => {
                let to = format!("http://{there}/blob?signature=abc");
                reply(stream, "307 Temporary Redirect", &[("Location", &to)], b"");
            }
            _ => reply(stream, "302 Found", &[("Location", "/moved")], b""),
        }
    });
    let remote = open(&client(), &registry, credentials("user", PASSWORD)).await;
    assert_eq!(fetch(&remote, &bytes).await.unwrap(), bytes);
    assert!(
        registry
            .seen()
            .iter()
            .all(|r| r.header("authorization").is_some())
    );
    let seen = storage.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].target, "/blob?signature=abc");
    assert_eq!(seen[0].header("authorization"), None);
}

#[tokio::test]
async fn credentials_stay_away_when_the_redirect_comes_back() {
    let registry_address = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let back = registry_address.clone();
    let storage = Server::start(move |_, stream, _| {
        let to = format!("http://{}/final", back.get().unwrap());
        reply(stream, "302 Found", &[("Location", &to)], b"");
    });
    let there = storage.address();
    let registry = Server::start(move |request, stream, _| match request.path() {
        "/v2/" => {
            let headers = [("WWW-Authenticate", "Basic realm=\"x\"")];
            reply(stream, "401 Unauthorized", &headers, b"");
        }
        "/final" => reply(stream, "200 OK", &[], b"0123456789"),
        _ => {
            let to = format!("http://{there}/");
            reply(stream, "302 Found", &[("Location", &to)], b"");
        }
    });
    registry_address.set(registry.address()).unwrap();
    let remote = open(&client(), &registry, credentials("user", PASSWORD)).await;
    fetch(&remote, b"0123456789").await.unwrap();
    let last = registry.seen().pop().unwrap();
    assert_eq!(last.path(), "/final");
    assert_eq!(last.header("authorization"), None);
}

#[tokio::test]
async fn a_redirect_never_carries_a_refresh_token_away() {
    let thief = Server::start(|_, stream, _| reply(stream, "200 OK", &[], b"{}"));
    let there = thief.address();
    let server = Server::start(move |request, stream, address| {
        if request.path() == "/token" {
            let to = format!("http://{there}/");
            return reply(stream, "307 Temporary Redirect", &[("Location", &to)], b"");
        }
        let challenge = format!(r#"Bearer realm="http://{address}/token""#);
        let headers = [("WWW-Authenticate", challenge.as_str())];
        reply(stream, "401 Unauthorized", &headers, b"");
    });
    let credentials = Credentials {
        identity_token: PASSWORD.into(),
        ..Credentials::default()
    };
    let remote = open(&client(), &server, credentials).await;
    let error = fetch(&remote, b"x").await.unwrap_err();
    assert!(text(&error).contains("another host"), "{}", text(&error));
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let server = Server::start(|request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        path => reply(stream, "302 Found", &[("Location", path)], b""),
    });
    let remote = open(&client(), &server, Credentials::default()).await;
    let error = fetch(&remote, b"x").await.unwrap_err();
    assert!(
        text(&error).ends_with("stopped after 10 redirects"),
        "{}",
        text(&error)
    );
}
