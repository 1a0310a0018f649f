//! The pages and the headers they come with.

use dhow_testkit::Engine;
use http::Request;
use http_body_util::BodyExt;

use crate::served::{Served, send, text_of};

#[tokio::test]
async fn pages_come_with_what_they_are() {
    let engine = Engine::start();
    let served = Served::start(&engine);
    let ask = async |method: &str, target: &str, tag: Option<&str>| {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", &served.address);
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        send(&served.address, request, "").await
    };
    for (target, kind, keeping) in [
        ("/", "text/html; charset=utf-8", "no-store"),
        ("/index.html", "text/html; charset=utf-8", "no-store"),
        (
            "/assets/index-Ab3dEf9Z.js",
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        (
            "/assets/index-Ab3dEf9Z.css",
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        ("/mark.svg", "image/svg+xml", "no-cache"),
    ] {
        let answer = ask("GET", target, None).await;
        assert_eq!(answer.status(), 200, "{target}");
        let headers = answer.headers().clone();
        assert_eq!(headers["content-type"], kind, "{target}");
        assert_eq!(headers["cache-control"], keeping, "{target}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!text_of(answer).await.is_empty());

        let tag = headers["etag"].to_str().unwrap();
        let again = ask("GET", target, Some(tag)).await;
        assert_eq!(again.status(), 304, "{target}");
        let head = ask("HEAD", target, None).await;
        assert_eq!(head.headers()["etag"], tag);
        assert!(
            head.into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .is_empty()
        );
    }
    for target in ["/assets", "/nothing", "/%2e%2e/secret", "/engineering"] {
        assert_eq!(ask("GET", target, None).await.status(), 404, "{target}");
    }
    let put = ask("GET", "//engine/_ping", None).await;
    assert_eq!(put.status(), 404, "a page, not the engine");
}

#[tokio::test]
async fn what_the_engine_answers_is_no_page() {
    let engine = Engine::start();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let answer = browser.get("/engine/v1.47/info").await;
    let headers = answer.headers();
    assert_eq!(answer.status(), 200);
    assert_eq!(headers["content-type"], "application/json");
    assert!(headers.contains_key("api-version"));
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(
        headers["content-security-policy"],
        "default-src 'none'; frame-ancestors 'none'; sandbox"
    );
    // The engine's own errors are the engine's.
    let missing = browser.get("/engine/containers/none/json").await;
    assert_eq!(missing.status(), 404);
    assert!(!missing.headers().contains_key("dhow-bridge"));
    assert!(text_of(missing).await.contains("No such container"));
}
