//! `/engine-open`: connections that the engine hands over, through a
//! WebSocket.

use std::time::Duration;

use dhow_testkit::{Engine, until};
use futures_util::{SinkExt, StreamExt};
use http::Request;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::served::{Browser, Served, json_of};
use crate::streams::sockets;

pub type Socket = WebSocketStream<TcpStream>;

/// Opens one as our own page does.
pub async fn socket(browser: &Browser) -> Result<Socket, tungstenite::Error> {
    let address = &browser.address;
    let request = Request::get(format!("ws://{address}/engine-open"))
        .header("host", address)
        .header("origin", format!("http://{address}"))
        .header("cookie", &browser.cookie)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header(
            "sec-websocket-key",
            tungstenite::handshake::client::generate_key(),
        )
        .body(())
        .unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
    Ok(socket)
}

/// Asks for `wanted` and returns what was answered, with the rest to come.
pub async fn ask(browser: &Browser, mut wanted: Value) -> (Value, Socket) {
    let mut socket = socket(browser).await.unwrap();
    if wanted["session"].is_null() {
        wanted["session"] = browser.key.clone().into();
    }
    socket
        .send(Message::text(wanted.to_string()))
        .await
        .unwrap();
    match next(&mut socket).await {
        Some(Message::Text(text)) => (serde_json::from_str(&text).unwrap(), socket),
        other => panic!("no answer but {other:?}"),
    }
}

/// The next message; nothing at the end.
async fn next(socket: &mut Socket) -> Option<Message> {
    let message = timeout(Duration::from_secs(20), socket.next()).await;
    match message.expect("it comes at once") {
        Some(Ok(Message::Close(_))) | None => None,
        Some(message) => Some(message.unwrap()),
    }
}

/// All bytes up to the end.
pub async fn rest(socket: &mut Socket) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(message) = next(socket).await {
        bytes.extend_from_slice(&message.into_data());
    }
    bytes
}

pub async fn exec(browser: &Browser, container: &str, words: &[&str]) -> (Value, Socket) {
    let wanted = json!({
        "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Cmd": words,
    });
    let made = browser
        .post(&format!("/engine/containers/{container}/exec"), &wanted)
        .await;
    assert_eq!(made.status(), 201);
    let id = json_of(made).await["Id"].as_str().unwrap().to_owned();
    ask(
        browser,
        json!({
            "method": "POST",
            "path": format!("/v1.47/exec/{id}/start"),
            "headers": { "Content-Type": "application/json" },
            "body": r#"{"Detach":false,"Tty":false}"#,
        }),
    )
    .await
}

fn with_container() -> Engine {
    let engine = Engine::with_busybox();
    start_container(&engine);
    engine
}

/// Something to run programs in.
pub fn start_container(engine: &Engine) {
    engine
        .docker(&["run", "-d", "--name", "up", "busybox", "sleep", "600"])
        .ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_input_leaves_the_output_open() {
    let engine = with_container();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let (answer, mut socket) =
        exec(&browser, "up", &["sh", "-c", "cat; sleep 1; echo after"]).await;
    assert_eq!(answer["status"], 101, "{answer}");
    assert_eq!(
        answer["headers"]["content-type"],
        "application/vnd.docker.multiplexed-stream"
    );
    socket
        .send(Message::binary(b"hello".to_vec()))
        .await
        .unwrap();
    let echoed = next(&mut socket).await.unwrap().into_data();
    assert_eq!(&echoed[8..], b"hello", "before the end of anything");
    socket.send(Message::text(r#"{"end":true}"#)).await.unwrap();
    let after = rest(&mut socket).await;
    assert_eq!(&after[8..], b"after\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_goes_in_and_comes_out_again() {
    const SIZE: usize = 8 << 20;
    let engine = with_container();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let (_, socket) = exec(
        &browser,
        "up",
        &["sh", "-c", "cat | sha256sum; head -c 8388608 /dev/zero"],
    )
    .await;
    let (mut sink, mut stream) = socket.split();
    for _ in 0..SIZE / (64 << 10) {
        sink.send(Message::binary(vec![1_u8; 64 << 10]))
            .await
            .unwrap();
    }
    sink.send(Message::text(r#"{"end":true}"#)).await.unwrap();
    let mut output = Vec::new();
    while let Some(Ok(message)) = stream.next().await {
        output.extend_from_slice(&message.into_data());
    }
    let expected = dhow_testkit::image::digest(&vec![1; SIZE]);
    let sum = expected.trim_start_matches("sha256:").as_bytes();
    assert_eq!(&output[8..8 + sum.len()], sum);
    assert!(output.len() > SIZE, "{}", output.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_says_why() {
    let engine = Engine::start();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let path = "/v1.47/exec/none/start";
    let kind = json!({ "Content-Type": "application/json" });
    let start = json!({ "method": "POST", "path": path, "headers": kind, "body": "{}" });
    let (answer, mut socket) = ask(&browser, start).await;
    assert_eq!(answer["status"], 404, "{answer}");
    assert!(
        answer["body"].as_str().unwrap().contains("No such exec"),
        "{answer}"
    );
    assert_eq!(answer["headers"]["dhow-bridge"], Value::Null);
    assert!(next(&mut socket).await.is_none());
    for (wanted, status) in [
        (
            json!({ "method": "GET", "path": "/_ping", "session": "0" }),
            401,
        ),
        (
            json!({ "method": "GET", "path": "http://other.example/_ping" }),
            400,
        ),
        (json!({ "method": "GET", "path": "_ping" }), 400),
        (json!({ "path": "/_ping" }), 400),
    ] {
        let (answer, _) = ask(&browser, wanted.clone()).await;
        assert_eq!(answer["status"], status, "{wanted}");
    }
    let mut stranger = browser.clone();
    stranger.cookie = "dhow-session=0".to_owned();
    let refused = socket_error(&stranger).await;
    assert_eq!(refused, 401);
}

async fn socket_error(browser: &Browser) -> u16 {
    match socket(browser).await {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_without_input_go_through_it_too() {
    let engine = Engine::with_busybox();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let (answer, mut events) = ask(&browser, json!({ "method": "GET", "path": "/events" })).await;
    assert_eq!(answer["status"], 200);
    engine.docker(&["create", "--name", "seen", "busybox"]).ok();
    let event: Value =
        serde_json::from_slice(&next(&mut events).await.unwrap().into_data()).unwrap();
    assert_eq!(event["Actor"]["Attributes"]["name"], "seen");
    let busy = sockets(&engine);
    drop(events);
    until("the engine is told that nobody listens", || {
        (sockets(&engine) < busy).then_some(())
    });
    let (answer, mut all) = ask(&browser, json!({ "method": "GET", "path": "/_ping" })).await;
    assert_eq!(answer["status"], 200);
    assert_eq!(rest(&mut all).await, b"OK");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_leaves_ends_its_terminal() {
    let engine = with_container();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let idle = sockets(&engine);
    let (answer, socket) = exec(&browser, "up", &["cat"]).await;
    assert_eq!(answer["status"], 101);
    drop(socket);
    until("the input ends, and so does the program", || {
        let top = engine.docker(&["top", "up"]).ok();
        (!top.contains("cat") && sockets(&engine) <= idle).then_some(())
    });
}
