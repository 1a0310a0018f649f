//! A person who is not looking is told of crashes, and not of what was wanted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dhow_testkit::{Engine, until};
use zbus::blocking::{Connection, connection};
use zbus::interface;
use zbus::zvariant::OwnedValue;

use crate::desktop::Desktop;
use crate::driver::start_undriven;
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
    let all = || told.lock().expect("nobody panics with it").clone();
    until("somebody is told", || (!all().is_empty()).then_some(()));
    // Whatever else would be told has had its time.
    std::thread::sleep(Duration::from_millis(500));
    let expected = "broken ended with an error: Its program ended with code 3.";
    assert_eq!(all(), [expected]);
}
