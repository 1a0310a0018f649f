//! The app starts the engine that lies beside it, starts it again when it
//! ends, and leaves it alone when the app itself goes.
//!
//! The engine's own places are meant here, so the app gets a `/run` and a
//! `/var/lib` of its own, a network with nobody in it, and a namespace of
//! processes, with which everything ends.

use std::path::{Path, PathBuf};
use std::process::Command;

use dhow_testkit::{api, until};

use crate::desktop::Desktop;
use crate::driver::own_program;
use crate::menu::Menu;
use crate::process::Group;

const OWN_PLACES: &str = "mount -t tmpfs none /run && mount -t tmpfs none /var/lib && \
     ip link set lo up && \"$0\" --hidden; echo \"$?\" > \"$HOME/ended\"; exec sleep 600";

/// The number that the engine has in its own namespace, if it answers.
fn answers(root: &Path) -> Option<String> {
    let process = std::fs::read_to_string(root.join("run/dhow/dhowd.pid")).ok()?;
    let answer = api::unix(&root.join("run/dhow.sock"), "GET", "/_ping", None).ok()?;
    (answer.status == 200).then(|| process.trim().to_owned())
}

#[test]
fn the_bundled_engine_is_started_watched_and_left_alone() {
    dhow_testkit::program::ours("dhowd");
    let desktop = Desktop::start();
    let mut command = desktop.command("unshare");
    command
        .args(["--mount", "--net", "--pid", "--fork", "--mount-proc"])
        .args(["--kill-child=KILL", "--propagation", "private"])
        .args(["sh", "-c", OWN_PLACES])
        .arg(own_program());
    for name in ["DHOW_HOST", "DOCKER_HOST", "DOCKER_CONTEXT", "DHOW_CONTEXT"] {
        command.env_remove(name);
    }
    let app = Group::start(&command);
    let children = format!("/proc/{0}/task/{0}/children", app.id());
    let inside = until("the namespaces are there", || {
        let children = std::fs::read_to_string(&children).ok()?;
        Some(children.split_whitespace().next()?.to_owned())
    });
    let root = PathBuf::from(format!("/proc/{inside}/root"));
    let first = until("the engine answers", || answers(&root));
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · no containers");

    let killed = Command::new("nsenter")
        .args([
            "--target", &inside, "--pid", "--mount", "kill", "-KILL", &first,
        ])
        .status();
    assert!(killed.expect("nsenter runs").success());
    let second = until("it is started again", || {
        answers(&root).filter(|process| *process != first)
    });
    menu.shows("Engine running · no containers");

    // Nothing that the engine does depends on the app.
    menu.click(&["Quit"]);
    let ended = desktop.home().join("home/ended");
    let code = until("the app ends", || std::fs::read_to_string(&ended).ok());
    assert_eq!(code.trim(), "0");
    assert_eq!(answers(&root), Some(second));
}
