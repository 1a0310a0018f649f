//! Taken-over connections, spoken by hand: what goes over the wire before and
//! after HTTP has let go, with clients that upgrade, clients of old that do
//! not, websockets, and clients behind TLS.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use dhow_testkit::Engine;

/// A container that answers each line it reads, and ends with its input.
const ANSWERER: &str = "while read line; do echo \"got $line\"; done; echo ended";

/// A started container named `name` that runs [`ANSWERER`], and whose stdin
/// ends with the first client's (Docker's `StdinOnce`, which `create -i` sets
/// and `run -d -i` does not).
fn answerer(engine: &Engine, name: &str) {
    engine
        .docker(&[
            "create", "-i", "--name", name, "busybox", "sh", "-c", ANSWERER,
        ])
        .ok();
    engine.docker(&["start", name]).ok();
}

fn connect(engine: &Engine) -> UnixStream {
    let stream = UnixStream::connect(engine.socket()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// Reads up to the empty line behind the head, and no further.
fn head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(
            stream.read(&mut byte).unwrap(),
            1,
            "{}",
            String::from_utf8_lossy(&head)
        );
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// The rest of a stream.
fn rest(stream: &mut impl Read) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    rest
}

/// The stdcopy frames of `bytes`, the stream's number before each text.
fn frames(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    while let Some((header, behind)) = bytes.split_at_checked(8) {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        let (payload, behind) = behind.split_at(length.try_into().unwrap());
        text.push_str(&format!(
            "{}:{}",
            header[0],
            String::from_utf8_lossy(payload)
        ));
        bytes = behind;
    }
    assert!(bytes.is_empty(), "a broken frame: {bytes:?}");
    text
}

#[test]
fn attach_is_answered_in_the_clients_way_and_closes_by_halves() {
    let engine = Engine::with_busybox();
    let upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    let raw = "Content-Type: application/vnd.docker.raw-stream\r\n";
    let multiplexed = "Content-Type: application/vnd.docker.multiplexed-stream\r\n";
    let cases = [
        (
            "new",
            "/v1.42",
            upgrade,
            "HTTP/1.1 101 UPGRADED\r\n",
            multiplexed,
        ),
        ("older", "/v1.41", upgrade, "HTTP/1.1 101 UPGRADED\r\n", raw),
        ("oldest", "/v1.24", "", "HTTP/1.1 200 OK\r\n", raw),
    ];
    for (name, version, headers, status, content_type) in cases {
        answerer(&engine, name);
        let mut stream = connect(&engine);
        write!(
            stream,
            "POST {version}/containers/{name}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n\
             Host: dhow\r\n{headers}Content-Length: 0\r\n\r\nearly\n"
        )
        .unwrap();
        let head = head(&mut stream);
        assert!(head.starts_with(status), "{head}");
        assert!(head.contains(content_type), "{head}");
        stream.write_all(b"late\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let output = frames(&rest(&mut stream)).replace("1:", "");
        assert_eq!(output, "got early\ngot late\nended\n", "{name}");
    }
}

#[test]
fn an_exec_is_joined_by_hand() {
    let engine = Engine::with_busybox();
    crate::idle(&engine, "host");
    let config = serde_json::json!({
        "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
        "Cmd": ["sh", "-c", "cat; echo done >&2; exit 4"],
    });
    let created = engine.post("/containers/host/exec", &config);
    assert_eq!(created.status, 201, "{}", created.text());
    let id = created.json()["Id"].as_str().unwrap().to_owned();
    let mut stream = connect(&engine);
    let body = r#"{"Detach": false, "Tty": false}"#;
    write!(
        stream,
        "POST /exec/{id}/start HTTP/1.1\r\nHost: dhow\r\nContent-Type: application/json\r\n\
         Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    assert!(head(&mut stream).starts_with("HTTP/1.1 101 UPGRADED\r\n"));
    stream.write_all(b"through\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(frames(&rest(&mut stream)), "1:through\n2:done\n");
    let ended = engine.get(&format!("/exec/{id}/json")).json();
    assert_eq!(
        (&ended["ExitCode"], &ended["Running"]),
        (&4.into(), &false.into()),
        "{ended}"
    );
}

/// A websocket message of a client: final, of this kind, masked with zeros.
fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    let mut message = vec![0x80 | kind, 0x80 | length, 0, 0, 0, 0];
    message.extend(payload);
    message
}

#[test]
fn a_websocket_carries_input_and_plain_output() {
    let engine = Engine::with_busybox();
    answerer(&engine, "web");
    let mut stream = connect(&engine);
    write!(
        stream,
        "GET /containers/web/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: dhow\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .unwrap();
    let head = head(&mut stream);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{head}"
    );
    stream.write_all(&message(1, b"text\n")).unwrap();
    let mut answer = [0; 11];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"\x82\x09got text\n");
    // A goodbye is answered by one, and ends the input.
    stream
        .write_all(&message(8, &1000u16.to_be_bytes()))
        .unwrap();
    let last = rest(&mut stream);
    assert!(last.windows(2).any(|bytes| bytes == [0x88, 2]), "{last:?}");
    let status = engine.docker(&["wait", "web"]).ok();
    assert_eq!(status, "0");

    let plain = engine.get("/containers/web/attach/ws?stream=1");
    assert_eq!(
        (plain.status, plain.message().as_str()),
        (400, "not websocket protocol")
    );
}

#[test]
fn wait_is_answered_before_it_ends() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["create", "--name", "later", "busybox", "sh", "-c", "exit 7"])
        .ok();
    let mut stream = connect(&engine);
    stream
        .write_all(
            b"POST /containers/later/wait?condition=next-exit HTTP/1.1\r\nHost: dhow\r\n\
              Connection: close\r\nContent-Length: 0\r\n\r\n",
        )
        .unwrap();
    assert!(head(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
    engine.docker(&["start", "later"]).ok();
    let body = String::from_utf8(rest(&mut stream)).unwrap();
    assert!(body.contains(r#""StatusCode":7"#), "{body}");
}
