//! What the app asks of the system: a file to save to, a start at login.

use dhow_testkit::{Engine, until};

use crate::desktop::Desktop;
use crate::driver::{App, own_program};

/// Asks to save three bytes; the answer is kept in the page.
const SAVE: &str = "
    window.saved = null;
    const bytes = new Uint8Array([0, 255, 10]);
    invoke('app_save_file', bytes, { headers: { 'dhow-name': encodeURIComponent('web logs.bin') } })
        .then((saved) => { window.saved = saved; }, (error) => { window.saved = String(error); });
";

#[test]
fn a_file_is_saved_where_the_person_says_or_not_at_all() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    let answer = || app.run("return window.saved");
    let answered = || !answer().is_null();

    app.evaluate(SAVE);
    desktop.press("Save File", "Escape", answered);
    assert_eq!(answer(), false);

    app.evaluate(SAVE);
    let target = desktop.home().join("home/kept.bin");
    until("the dialog is there", || {
        desktop.shows("Save File").then_some(())
    });
    // A slash opens the line for a whole path.
    desktop.press("Save File", "ctrl+a", || true);
    desktop.xdotool(&["type", "--delay", "20", &target.display().to_string()]);
    desktop.press("Save File", "Return", answered);
    assert_eq!(answer(), true);
    assert_eq!(std::fs::read(&target).expect("it is saved"), [0, 255, 10]);
}

#[test]
fn the_start_at_login_is_entered_and_removed() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    let entry = desktop.home().join("config/autostart/Dhow.desktop");
    assert!(!entry.exists(), "nobody asked for it");
    let set = |value: &str| {
        app.evaluate(&format!(
            "await invoke('app_set_setting', {{ key: 'app.start-at-login', value: '{value}' }})"
        ));
    };
    set("true");
    let text = until("the entry is made", || {
        std::fs::read_to_string(&entry)
            .ok()
            .filter(|text| text.contains("Exec="))
    });
    let line = format!("Exec={} --hidden", own_program().display());
    assert!(text.lines().any(|found| found == line), "{text}");
    set("false");
    until("the entry is removed", || (!entry.exists()).then_some(()));
}
