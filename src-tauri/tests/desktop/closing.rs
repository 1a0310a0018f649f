//! Closing hides where there is a way back; quitting is up to the person.

use dhow_testkit::{Engine, until};

use crate::desktop::Desktop;
use crate::driver::own_program;
use crate::menu::Menu;
use crate::process::Group;

fn start(desktop: &Desktop, engine: &Engine, arguments: &[&str]) -> Group {
    let mut command = std::process::Command::new(own_program());
    command
        .args(arguments)
        .envs(desktop.environment())
        .env("DHOW_HOST", engine.host());
    Group::start(&command)
}

#[track_caller]
fn close(desktop: &Desktop) {
    until("the window is there", || {
        desktop.window_is_shown().then_some(())
    });
    desktop.close_window();
}

#[test]
fn closing_leaves_the_tray_and_quitting_leaves_the_containers() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run", "-d", "--init", "--name", "one", "busybox", "sleep", "600",
        ])
        .ok();
    let desktop = Desktop::start();
    std::fs::create_dir_all(desktop.settings().parent().unwrap()).unwrap();
    std::fs::write(desktop.settings(), "[app]\non-quit = \"keep\"\n").unwrap();
    let mut app = start(&desktop, &engine, &[]);
    close(&desktop);
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · 1 container");
    // A hidden window follows events all the same.
    engine
        .docker(&[
            "run", "-d", "--init", "--name", "two", "busybox", "sleep", "600",
        ])
        .ok();
    menu.shows("Engine running · 2 containers");
    menu.click(&["Open Dhow"]);
    until("the window is back", || {
        desktop.window_is_shown().then_some(())
    });
    menu.click(&["Quit"]);
    assert!(app.wait());
    let running = engine.docker(&["ps", "-q"]).ok();
    assert_eq!(running.lines().count(), 2);
}

#[test]
fn quitting_stops_the_containers_of_who_wants_that() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run", "-d", "--init", "--name", "one", "busybox", "sleep", "600",
        ])
        .ok();
    let desktop = Desktop::start();
    std::fs::create_dir_all(desktop.settings().parent().unwrap()).unwrap();
    std::fs::write(desktop.settings(), "[app]\non-quit = \"stop\"\n").unwrap();
    // As at login: there is only the tray.
    let mut app = start(&desktop, &engine, &["--hidden"]);
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · 1 container");
    assert!(!desktop.window_is_shown());
    menu.click(&["Quit"]);
    assert!(app.wait());
    assert_eq!(engine.docker(&["ps", "-q"]).ok(), "");
}

#[test]
fn the_question_is_asked_once_and_the_answer_kept() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run", "-d", "--init", "--name", "one", "busybox", "sleep", "600",
        ])
        .ok();
    let desktop = Desktop::start();
    let mut app = start(&desktop, &engine, &["--hidden"]);
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · 1 container");
    menu.click(&["Quit"]);
    until("the question is there", || {
        let found = desktop.xdotool(&["search", "--onlyvisible", "--name", "^Quit Dhow$"]);
        (!found.is_empty()).then_some(())
    });
    // The first answer has the keyboard: keep them running.
    until("the answer is taken", || {
        desktop.xdotool(&[
            "search",
            "--onlyvisible",
            "--name",
            "^Quit Dhow$",
            "windowactivate",
            "--sync",
        ]);
        desktop.xdotool(&["key", "Return", "sleep", "0.5"]);
        let settings = std::fs::read_to_string(desktop.settings()).unwrap_or_default();
        settings.contains("on-quit = \"keep\"").then_some(())
    });
    assert!(app.wait());
    assert_eq!(engine.docker(&["ps", "-q"]).ok().lines().count(), 1);
}

#[test]
fn without_a_tray_closing_ends_the_app() {
    let engine = Engine::start();
    let desktop = Desktop::without_tray();
    let mut app = start(&desktop, &engine, &[]);
    close(&desktop);
    assert!(app.wait());
}
