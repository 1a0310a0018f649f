//! Logins at registries: Debian's registry with a password, the engine that
//! asks it, and the store that the command line uses too.

use std::os::unix::fs::PermissionsExt;

use dhow_testkit::registry::{Options, PASSWORD, USER};
use dhow_testkit::{Engine, Registry, fixture};
use http::Request;
use serde_json::{Value, json};

use crate::opened::{ask, rest};
use crate::served::{Browser, Served, json_of, pages, send, text_of};

fn with_password() -> Registry {
    Registry::with(Options {
        password: true,
        ..Options::default()
    })
}

async fn list(browser: &Browser) -> Value {
    let answer = browser.get("/registries").await;
    assert_eq!(answer.status(), 200);
    let text = text_of(answer).await;
    assert!(!text.contains(PASSWORD), "{text}");
    serde_json::from_str::<Value>(&text).unwrap()["logins"].take()
}

async fn log_in(browser: &Browser, server: &str, secret: &str) -> (u16, Value) {
    let login = json!({ "server": server, "user": USER, "secret": secret });
    let answer = browser.post("/registries", &login).await;
    (answer.status().as_u16(), json_of(answer).await)
}

async fn log_out(browser: &Browser, server: &str) -> u16 {
    let target = format!("/registries?server={}", server.replace(':', "%3A"));
    let request = browser.request("DELETE", &target);
    send(&browser.address, request, "").await.status().as_u16()
}

/// What the engine says to a pull that shows the login for `registry`.
async fn pull(browser: &Browser, reference: &str, registry: Option<&str>) -> String {
    let target = format!("/engine/images/create?fromImage={reference}");
    let mut request = browser.request("POST", &target);
    if let Some(registry) = registry {
        request = request.header("dhow-registry", registry);
    }
    text_of(send(&browser.address, request, "").await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_checked_kept_shown_and_forgotten() {
    let engine = Engine::start();
    let registry = with_password();
    let reference = registry.push(&fixture::busybox(), "busybox:1");
    let server = registry.address();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    assert_eq!(list(&browser).await, json!([]));

    let (status, said) = log_in(&browser, server, "wrong").await;
    assert_eq!(status, 401, "{said}");
    assert!(said["message"].as_str().unwrap().contains("401"), "{said}");
    for (server, secret) in [("a b", PASSWORD), ("", PASSWORD), (server, "")] {
        assert_eq!(log_in(&browser, server, secret).await.0, 400, "{server:?}");
    }
    assert_eq!(list(&browser).await, json!([]), "nothing of it is kept");
    let refused = pull(&browser, &reference, Some(server)).await;
    assert!(refused.contains("no basic auth credentials"), "{refused}");

    let (status, said) = log_in(&browser, &format!("http://{server}/v2/"), PASSWORD).await;
    assert_eq!((status, &said["status"]), (200, &json!("Login Succeeded")));
    let known = json!([{ "server": server, "user": USER, "store": "file" }]);
    assert_eq!(list(&browser).await, known);

    // Only who names the registry shows its login.
    let refused = pull(&browser, &reference, None).await;
    assert!(refused.contains("no basic auth credentials"), "{refused}");
    let said = pull(&browser, &reference, Some(server)).await;
    assert!(said.contains("Downloaded newer image"), "{said}");
    assert!(!engine.log().contains(PASSWORD), "a secret is in the log");

    // The same over a WebSocket, as what stays open goes.
    engine.docker(&["rmi", &reference]).ok();
    let wanted = json!({
        "method": "POST",
        "path": format!("/images/create?fromImage={reference}"),
        "headers": { "dhow-registry": server },
    });
    let (answer, mut socket) = ask(&browser, wanted).await;
    assert_eq!(answer["status"], 200, "{answer}");
    let said = String::from_utf8(rest(&mut socket).await).unwrap();
    assert!(said.contains("Downloaded newer image"), "{said}");

    // What one of us keeps, the other has.
    engine.docker(&["rmi", &reference]).ok();
    engine.dhow(&["pull", &reference]).ok();
    engine.dhow(&["logout", server]).ok();
    assert_eq!(list(&browser).await, json!([]));
    assert_eq!(log_in(&browser, server, PASSWORD).await.0, 200);
    assert_eq!(log_out(&browser, server).await, 204);
    assert_eq!(list(&browser).await, json!([]));
    engine.docker(&["rmi", &reference]).ok();
    let refused = engine.dhow(&["pull", &reference]).fails(1);
    assert!(refused.contains("no basic auth credentials"), "{refused}");
}

/// A helper as people have them, which keeps one entry in `kept` beside it.
const HELPER: &str = r#"#!/bin/sh
kept="$(dirname "$0")/kept"
case $1 in
store) cat > "$kept" ;;
get) cat "$kept" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
erase) rm -f "$kept" ;;
list) sed -n 's/.*"ServerURL":"\([^"]*\)".*"Username":"\([^"]*\)".*/{"\1":"\2"}/p' "$kept" 2>/dev/null | grep . || echo '{}' ;;
esac
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_helper_keeps_the_secret_where_there_is_one() {
    let engine = Engine::start();
    let registry = with_password();
    let reference = registry.push(&fixture::busybox(), "busybox:1");
    let server = registry.address();
    let bin = engine.scratch().join("bin");
    let settings = engine.scratch().join("settings");
    std::fs::create_dir(&bin).unwrap();
    std::fs::create_dir(&settings).unwrap();
    let helper = bin.join("docker-credential-chest");
    std::fs::write(&helper, HELPER).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = settings.join("config.json");
    std::fs::write(&file, r#"{"credsStore":"chest"}"#).unwrap();
    let pages = pages(&engine.scratch()).display().to_string();
    let mut command = engine.dhow_command(&["dashboard", "--no-open", "--pages", &pages]);
    let path = std::env::var("PATH").unwrap();
    command
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("DOCKER_CONFIG", &settings);
    let served = Served::run(command);
    let browser = served.browser().await;

    assert_eq!(list(&browser).await, json!([]));
    assert_eq!(log_in(&browser, server, PASSWORD).await.0, 200);
    let kept = std::fs::read_to_string(bin.join("kept")).unwrap();
    assert!(kept.contains(PASSWORD), "{kept}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("auth\""), "{text}");
    let known = json!([{ "server": server, "user": USER, "store": "chest" }]);
    assert_eq!(list(&browser).await, known);
    let said = pull(&browser, &reference, Some(server)).await;
    assert!(said.contains("Downloaded newer image"), "{said}");
    assert_eq!(log_out(&browser, server).await, 204);
    assert!(!bin.join("kept").exists());
    assert_eq!(list(&browser).await, json!([]));

    // A helper that is not there is named, and nothing is taken for no login.
    std::fs::remove_file(&helper).unwrap();
    let answer = browser.get("/registries").await;
    assert_eq!(answer.status(), 500);
    let message = json_of(answer).await["message"].to_string();
    assert!(message.contains("docker-credential-chest"), "{message}");
    let refused = pull(&browser, &reference, Some(server)).await;
    assert!(refused.contains("docker-credential-chest"), "{refused}");
}

#[tokio::test]
async fn strangers_neither_see_nor_change_logins() {
    let engine = Engine::start();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let plain = Request::get("/registries").header("host", &served.address);
    assert_eq!(send(&served.address, plain, "").await.status(), 401);
    for method in ["POST", "DELETE"] {
        let foreign = Request::builder()
            .method(method)
            .uri("/registries?server=r.example")
            .header("host", &served.address)
            .header("cookie", &browser.cookie)
            .header("dhow-session", &browser.key)
            .header("origin", "http://127.0.0.1:1");
        let body = r#"{"server":"r.example","user":"u","secret":"s"}"#;
        let answer = send(&served.address, foreign, body).await;
        assert_eq!(answer.status(), 403, "{method}");
    }
    let put = browser.request("PUT", "/registries");
    assert_eq!(send(&served.address, put, "").await.status(), 405);
}
