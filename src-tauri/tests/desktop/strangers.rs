//! No page but the app's own is ever in the window, and the app's own page
//! reaches nothing but the app.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dhow_testkit::{Engine, until};

use crate::desktop::Desktop;
use crate::driver::App;

/// A page as a container might serve it, and how often it was asked for.
fn stranger() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let address = format!(
        "http://{}/",
        listener.local_addr().expect("it has an address")
    );
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            // A connection on which nothing is said asks for nothing: engines
            // of the web open such ones ahead of a click.
            if matches!(stream.read(&mut [0; 1024]), Ok(length) if length > 0) {
                count.fetch_add(1, Ordering::SeqCst);
            }
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            );
        }
    });
    (address, asked)
}

#[test]
fn pages_of_containers_are_for_the_browser() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    let own = app.address();
    let (address, asked) = stranger();

    app.run(&format!("location.href = '{address}href'"));
    until("the browser is asked", || {
        desktop
            .opened()
            .contains(&format!("{address}href"))
            .then_some(())
    });
    // A person's click may open windows, but not here.
    app.run(&format!(
        "const link = document.createElement('a');
         link.id = 'out'; link.target = '_blank'; link.href = '{address}open'; link.text = 'out';
         document.body.prepend(link);"
    ));
    app.click("#out");
    until("the browser is asked", || {
        desktop
            .opened()
            .contains(&format!("{address}open"))
            .then_some(())
    });
    app.run("location.href = 'file:///etc/passwd'");
    app.run("location.href = 'data:text/html,hello'");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(app.address(), own);
    app.shows("Containers");
    assert_eq!(desktop.opened().lines().count(), 2, "{}", desktop.opened());
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing was fetched");
}

#[test]
fn the_page_fetches_frames_and_runs_nothing_from_elsewhere() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    let (address, asked) = stranger();
    let script = format!(
        "const failed = await fetch('{address}').then(() => 'fetched', () => 'refused');
         const frame = document.createElement('iframe'); frame.src = '{address}';
         document.body.append(frame);
         const image = new Image(); image.src = '{address}';
         const code = document.createElement('script'); code.textContent = 'window.evil = 1';
         document.body.append(code);
         await new Promise((resolve) => setTimeout(resolve, 700));
         frame.remove();
         return [failed, window.evil ?? null];"
    );
    assert_eq!(app.evaluate(&script), serde_json::json!(["refused", null]));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn the_page_has_the_app_s_commands_and_none_of_tauri_s() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    for command in [
        "plugin:window|close",
        "plugin:webview|create_webview_window",
        "plugin:event|listen",
        "plugin:app|version",
        "plugin:deep-link|get_current",
        "plugin:window-state|save_window_state",
        "plugin:menu|new",
        "plugin:tray|new",
    ] {
        let answer = app.run_async(&format!("return await invoke('{command}', {{}})"));
        let failed = answer["failed"].as_str().unwrap_or_default();
        assert!(failed.contains("not allowed"), "{command}: {answer}");
    }
    for url in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ssh://host",
        "x",
    ] {
        let answer = app.run_async(&format!(
            "return await invoke('app_open_external', {{ url: '{url}' }})"
        ));
        assert!(answer.get("failed").is_some(), "{url}: {answer}");
    }
    assert_eq!(desktop.opened(), "");
}
