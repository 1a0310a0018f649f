//! A person who is not looking is told of crashes, and not of what was wanted.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dhow_testkit::{Engine, until};
use zbus::blocking::{Connection, connection};
use zbus::interface;
use zbus::zvariant::OwnedValue;

use crate::desktop::Desktop;
use crate::driver::{App, start_undriven};
use crate::menu::Menu;

/// What desktops have to show notices, writing them down instead.
struct Board(Arc<Mutex<Vec<String>>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Board {
    #[expect(clippy::too_many_arguments, reason = "that is how they are told")]
    fn notify(
        &self,
        _app: String,
        _replaces: u32,
        _icon: String,
        title: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut told = self.0.lock().expect("nobody panics with it");
        told.push(format!("{title}: {body}"));
        u32::try_from(told.len()).unwrap_or(u32::MAX)
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned(), "actions".to_owned()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        let text = str::to_owned;
        (text("board"), text("dhow"), text("1"), text("1.2"))
    }

    fn close_notification(&self, _id: u32) {}
}

fn board(desktop: &Desktop) -> (Connection, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let connection = connection::Builder::address(desktop.bus())
        .and_then(|builder| builder.name("org.freedesktop.Notifications"))
        .and_then(|builder| builder.serve_at("/org/freedesktop/Notifications", Board(told.clone())))
        .and_then(connection::Builder::build);
    (connection.expect("the bus is there"), told)
}

/// Waits until something was told, and for what else would be told with it.
#[track_caller]
fn all(told: &Mutex<Vec<String>>) -> Vec<String> {
    let all = || told.lock().expect("nobody panics with it").clone();
    until("somebody is told", || (!all().is_empty()).then_some(()));
    std::thread::sleep(Duration::from_millis(500));
    all()
}

#[test]
fn crashes_are_told_and_stops_are_not() {
    let engine = Engine::with_busybox();
    let desktop = Desktop::start();
    let (_connection, told) = board(&desktop);
    let _app = start_undriven(&desktop, &engine, &["--hidden"]);
    Menu::of(&desktop).shows("Engine running · no containers");

    let run = |name: &str, words: &[&str]| {
        let head = ["run", "-d", "--name", name, "busybox"];
        engine.docker(&[&head[..], words].concat()).ok();
    };
    run("stopped", &["sleep", "600"]);
    engine.docker(&["stop", "-t", "0", "stopped"]).ok();
    run("done", &["true"]);
    run("broken", &["sh", "-c", "exit 3"]);
    let expected = "broken ended with an error: Its program ended with code 3.";
    assert_eq!(all(&told), [expected]);
}

#[test]
fn bad_health_is_told_once() {
    let engine = Engine::with_busybox();
    let desktop = Desktop::start();
    let (_connection, told) = board(&desktop);
    let _app = start_undriven(&desktop, &engine, &["--hidden"]);
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · no containers");
    let health = [
        "--health-cmd",
        "exit 1",
        "--health-interval",
        "1s",
        "--health-retries",
        "1",
    ];
    let head = ["run", "-d", "--init", "--name", "sick"];
    let program = ["busybox", "sleep", "600"];
    engine
        .docker(&[&head[..], &health[..], &program[..]].concat())
        .ok();
    menu.shows("▲ sick");
    assert_eq!(all(&told), ["sick is unhealthy: Its health check fails."]);
}

/// A registry that takes longer to say no than people watch.
fn slow_registry() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    std::thread::spawn(move || {
        let mut patience = Duration::from_secs(6);
        for mut stream in listener.incoming().flatten() {
            let took = std::mem::take(&mut patience);
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                std::thread::sleep(took);
                let _ = stream.write_all(
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                );
            });
        }
    });
    address.to_string()
}

#[test]
fn the_end_of_a_long_task_is_told_to_who_closed_the_window() {
    let engine = Engine::with_busybox();
    let desktop = Desktop::start();
    let (_connection, told) = board(&desktop);
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    let image = format!("{}/slow", slow_registry());
    // Sent and read as the page does it; nobody waits for it here.
    app.run(&format!(
        "const invoke = window.__TAURI_INTERNALS__.invoke;
         const number = 4000;
         const path = '/v1.51/images/create?fromImage={image}&tag=1';
         const head = {{ number, method: 'POST', path, headers: [], body: 'none' }};
         (async () => {{
             await invoke('engine_request', {{ head }});
             while ((await invoke('engine_read', {{ number }})).byteLength > 0);
         }})();"
    ));
    desktop.close_window();
    let all = all(&told);
    let expected = format!("Pull of {image}:1 has failed: ");
    assert!(all.len() == 1 && all[0].starts_with(&expected), "{all:?}");
}
