//! Search, against an index of a few lines.

use dhow_model::{ErrorKind, HasKind as _};
use dhow_registry::{Config, Credentials, Registry};

use crate::server::{Server, reply};
use crate::support::{client, config, text};

fn index() -> Server {
    Server::start(|request, stream, _| {
        match request.path() {
        "/v1/search" => reply(
            stream,
            "200 OK",
            &[],
            br#"{"num_results":1,"query":"x","results":[{"name":"busybox","description":"Busybox base image.","star_count":3,"is_official":true,"is_trusted":true}]}"#,
        ),
        _ => reply(stream, "404 Not Found", &[], b""),
    }
    })
}

#[tokio::test]
async fn the_hubs_index_is_asked() {
    let index = index();
    let client = Registry::new(Config {
        hub_index: format!("http://{}/v1/", index.address()),
        ..config()
    })
    .unwrap();
    let nobody = Credentials::default();
    let answer = client.search("a b/ü", Some(7), &nobody).await.unwrap();
    assert_eq!(answer.num_results, 1);
    assert_eq!(answer.results[0].name, "busybox");
    assert!(answer.results[0].is_official && !answer.results[0].is_automated);
    assert_eq!(index.seen()[0].target, "/v1/search?q=a+b%2F%C3%BC&n=7");
    client.search("x", None, &nobody).await.unwrap();
    assert!(index.seen()[1].target.ends_with("&n=25"));
}

#[tokio::test]
async fn another_index_is_asked_by_its_name() {
    let index = index();
    let term = format!("{}/busybox", index.address());
    let answer = client().search(&term, None, &Credentials::default()).await;
    assert_eq!(answer.unwrap().results.len(), 1);
    assert_eq!(index.seen()[0].target, "/v1/search?q=busybox&n=25");
}

#[tokio::test]
async fn bad_questions_are_refused_before_anyone_is_asked() {
    let nobody = Credentials::default();
    for limit in [0, 101, -1] {
        let error = client()
            .search("x", Some(limit), &nobody)
            .await
            .unwrap_err();
        assert_eq!(
            text(&error),
            format!("limit {limit} is outside the range of [1, 100]")
        );
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    }
    let error = client()
        .search("http://x/y", None, &nobody)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
}
