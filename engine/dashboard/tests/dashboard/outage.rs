//! Engines that go and come back.

use dhow_testkit::Engine;
use http_body_util::BodyExt;
use serde_json::json;

use crate::opened::ask;
use crate::served::{Served, json_of};

#[tokio::test]
async fn a_dashboard_outlives_its_engine() {
    let mut engine = Engine::start();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let mut events = browser.get("/engine/events").await;
    assert_eq!(browser.get("/engine/_ping").await.status(), 200);

    engine.crash();
    let broken = events.body_mut().frame().await;
    assert!(!matches!(broken, Some(Ok(_))), "nothing more came");
    for _ in 0..3 {
        let gone = browser.get("/engine/_ping").await;
        assert_eq!(gone.status(), 502);
        assert_eq!(gone.headers()["dhow-bridge"], "unreachable");
        let message = json_of(gone).await["message"].as_str().unwrap().to_owned();
        assert!(message.contains("dhow.sock"), "{message}");
    }
    let (gone, _) = ask(&browser, json!({ "method": "GET", "path": "/events" })).await;
    assert_eq!(gone["status"], 502, "{gone}");
    assert_eq!(gone["headers"]["dhow-bridge"], "unreachable");
    assert_eq!(browser.get("/host.json").await.status(), 200);

    engine.start_again();
    assert_eq!(browser.get("/engine/_ping").await.status(), 200);
    let created = browser
        .post("/engine/volumes/create", &json!({ "Name": "back" }))
        .await;
    assert_eq!(created.status(), 201);
}
