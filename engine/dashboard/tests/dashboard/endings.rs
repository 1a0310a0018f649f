//! It ends when it is told to, whatever is open, and whatever its engine does.

use dhow_testkit::{Engine, until};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::opened::{ask, exec, socket, start_container};
use crate::served::{Served, send};

/// What became of the engine before the dashboard is told to end.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    None,
    /// It does not answer any more, and keeps its connections.
    Hung,
    Gone,
}

/// Opens what pages have open, lets `trouble` happen, and says `signal`.
async fn ends(trouble: Trouble, signal: Signal) {
    let mut engine = Engine::with_busybox();
    start_container(&engine);
    let served = Served::start(&engine);
    let browser = served.browser().await;
    let _events = browser.get("/engine/events").await;
    let (_, _stream) = ask(&browser, json!({ "method": "GET", "path": "/events" })).await;
    let (answer, _terminal) = exec(&browser, "up", &["cat"]).await;
    assert_eq!(answer["status"], 101, "{answer}");
    // A page that does not read what it is sent.
    let (_, _flood) = exec(&browser, "up", &["yes"]).await;
    // One that has not said yet what it wants.
    let _silent = socket(&browser).await.expect("a socket opens");
    match trouble {
        Trouble::None => {}
        Trouble::Hung => engine.signal(Signal::SIGSTOP),
        Trouble::Gone => engine.crash(),
    }
    // What is asked now may never be answered.
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let browser = browser.clone();
            tokio::spawn(async move {
                let request = browser.request("POST", "/engine/containers/up/wait");
                send(&browser.address, request, "").await
            })
        })
        .collect();
    let asked = json!({ "method": "GET", "path": "/info" });
    let opening = browser.clone();
    let opening = tokio::spawn(async move { ask(&opening, asked).await });
    until("the requests are under way, or answered", || {
        let connections = connections(served.process());
        let answered = waiting.iter().filter(|one| one.is_finished()).count();
        (connections + answered >= 10).then_some(())
    });
    let (status, rest) = served.end(signal);
    if let Trouble::Hung = trouble {
        engine.signal(Signal::SIGCONT);
    }
    // A terminal that goes away ends it as it ends every program.
    if signal != Signal::SIGHUP {
        assert!(status.success(), "{trouble:?}, {signal}: {status}");
        assert!(rest.contains("Ctrl-C"), "{rest}");
    }
    for one in waiting {
        one.abort();
    }
    opening.abort();
}

/// How many sockets a process has.
fn connections(process: u32) -> usize {
    let entries = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter();
    let targets = entries
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

const SIGNALS: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_engine_that_answers() {
    for signal in SIGNALS {
        ends(Trouble::None, signal).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_engine_that_hangs() {
    for signal in SIGNALS {
        ends(Trouble::Hung, signal).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_engine_that_is_gone() {
    for signal in SIGNALS {
        ends(Trouble::Gone, signal).await;
    }
}
