//! `docker import`: of trees from pipes and from the web.

use dhow_testkit::{Engine, Image, fixture};

use crate::field;
use crate::web::{Server, head, reply};

/// The tree of busybox, as `docker export` would write it.
fn tree(engine: &Engine) -> Vec<u8> {
    engine.load(&fixture::busybox(), "busybox:latest");
    engine.docker(&["create", "--name", "tree", "busybox"]).ok();
    engine.docker(&["export", "tree"]).stdout
}

#[test]
fn a_tree_from_the_web_becomes_an_image() {
    let engine = Engine::start();
    let tree = tree(&engine);
    let web = Server::start(move |request, stream| match request.target() {
        "/moved.tar" => head(stream, "302 Found", "Location: /tree.tar?token=secret\r\n"),
        "/tree.tar?token=secret" => reply(stream, "200 OK", &tree),
        _ => reply(stream, "404 Not Found", b"there is no such tree\n"),
    });
    let source = format!("http://{}/moved.tar", web.address());
    let said = engine
        .docker(&["import", "-c", "CMD [\"true\"]", &source, "web:1"])
        .ok();
    let mut lines = said.lines();
    let first = format!("Downloading from {source}");
    assert_eq!(lines.next(), Some(first.as_str()));
    let id = field(&engine, "web:1", "{{.Id}}");
    assert_eq!(lines.next_back(), Some(id.as_str()));
    assert_eq!(
        field(&engine, "web:1", "{{.Comment}}"),
        format!("Imported from {source}")
    );
    assert_eq!(
        engine.docker(&["run", "--rm", "web:1", "echo", "hi"]).ok(),
        "hi"
    );
    // The client takes an address without a scheme for a file's.
    let bare = format!("{}/moved.tar", web.address());
    let path = format!("/images/create?repo=web&tag=bare&fromSrc={bare}");
    let answer = engine.post(&path, &serde_json::json!({}));
    assert!(answer.text().contains(&first), "{}", answer.text());
    assert_eq!(
        field(&engine, "web:bare", "{{.Comment}}"),
        format!("Imported from {bare}")
    );

    // What is secret in an address is sent, and written down nowhere.
    let source = format!("http://me:hunter2@{}/tree.tar?token=secret", web.address());
    let said = engine.docker(&["import", &source, "web:2"]).ok();
    let comment = field(&engine, "web:2", "{{.Comment}}");
    let log = engine.log();
    for text in [&said, &comment, &log] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(!comment.contains("secret"), "{comment}");
    let last = web.seen().pop().unwrap();
    assert_eq!(last.header("authorization"), Some("Basic bWU6aHVudGVyMg=="));
}

#[test]
fn what_the_web_does_not_give_is_an_error() {
    let engine = Engine::start();
    let web = Server::start(|request, stream| match request.target() {
        "/cut.tar" => {
            head(stream, "200 OK", "Content-Length: 100000\r\n");
            let half = [0; 512];
            let _ = std::io::Write::write_all(stream, &half);
        }
        "/page.tar" => reply(stream, "200 OK", b"<html>not an archive</html>"),
        "/round.tar" => head(stream, "302 Found", "Location: /round.tar\r\n"),
        "/closed.tar" => reply(stream, "403 Forbidden", b"not for you\n"),
        _ => reply(stream, "404 Not Found", b"there is no such tree\n"),
    });
    let refused = |path: &str| {
        let source = format!("http://{}/{path}", web.address());
        engine.docker(&["import", &source, "never:1"]).fails(1)
    };
    let address = format!("http://{}", web.address());
    let check = |path: &str, expected: &str| {
        let said = refused(path);
        assert!(said.contains(expected), "{path}: {said}");
    };
    check(
        "none.tar",
        &format!(
            "failed to GET {address}/none.tar with status 404 Not Found: there is no such tree"
        ),
    );
    check(
        "closed.tar",
        &format!("failed to GET {address}/closed.tar with status 403 Forbidden: not for you"),
    );
    check("round.tar", "stopped after 10 redirects");
    check("cut.tar", "unexpected EOF");
    check("page.tar", "archive");
    for (source, status) in [
        (format!("{address}/none.tar"), 404),
        (format!("{address}/closed.tar"), 403),
        ("http://nowhere.invalid/tree.tar".to_owned(), 404),
        ("ftp://host/tree.tar".to_owned(), 400),
    ] {
        let path = format!("/images/create?fromSrc={source}");
        let answer = engine.post(&path, &serde_json::json!({}));
        assert_eq!(answer.status, status, "{source}: {}", answer.text());
    }
    assert_eq!(engine.docker(&["images", "-q", "never"]).ok(), "");
}

#[test]
fn an_import_goes_through_the_proxy() {
    let tree = Image::new().archive("unused:1");
    let web = Server::start(move |_, stream| reply(stream, "200 OK", &tree));
    // `me:sesame`.
    let proxy = Server::proxy(&web.address(), "Basic bWU6c2VzYW1l");
    let engine = Engine::options()
        .argument(&format!(
            "--http-proxy=http://me:sesame@{}",
            proxy.address()
        ))
        .start();
    engine
        .docker(&["import", "http://far.invalid/tree.tar", "far:1"])
        .ok();
    assert_eq!(proxy.seen()[0].target(), "http://far.invalid/tree.tar");
    assert_eq!(web.seen()[0].target(), "/tree.tar");
}
