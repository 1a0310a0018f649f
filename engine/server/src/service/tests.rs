//! The service over real unix sockets. Handlers that need containers are
//! tested with the whole daemon; here it is the protocol around them.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Duration;

use axum::routing::{get, post};
use dhow_local::config::{EngineConfig, RegistryOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::*;
use crate::answer::{self, Answer, Form};
use crate::call::Call;
use crate::hijack::{Head, RAW_STREAM};

/// A service on routes of the test's own, and a client's end of a connection.
fn serve(routes: Router<Arc<App>>, engine: LocalEngine) -> (StdUnixStream, CancellationToken) {
    let closing = CancellationToken::new();
    let app = App {
        engine,
        configuration: None,
        closing: closing.clone(),
    };
    let service = Service {
        router: routes.with_state(Arc::new(app)),
        closing: closing.clone(),
    };
    (connect(service), closing)
}

fn connect(service: Service) -> StdUnixStream {
    let (near, far) = UnixStream::pair().unwrap();
    tokio::spawn(async move { service.serve(Transport::Unix(near)).await });
    let client = far.into_std().unwrap();
    client.set_nonblocking(false).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    client
}

/// An engine of this test's own on a directory of its own.
struct Fixture {
    engine: LocalEngine,
    _dir: tempfile::TempDir,
}

impl Fixture {
    async fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let unique = format!("{name}{}", std::process::id() % 100_000);
        let config = EngineConfig {
            data_root: dir.path().join("data"),
            exec_root: dir.path().join("exec"),
            shim: "/bin/true".into(),
            bridge: unique.clone(),
            bip: None,
            mtu: 1500,
            publish_address: [0, 0, 0, 0].into(),
            nft_table: unique.clone(),
            cgroup_parent: format!("/{unique}"),
            dns: vec![],
            dns_options: vec![],
            dns_search: vec![],
            log_driver: "json-file".to_owned(),
            log_options: [].into(),
            shm_size: 64 << 20,
            ulimits: [].into(),
            init: false,
            labels: vec![],
            registries: RegistryOptions::default(),
            debug: false,
        };
        let engine = LocalEngine::open(config).await.unwrap();
        Self { engine, _dir: dir }
    }

    fn client(&self) -> StdUnixStream {
        connect(Service::new(
            self.engine.clone(),
            None,
            CancellationToken::new(),
        ))
    }
}

impl Drop for Fixture {
    /// Also on a panic: bridge and rules must go.
    fn drop(&mut self) {
        let stop = self.engine.stop_all();
        let stopped =
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(stop));
        if let Err(error) = stopped {
            eprintln!("engine not cleaned up: {error}");
        }
    }
}

/// Sends `request` and returns everything until the server closes.
async fn exchange(client: StdUnixStream, request: impl Into<String>) -> String {
    let request = request.into();
    tokio::task::spawn_blocking(move || {
        let mut client = client;
        client.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
    .unwrap()
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: dhow\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get_request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: dhow\r\nConnection: close\r\n\r\n")
}

/// The status line's number and the body.
fn split(answer: &str) -> (u16, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    (status, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_with_all_the_headers() {
    let fixture = Fixture::new("ping").await;
    let answer = exchange(fixture.client(), get_request("/_ping")).await;
    assert_eq!(split(&answer), (200, "OK"));
    let lower = answer.to_lowercase();
    for header in [
        "api-version: 1.55",
        "docker-experimental: false",
        "ostype: linux",
        "builder-version: 1",
        "swarm: inactive",
        "cache-control: no-cache, no-store, must-revalidate",
        "pragma: no-cache",
        "server: dhow/",
    ] {
        assert!(lower.contains(header), "{header} is not in\n{answer}");
    }
    let answer = exchange(fixture.client(), "HEAD /v1.41/_ping HTTP/1.0\r\n\r\n").await;
    assert_eq!(split(&answer), (200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn negotiates_versions_and_words_errors_as_docker_does() {
    let fixture = Fixture::new("errs").await;
    let json = "Content-Type: application/json\r\n";
    let cases = [
        (
            get_request("/v1.12/info"),
            400,
            "client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
        ),
        (
            get_request("/v9.99/info"),
            400,
            "client version 9.99 is too new. Maximum supported API version is 1.55",
        ),
        (get_request("/nowhere"), 404, "page not found"),
        (
            get_request("/v1.41/containers/create"),
            404,
            "page not found",
        ),
        (request("DELETE", "/_ping", "", ""), 404, "page not found"),
        (
            request("POST", "/containers/create", json, "{bad"),
            400,
            "invalid JSON: invalid character 'b' looking for beginning of object key string",
        ),
        (
            request(
                "POST",
                "/containers/create",
                "Content-Type: text/plain\r\n",
                "{}",
            ),
            400,
            "unsupported Content-Type header (text/plain): must be 'application/json'",
        ),
        (
            request("POST", "/containers/create", "", ""),
            400,
            "config cannot be empty in order to create a container",
        ),
        (
            request("POST", "/containers/x/exec", json, "{}"),
            400,
            "No exec command specified",
        ),
        (
            get_request("/containers/x/logs"),
            400,
            "Bad parameters: you must choose at least one stream",
        ),
        (
            get_request("/containers/json?limit=x"),
            400,
            "strconv.Atoi: parsing \"x\": invalid syntax",
        ),
        (get_request("/images/json?filters=x"), 400, "invalid filter"),
        (
            get_request("/info?a=%zz"),
            400,
            "invalid URL escape \"%zz\"",
        ),
        (
            get_request("/nodes"),
            503,
            "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.",
        ),
        (
            request("POST", "/build", "", ""),
            501,
            "this engine cannot build images yet; build elsewhere and pull or load the result",
        ),
    ];
    for (request, status, message) in cases {
        let answer = exchange(fixture.client(), request.clone()).await;
        let (got, body) = split(&answer);
        let body: serde_json::Value =
            serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}"));
        assert_eq!(
            (got, &body),
            (status, &serde_json::json!({"message": message})),
            "{request}"
        );
    }
    let answer = exchange(fixture.client(), get_request("/v1.30/plugins")).await;
    assert_eq!(split(&answer), (200, "[]\n"));
    let version = exchange(fixture.client(), get_request("/version")).await;
    let version: serde_json::Value = serde_json::from_str(split(&version).1).unwrap();
    assert_eq!(
        (&version["ApiVersion"], &version["MinAPIVersion"]),
        (&"1.55".into(), &"1.24".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_a_json_body() {
    let fixture = Fixture::new("big").await;
    let mut client = fixture.client();
    let head = "POST /containers/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.write_all(head.as_bytes()).unwrap();
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
    // The server stops reading; how much it took before is its business.
    for _ in 0..64 {
        if client.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let mut answer = [0; 4096];
    let read = client.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert_eq!(split(&answer).0, 400, "{answer}");
    assert!(
        answer.contains("request body is larger than 8388608 bytes"),
        "{answer}"
    );
}

/// Says back what it hears until the client ends its side, then says goodbye.
async fn echo(call: Call) -> Response {
    let upgrade = Head::choose(&call.headers, true, false);
    hijack::take_over(move |taken| async move {
        let client = hijack::answer(taken, upgrade).await.unwrap();
        let socket = StdUnixStream::from(client.socket);
        let mut socket = UnixStream::from_std(socket).unwrap();
        socket.write_all(&client.early).await.unwrap();
        let mut heard = Vec::new();
        socket.read_to_end(&mut heard).await.unwrap();
        heard.extend_from_slice(b"bye");
        socket.write_all(&heard).await.unwrap();
    })
}

fn echo_routes() -> Router<Arc<App>> {
    Router::new().route("/echo", post(echo).get(echo))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_connection_is_the_clients_own_and_closes_by_halves() {
    let fixture = Fixture::new("hijack").await;
    let cases = [
        (
            "Connection: Upgrade\r\nUpgrade: tcp\r\n",
            "HTTP/1.1 101 UPGRADED\r\n",
        ),
        ("", "HTTP/1.1 200 OK\r\n"),
    ];
    for (headers, status) in cases {
        for method in ["POST", "GET"] {
            let (mut client, _closing) = serve(echo_routes(), fixture.engine.clone());
            // An ordinary request before, and input right behind the head.
            let requests = format!(
                "GET /nowhere HTTP/1.1\r\nHost: d\r\n\r\n\
                 {method} /echo HTTP/1.1\r\nHost: d\r\n{headers}Content-Length: 0\r\n\r\nearly "
            );
            let answer = tokio::task::spawn_blocking(move || {
                client.write_all(requests.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(50));
                client.write_all(b"late ").unwrap();
                client.shutdown(Shutdown::Write).unwrap();
                let mut answer = String::new();
                client.read_to_string(&mut answer).unwrap();
                answer
            })
            .await
            .unwrap();
            let own = answer.rfind("HTTP/1.1").unwrap_or(0);
            let (head, body) = answer[own..].split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(status.trim_end()), "{answer}");
            assert!(
                head.contains(&format!("Content-Type: {RAW_STREAM}")),
                "{answer}"
            );
            assert_eq!(body, "early late bye", "{method} {headers:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layered_connection_is_bridged_with_its_half_close() {
    let fixture = Fixture::new("bridge").await;
    let app = App {
        engine: fixture.engine.clone(),
        configuration: None,
        closing: CancellationToken::new(),
    };
    let service = Service {
        router: echo_routes().with_state(Arc::new(app)),
        closing: CancellationToken::new(),
    };
    let (near, mut client) = tokio::io::duplex(4096);
    tokio::spawn(async move { service.serve(Transport::Layered(Box::new(near))).await });
    let request = "POST /echo HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    client.write_all(b"over tls ").await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(split(&answer), (101, "over tls bye"));
}

/// Counts up, one object a message, until somebody stops it.
async fn count(call: Call) -> Answer {
    use futures_util::StreamExt;
    let dropped = DropGuard(call.headers.get("x-tell").is_some());
    let numbers = futures_util::stream::unfold((0, dropped), |(n, guard)| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some((Ok(serde_json::json!({ "n": n })), (n + 1, guard)))
    });
    Ok(answer::objects(
        numbers.boxed(),
        Form::LINES,
        &call.app.closing,
    ))
}

static DROPPED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

struct DropGuard(bool);

impl Drop for DropGuard {
    fn drop(&mut self) {
        if self.0 {
            DROPPED.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    }
}

fn count_routes() -> Router<Arc<App>> {
    Router::new().route("/count", get(count))
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_one_by_one_and_stop_when_the_client_hangs_up() {
    let fixture = Fixture::new("count").await;
    let (mut client, _closing) = serve(count_routes(), fixture.engine.clone());
    client
        .write_all(b"GET /count HTTP/1.1\r\nHost: d\r\nX-Tell: 1\r\n\r\n")
        .unwrap();
    let client = tokio::task::spawn_blocking(move || {
        let mut seen = String::new();
        let mut buffer = [0; 512];
        while !seen.contains("{\"n\":2}\n") {
            let read = client.read(&mut buffer).unwrap();
            assert!(read > 0, "ended after {seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        client
    })
    .await
    .unwrap();
    drop(client);
    for _ in 0..400 {
        if DROPPED.load(std::sync::atomic::Ordering::SeqCst) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the work went on without its client");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_ends_endless_answers_in_order() {
    let fixture = Fixture::new("close").await;
    let (client, closing) = serve(count_routes(), fixture.engine.clone());
    assert!(client.as_fd().try_clone_to_owned().is_ok());
    let stop = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        closing.cancel();
    });
    let answer = exchange(client, "GET /count HTTP/1.1\r\nHost: d\r\n\r\n").await;
    stop.await.unwrap();
    assert!(
        answer.ends_with("0\r\n\r\n"),
        "the last chunk is missing: {answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_is_finished_without_its_client() {
    static DONE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    async fn slow(_call: Call) -> Answer {
        tokio::time::sleep(Duration::from_millis(100)).await;
        DONE.store(true, std::sync::atomic::Ordering::SeqCst);
        answer::no_content()
    }
    let fixture = Fixture::new("slow").await;
    let routes = Router::new().route("/slow", post(slow));
    let (mut client, _closing) = serve(routes, fixture.engine.clone());
    client
        .write_all(b"POST /slow HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    drop(client);
    for _ in 0..400 {
        if DONE.load(std::sync::atomic::Ordering::SeqCst) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the work was dropped with its client");
}
