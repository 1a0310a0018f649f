//! Engines that are not on a socket of this machine.

use dhow_testkit::certificate::Authority;
use dhow_testkit::{Engine, SshServer, fixture, program, until};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::opened::{exec, rest, start_container};
use crate::served::{Served, json_of, pages};

/// Whether the dashboard shows the engine that it should show.
async fn check(served: &Served, engine: &Engine) {
    let browser = served.browser().await;
    let info = json_of(browser.get("/engine/info").await).await;
    assert_eq!(info["ID"], engine.get("/info").json()["ID"]);
    let made = browser
        .post(
            "/engine/volumes/create",
            &serde_json::json!({ "Name": "far" }),
        )
        .await;
    assert_eq!(made.status(), 201);
    // Both ways at once, with an end of input that has to arrive.
    engine.load(&fixture::busybox(), "busybox:latest");
    start_container(engine);
    let (answer, mut socket) = exec(&browser, "up", &["sh", "-c", "cat; echo after"]).await;
    assert_eq!(answer["status"], 101, "{answer}");
    let hello = Message::binary(b"hello".to_vec());
    socket.send(hello).await.unwrap();
    let echoed = socket.next().await.unwrap().unwrap().into_data();
    assert_eq!(&echoed[8..], b"hello");
    let end = Message::text(r#"{"end":true}"#);
    socket.send(end).await.unwrap();
    assert_eq!(&rest(&mut socket).await[8..], b"after\n");
}

#[tokio::test]
async fn through_tls() {
    let place = tempfile::tempdir().unwrap();
    let authority = Authority::new(&place.path().join("ca"));
    let (server, client) = (authority.issue("server"), authority.issue("client"));
    let ca = authority.certificate().display().to_string();
    let engine = Engine::options()
        .argument("--host=tcp://127.0.0.1:0")
        .argument("--tlsverify")
        .argument(&format!("--tlscacert={ca}"))
        .argument(&format!("--tlscert={}", server.certificate.display()))
        .argument(&format!("--tlskey={}", server.key.display()))
        .start();
    let port = until("the daemon says where it listens", || {
        let log = engine.log();
        let ports = log.split("127.0.0.1:").skip(1).filter_map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u16>().ok().filter(|port| *port != 0)
        });
        ports.last()
    });
    let folder = pages(&engine.scratch()).display().to_string();
    let host = format!("tcp://127.0.0.1:{port}");
    let flags = [
        format!("--tlscacert={ca}"),
        format!("--tlscert={}", client.certificate.display()),
        format!("--tlskey={}", client.key.display()),
    ];
    let mut words = vec!["-H", &host, "--tlsverify"];
    words.extend(flags.iter().map(String::as_str));
    words.extend(["dashboard", "--no-open", "--pages", &folder]);
    let mut command = engine.dhow_command(&words);
    command.env_remove("DOCKER_HOST");
    check(&Served::run(command), &engine).await;
}

#[tokio::test]
async fn through_ssh() {
    let engine = Engine::start();
    let place = tempfile::tempdir().unwrap();
    let bin = place.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(program::ours("dhow"), bin.join("dhow")).unwrap();
    let remote_path = format!("{}:/usr/bin:/bin", bin.display());
    let host = engine.host();
    let server = SshServer::start(
        &place.path().join("ssh"),
        &[("PATH", &remote_path), ("DOCKER_HOST", &host)],
    );
    let path = format!("{}:/usr/bin:/bin", server.client_folder().display());
    let folder = pages(&engine.scratch()).display().to_string();
    let address = server.address();
    let words = ["-H", &address, "dashboard", "--no-open", "--pages", &folder];
    let mut command = engine.dhow_command(&words);
    command.env_remove("DOCKER_HOST").env("PATH", path);
    check(&Served::run(command), &engine).await;
}
