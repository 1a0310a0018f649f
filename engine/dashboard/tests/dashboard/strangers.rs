//! Pages that are not ours. They get the cookie and the key here, which no
//! real one has: what they say of themselves must be enough to refuse them.

use dhow_testkit::Engine;
use http::Request;

use crate::served::{Browser, Served, send};

/// What a browser sends for a page of another port, and for others.
fn pages_of_strangers(ours: &str) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let host = |text: &str| ("host", text.to_owned());
    let origin = |text: &str| ("origin", text.to_owned());
    let site = |text: &str| ("sec-fetch-site", text.to_owned());
    let port = ours.rsplit(':').next().unwrap();
    let us = format!("http://{ours}");
    vec![
        (
            "a container's page",
            vec![
                host(ours),
                origin("http://127.0.0.1:8080"),
                site("same-site"),
            ],
        ),
        (
            "one in an old browser",
            vec![host(ours), origin("http://127.0.0.1:8080")],
        ),
        ("one that reads", vec![host(ours), site("same-site")]),
        (
            "a page of the web",
            vec![
                host(ours),
                origin("https://evil.example"),
                site("cross-site"),
            ],
        ),
        ("a frame in a sandbox", vec![host(ours), origin("null")]),
        (
            "by another name",
            vec![
                host(&format!("localhost:{port}")),
                origin(&format!("http://localhost:{port}")),
            ],
        ),
        (
            "rebound",
            vec![
                host(&format!("evil.example:{port}")),
                origin(&format!("http://evil.example:{port}")),
                site("same-origin"),
            ],
        ),
        (
            "rebound, with our origin",
            vec![host(&format!("evil.example:{port}")), origin(&us)],
        ),
        (
            "two hosts",
            vec![host(ours), host("evil.example"), origin(&us)],
        ),
        (
            "two origins",
            vec![host(ours), origin(&us), origin("http://evil.example")],
        ),
        ("typed", vec![host(ours), site("none")]),
    ]
}

fn request(browser: &Browser, method: &str, target: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(target)
        .header("cookie", &browser.cookie)
        .header("dhow-session", &browser.key)
}

#[tokio::test]
async fn no_other_page_reaches_the_engine() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["create", "--name", "precious", "busybox"])
        .ok();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    for (who, headers) in pages_of_strangers(&served.address) {
        for (method, target) in [
            ("DELETE", "/engine/containers/precious?force=1"),
            ("POST", "/engine/containers/precious/start"),
            ("GET", "/engine/containers/json"),
            ("GET", "/host.json"),
            ("OPTIONS", "/engine/containers/json"),
            ("POST", "/session"),
            ("GET", "/engine-open"),
        ] {
            let mut request = request(&browser, method, target);
            for (name, value) in &headers {
                request = request.header(*name, value);
            }
            if target == "/engine-open" {
                request = request
                    .header("connection", "Upgrade")
                    .header("upgrade", "websocket")
                    .header("sec-websocket-version", "13")
                    .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
            }
            let answer = send(&served.address, request, "").await;
            let status = answer.status().as_u16();
            assert!(
                matches!(status, 403 | 421),
                "{who}: {method} {target}: {status}"
            );
            let allowed = answer
                .headers()
                .keys()
                .any(|n| n.as_str().starts_with("access-control"));
            assert!(!allowed, "{who}: {method} {target}");
        }
    }
    // Whoever changes something says from where.
    let lone =
        request(&browser, "DELETE", "/engine/containers/precious").header("host", &served.address);
    assert_eq!(send(&served.address, lone, "").await.status(), 403);
    assert_eq!(engine.docker(&["ps", "-aq"]).ok().lines().count(), 1);
    let gone = send(
        &served.address,
        browser.request("DELETE", "/engine/containers/precious"),
        "",
    );
    assert_eq!(gone.await.status(), 204, "our own page may");
}

#[tokio::test]
async fn no_other_page_uses_a_token() {
    let engine = Engine::start();
    let served = Served::start(&engine);
    let token = format!("{{\"token\":\"{}\"}}", served.token);
    for (who, headers) in pages_of_strangers(&served.address) {
        let mut request = Request::post("/session");
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let answer = send(&served.address, request, token.clone()).await;
        assert!(matches!(answer.status().as_u16(), 403 | 421), "{who}");
        assert!(!answer.headers().contains_key("set-cookie"), "{who}");
    }
    let _still_good = served.browser().await;
}

#[tokio::test]
async fn no_other_page_shows_ours() {
    let engine = Engine::start();
    let served = Served::start(&engine);
    let ask = async |site: &str, mode: &str, dest: &str| {
        let request = Request::get("/")
            .header("host", &served.address)
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-dest", dest);
        send(&served.address, request, "").await.status().as_u16()
    };
    assert_eq!(ask("none", "navigate", "document").await, 200);
    assert_eq!(
        ask("cross-site", "navigate", "document").await,
        200,
        "a link"
    );
    assert_eq!(ask("same-site", "navigate", "iframe").await, 403);
    assert_eq!(ask("same-site", "no-cors", "script").await, 403);
}
