//! Tokens, cookies and keys.

use dhow_testkit::Engine;
use http::Request;

use crate::served::{Browser, Served, json_of, present, send};

#[tokio::test]
async fn a_link_lets_one_browser_in() {
    let engine = Engine::start();
    let mut served = Served::start(&engine);
    assert_eq!(served.token.len(), 64, "32 random bytes");
    let wrong = present(&served.address, &"0".repeat(64)).await;
    assert_eq!(wrong.status(), 401);
    assert!(!wrong.headers().contains_key("set-cookie"));

    let first = present(&served.address, &served.token).await;
    assert_eq!(first.status(), 200);
    let cookie = first.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"),
        "{cookie}"
    );
    assert_eq!(first.headers()["cache-control"], "no-store");

    let second = present(&served.address, &served.token).await;
    assert_eq!(second.status(), 401);
    assert_eq!(second.headers()["dhow-bridge"], "session");
    let message = json_of(second).await["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("was used"), "{message}");

    // Whoever lost the session presses Enter; the first browser stays in.
    let old = Browser {
        address: served.address.clone(),
        cookie: cookie.split(';').next().unwrap().to_owned(),
        key: json_of(first).await["key"].as_str().unwrap().to_owned(),
    };
    let token = served.another_token();
    assert_ne!(token, served.token);
    let new = Browser::enter(&served.address, &token).await;
    for browser in [old, new] {
        assert_eq!(browser.get("/engine/_ping").await.status(), 200);
    }
}

#[tokio::test]
async fn a_session_needs_both_of_its_halves() {
    let engine = Engine::start();
    let mut served = Served::start(&engine);
    let browser = served.browser().await;
    let token = served.another_token();
    let other = Browser::enter(&served.address, &token).await;
    let ask = async |cookie: Option<&str>, key: Option<&str>| {
        let mut request = Request::get("/engine/_ping").header("host", &served.address);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(key) = key {
            request = request.header("dhow-session", key);
        }
        let answer = send(&served.address, request, "").await;
        answer.status().as_u16()
    };
    let (cookie, key) = (browser.cookie.as_str(), browser.key.as_str());
    let name = cookie.split('=').next().unwrap();
    assert_eq!(ask(Some(cookie), Some(key)).await, 200);
    // What a container on another port is sent is not enough.
    assert_eq!(ask(Some(cookie), None).await, 401);
    assert_eq!(ask(None, Some(key)).await, 401);
    assert_eq!(ask(Some(cookie), Some(&other.key)).await, 401);
    assert_eq!(
        ask(Some(cookie), Some(&cookie[name.len() + 1..])).await,
        401
    );
    assert_eq!(ask(Some(&format!("{name}={key}")), Some(key)).await, 401);
    // Other ports can set cookies of that name, which come along.
    let tossed = format!("{name}=junk; other=1; {cookie}");
    assert_eq!(ask(Some(&tossed), Some(key)).await, 200);
    for target in ["/host.json", "/engine/", "/engine/v1.47/containers/json"] {
        let request = Request::get(target).header("host", &served.address);
        assert_eq!(send(&served.address, request, "").await.status(), 401);
    }
    let host = json_of(browser.get("/host.json").await).await;
    assert_eq!(host["engineHost"], engine.host());
    assert!(!host["version"].as_str().unwrap().is_empty());
}
