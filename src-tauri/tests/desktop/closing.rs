//! Closing hides where there is a way back; quitting is up to the person.

use dhow_testkit::{Engine, until};

use crate::desktop::Desktop;
use crate::driver::start_undriven;
use crate::menu::Menu;

fn run(engine: &Engine, name: &str) {
    let program = ["busybox", "sleep", "600"];
    let head = ["run", "-d", "--init", "--name", name];
    engine.docker(&[&head[..], &program[..]].concat()).ok();
}

fn running(engine: &Engine) -> usize {
    engine.docker(&["ps", "-q"]).ok().lines().count()
}

#[test]
fn closing_leaves_the_tray_and_quitting_leaves_the_containers() {
    let engine = Engine::with_busybox();
    run(&engine, "one");
    let desktop = Desktop::start();
    desktop.set("[app]\non-quit = \"keep\"\n");
    let mut app = start_undriven(&desktop, &engine, &[]);
    desktop.close_window();
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · 1 container");
    // A hidden window follows events all the same.
    run(&engine, "two");
    menu.shows("Engine running · 2 containers");
    menu.click(&["Open Dhow"]);
    until("the window is back", || desktop.shows("Dhow").then_some(()));
    menu.click(&["Quit"]);
    assert!(app.wait());
    assert_eq!(running(&engine), 2);
}

#[test]
fn quitting_stops_the_containers_of_who_wants_that() {
    let engine = Engine::with_busybox();
    run(&engine, "one");
    let desktop = Desktop::start();
    desktop.set("[app]\non-quit = \"stop\"\n");
    // As at login: there is only the tray.
    let mut app = start_undriven(&desktop, &engine, &["--hidden"]);
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · 1 container");
    assert!(!desktop.shows("Dhow"));
    menu.click(&["Quit"]);
    assert!(app.wait());
    assert_eq!(running(&engine), 0);
}

#[test]
fn the_question_is_asked_once_and_the_answer_kept() {
    let engine = Engine::with_busybox();
    run(&engine, "one");
    let desktop = Desktop::start();
    let mut app = start_undriven(&desktop, &engine, &["--hidden"]);
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · 1 container");
    menu.click(&["Quit"]);
    // The first answer has the keyboard: keep them running.
    desktop.press("Quit Dhow", "Return", || {
        let settings = std::fs::read_to_string(desktop.settings()).unwrap_or_default();
        settings.contains("on-quit = \"keep\"")
    });
    assert!(app.wait());
    assert_eq!(running(&engine), 1);
}

#[test]
fn without_a_tray_closing_ends_the_app() {
    let engine = Engine::start();
    let desktop = Desktop::without_tray();
    let mut app = start_undriven(&desktop, &engine, &[]);
    desktop.close_window();
    assert!(app.wait());
}
