//! Requests and answers that take a while or are large.

use std::time::Duration;

use bytes::Bytes;
use dhow_testkit::{Engine, Image, Layer, until};
use futures_util::StreamExt;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::Value;
use tokio::time::timeout;

use crate::served::{Body, Served, exchange, send};

const SOON: Duration = Duration::from_secs(20);

/// The next JSON object of a stream that has a line for each.
async fn next_event(answer: &mut Response<Incoming>) -> Value {
    let frame = timeout(SOON, answer.body_mut().frame()).await;
    let bytes = frame.expect("it comes at once").unwrap().unwrap();
    serde_json::from_slice(&bytes.into_data().unwrap()).unwrap()
}

/// How many sockets the engine has.
pub fn sockets(engine: &Engine) -> usize {
    let folder = format!("/proc/{}/fd", engine.daemon());
    std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_arrives_before_the_stream_ends() {
    let engine = Engine::with_busybox();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let mut events = browser.get("/engine/events").await;
    assert_eq!(events.status(), 200);
    for name in ["first", "second"] {
        engine.docker(&["create", "--name", name, "busybox"]).ok();
        let event = next_event(&mut events).await;
        assert_eq!(event["Action"], "create");
        assert_eq!(event["Actor"]["Attributes"]["name"], name);
    }
    // A page that is closed does not keep the engine busy.
    let busy = sockets(&engine);
    drop(events);
    until("the engine is told that nobody listens", || {
        (sockets(&engine) < busy).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_leaves_takes_its_request_along() {
    let engine = Engine::with_busybox();
    // It does not end when it is told to.
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "deaf",
            "busybox",
            "sh",
            "-c",
            "trap '' TERM; while :; do sleep 1; done",
        ])
        .ok();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let idle = sockets(&engine);
    let waiting = tokio::spawn(async move {
        let request = browser.request("POST", "/engine/containers/deaf/stop?t=300");
        send(&browser.address, request, "").await
    });
    until("the engine waits for the container", || {
        (sockets(&engine) > idle).then_some(())
    });
    // Dropped with its connection.
    waiting.abort();
    until("the engine is told that nobody waits", || {
        (sockets(&engine) <= idle).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_come_as_they_are_written() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "-t",
            "--name",
            "talks",
            "busybox",
            "sh",
            "-c",
            "for i in 1 2 3; do echo $i; sleep 1; done; sleep 600",
        ])
        .ok();
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let mut logs = browser
        .get("/engine/containers/talks/logs?stdout=1&follow=1")
        .await;
    let mut said = String::new();
    while !said.contains('3') {
        let frame = timeout(SOON, logs.body_mut().frame()).await;
        let bytes = frame.expect("it comes at once").unwrap().unwrap();
        said.push_str(&String::from_utf8_lossy(&bytes.into_data().unwrap()));
    }
}

/// The most memory that the program has had, in KiB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_image_goes_both_ways_in_little_memory() {
    const SIZE: usize = 256 << 20;
    let engine = Engine::start();
    {
        let bytes = vec![7; SIZE];
        let image = Image::new().layer(Layer::new().file("large", 0o644, &bytes));
        engine.load(&image, "large:1");
    }
    let served = Served::start(&engine);
    let browser = served.browser().await;
    browser.get("/engine/_ping").await;
    let before = peak(served.process());

    let saved = browser.get("/engine/images/large:1/get").await;
    assert_eq!(saved.status(), 200);
    let mut archive = std::fs::File::create(engine.scratch().join("archive")).unwrap();
    let mut body = saved.into_body();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let bytes = frame.unwrap().into_data().unwrap();
        size += bytes.len();
        std::io::Write::write_all(&mut archive, &bytes).unwrap();
    }
    assert!(size > SIZE, "{size}");

    engine.docker(&["rmi", "large:1"]).ok();
    let archive = std::fs::File::open(engine.scratch().join("archive")).unwrap();
    let pieces = futures_util::stream::unfold(archive, |mut archive| async move {
        let mut buffer = vec![0; 128 << 10];
        let count = std::io::Read::read(&mut archive, &mut buffer).unwrap();
        buffer.truncate(count);
        (count > 0).then(|| (Ok(Frame::data(Bytes::from(buffer))), archive))
    });
    let body: Body = StreamBody::new(pieces.boxed()).boxed_unsync();
    let request = browser
        .request("POST", "/engine/images/load?quiet=1")
        .header("content-type", "application/x-tar")
        .header("content-length", size)
        .body(body)
        .unwrap();
    let loaded = exchange(&served.address, request).await;
    assert_eq!(loaded.status(), 200);
    loaded.into_body().collect().await.unwrap();
    let listed = engine.docker(&["images", "-q", "large:1"]).ok();
    assert!(!listed.is_empty());
    let grown = peak(served.process()) - before;
    assert!(grown < 16 << 10, "{grown} KiB more for {size} bytes");
}
