//! The window shows what the engine has, and follows it.

use dhow_testkit::{Engine, until};

use crate::desktop::Desktop;
use crate::driver::{App, own_program, running};
use crate::process::Group;

#[test]
fn containers_come_and_go_by_themselves() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["run", "-d", "--name", "first", "busybox", "sleep", "600"])
        .ok();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("first");
    engine
        .docker(&["run", "-d", "--name", "second", "busybox", "sleep", "600"])
        .ok();
    app.shows("second");
    engine.docker(&["rm", "-f", "first"]).ok();
    app.hides("first");
}

#[test]
fn an_engine_that_is_killed_is_said_to_be_gone_and_found_again() {
    let mut engine = Engine::with_busybox();
    engine
        .docker(&["run", "-d", "--name", "stays", "busybox", "sleep", "600"])
        .ok();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("stays");
    let state = || {
        let state =
            app.evaluate("return (await invoke('app_engine', { changes: '__CHANNEL__:1' })).state");
        state.as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(state(), "up");
    engine.crash();
    until("the app knows", || (state() == "unreachable").then_some(()));
    app.hides("Engine running");
    engine.start_again();
    until("the app knows", || (state() == "up").then_some(()));
    app.shows("Engine running");
    app.shows("stays");
}

#[test]
fn without_a_display_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for display in ["", ":4711"] {
        let output = std::process::Command::new(own_program())
            .env("HOME", folder.path())
            .env("DISPLAY", display)
            .env_remove("WAYLAND_DISPLAY")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("no display can be reached"), "{said}");
        assert!(said.contains("dhow dashboard"), "{said}");
    }
}

#[test]
fn the_first_start_shows_the_first_steps_once() {
    let engine = Engine::with_busybox();
    let desktop = Desktop::start();
    std::fs::remove_file(desktop.settings()).unwrap();
    let app = App::start(&desktop, &engine.host());
    app.shows("First steps");
    app.shows("dhow");
    app.run(
        "const buttons = [...document.querySelectorAll('button')];
         buttons.find((button) => button.innerText.trim() === 'Skip').click()",
    );
    until("the list is there", || {
        app.address().ends_with("#/containers").then_some(())
    });
    let settings = std::fs::read_to_string(desktop.settings()).unwrap();
    assert!(settings.contains("onboarded = \"yes\""), "{settings}");
    drop(app);
    // A second one beside it would only tell the first, and leave.
    until("the app has ended", || {
        running(&desktop).is_none().then_some(())
    });
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    app.hides("First steps");
}

#[test]
fn links_and_second_starts_come_to_the_window_that_is_there() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    let mut second = std::process::Command::new(own_program());
    second.envs(desktop.environment()).arg("dhow://settings");
    assert!(Group::start(&second).wait(), "it only tells the first");
    until("the window follows the link", || {
        app.address().ends_with("#/settings").then_some(())
    });
    // Nothing else goes through a link.
    let mut third = std::process::Command::new(own_program());
    third
        .envs(desktop.environment())
        .arg("dhow://containers/';alert(1);'");
    assert!(Group::start(&third).wait());
    until("the link was seen", || {
        desktop.log().contains("means nothing").then_some(())
    });
    assert!(app.address().ends_with("#/settings"));
}

#[test]
fn settings_go_both_ways_between_page_and_file() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    app.evaluate("await invoke('app_set_setting', { key: 'app.on-quit', value: 'keep' })");
    let file = std::fs::read_to_string(desktop.settings()).unwrap();
    assert!(file.contains("on-quit = \"keep\""), "{file}");
    let refused =
        app.run_async("await invoke('app_set_setting', { key: 'app.on-quit', value: 'x' })");
    assert!(
        refused["failed"]
            .as_str()
            .is_some_and(|said| said.contains("one of")),
        "{refused}"
    );
    std::fs::write(desktop.settings(), file.replace("\"keep\"", "\"stop\"")).unwrap();
    until("the file is read again", || {
        let texts = app
            .evaluate("return (await invoke('app_settings', { changes: '__CHANNEL__:2' })).texts");
        (texts["app.on-quit"] == "stop").then_some(())
    });
}
