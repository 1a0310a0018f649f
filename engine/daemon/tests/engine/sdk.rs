//! Docker's SDK for Python (Debian's package), which many test suites and
//! deployment tools are built on, against the engine.

use std::process::Command;

use dhow_testkit::{Engine, Outcome};

#[test]
fn the_python_sdk_finds_what_it_expects() {
    let engine = Engine::with_busybox();
    // Debian's own interpreter: the package belongs to no other.
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-", "-v"]).env(
        "DOCKER_HOST",
        format!("unix://{}", engine.socket().display()),
    );
    let outcome = Outcome::of(python, include_bytes!("sdk/containers.py"));
    // unittest's last word where all ran and none was skipped.
    assert!(
        outcome.code == 0 && outcome.err().ends_with("\nOK"),
        "{outcome}"
    );
}
