//! `dhow` in the person's terminal: links that are made, kept off what is
//! somebody else's, and removed.

use std::path::{Path, PathBuf};

use dhow_testkit::{Engine, program};
use serde_json::Value;

use crate::desktop::Desktop;
use crate::driver::App;

/// A `/usr/local/bin` that is this app's alone.
const OWN_FOLDER: &str = "mount -t tmpfs none /usr/local/bin && exec \"$0\" \"$@\"";

fn state(app: &App) -> Value {
    app.evaluate("return await invoke('command_line')")
}

#[track_caller]
fn done(app: &App, command: &str, scope: &str) {
    app.evaluate(&format!(
        "await invoke('{command}', {{ scope: '{scope}' }})"
    ));
}

#[track_caller]
fn refused(app: &App, command: &str, scope: &str) -> String {
    let answer = app.run_async(&format!(
        "await invoke('{command}', {{ scope: '{scope}' }})"
    ));
    answer["failed"].as_str().expect("it is refused").to_owned()
}

/// Both commands, on a place that `at` shows and the page names as `named`.
#[track_caller]
fn makes_and_removes_its_own_link_only(app: &App, scope: &str, at: &Path, named: &str) {
    let bundled = program::ours("dhow");
    assert_eq!(state(app)[scope]["path"], named);
    done(app, "remove_command_line", scope);
    done(app, "install_command_line", scope);
    assert_eq!(at.read_link().expect("it is a link"), bundled);
    // What is there already is as good as new.
    done(app, "install_command_line", scope);
    done(app, "remove_command_line", scope);
    assert!(at.symlink_metadata().is_err(), "the link is gone");

    std::fs::write(at, "somebody's").expect("root may write there");
    for command in ["install_command_line", "remove_command_line"] {
        let said = refused(app, command, scope);
        assert!(said.contains(named) && said.contains("a file"), "{said}");
    }
    assert_eq!(std::fs::read(at).expect("it is still there"), b"somebody's");
    std::fs::remove_file(at).expect("root may remove it");
    std::os::unix::fs::symlink("/nowhere/dhow", at).expect("root may make links");
    for command in ["install_command_line", "remove_command_line"] {
        let said = refused(app, command, scope);
        assert!(said.contains("/nowhere/dhow, which is gone"), "{said}");
    }
    std::fs::remove_file(at).expect("root may remove it");
}

#[test]
fn links_are_made_and_removed_and_nothing_else_is_touched() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start_in(&desktop, &engine.host(), OWN_FOLDER);
    app.shows("Containers");
    let bundled = program::ours("dhow").display().to_string();
    assert_eq!(state(&app)["bundled"], *bundled);

    let root = PathBuf::from(format!("/proc/{}/root", app.process()));
    let system = root.join("usr/local/bin/dhow");
    makes_and_removes_its_own_link_only(&app, "system", &system, "/usr/local/bin/dhow");
    assert_eq!(
        state(&app)["system"]["needsPassword"],
        false,
        "root asks nobody"
    );

    let user = desktop.home().join("home/.local/bin/dhow");
    // Not there before, as with people who never had a program of their own.
    assert!(!user.parent().is_some_and(Path::exists));
    let named = user.display().to_string();
    done(&app, "install_command_line", "user");
    done(&app, "remove_command_line", "user");
    makes_and_removes_its_own_link_only(&app, "user", &user, &named);
    assert_eq!(state(&app)["user"]["inPath"], false);

    // Found where the PATH leads first.
    done(&app, "install_command_line", "system");
    let now = state(&app);
    assert_eq!(now["found"], "/usr/local/bin/dhow");
    assert_eq!(now["ours"], true);
}
