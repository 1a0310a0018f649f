//! The configuration file while the daemon runs.

use nix::sys::signal::Signal;

use crate::daemon::{Place, write};

#[test]
fn reloads_on_a_signal_and_when_the_file_changes() {
    let place = Place::new();
    let file = place.path("daemon.json");
    write(&file, r#"{"labels": ["color=red"], "log-level": "info"}"#);
    let mut daemon = place.start(&["--config-file", &file.display().to_string()]);
    assert!(!daemon.log().contains("DEBUG"));

    // Replaced by rename, as editors do; noticed without a signal.
    let new = place.path("daemon.json.new");
    write(
        &new,
        r#"{"labels": ["color=blue"], "log-level": "debug", "mtu": 1400}"#,
    );
    std::fs::rename(&new, &file).unwrap();
    daemon.wait_for("configuration reloaded");
    daemon.wait_for("a restart is needed for mtu");
    daemon.get("/_ping");
    daemon.wait_for("DEBUG");

    // What is wrong is told and changes nothing.
    write(&file, r#"{"bogus": true}"#);
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for("bogus");
    assert!(daemon.log().contains("configuration not reloaded"));
    assert!(daemon.get("/_ping").ends_with("OK"));
    assert_eq!(daemon.stop().code(), Some(0));
}
