//! The command: what it refuses and what it says.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use dhow_testkit::{Engine, Outcome, program, until};

use crate::served::{Served, pages, present};

#[tokio::test]
async fn other_addresses_have_to_be_asked_for_twice() {
    let engine = Engine::with_busybox();
    let folder = pages(&engine.scratch()).display().to_string();
    let words = |address: &str| {
        [
            "dashboard",
            "--no-open",
            "--pages",
            &folder,
            "--address",
            address,
        ]
        .map(str::to_owned)
    };
    let refused = |extra: &[&str], variable: bool, address: &str| {
        let words = words(address);
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.extend(extra);
        let mut command = engine.dhow_command(&words);
        if variable {
            command.env("DHOW_ALLOW_INSECURE_TCP", "1");
        }
        Outcome::of(command, b"").fails(1)
    };
    // The bridge's address is one that containers reach.
    let up = engine.docker_command(&["run", "-d", "busybox", "sleep", "600"]);
    Outcome::of(up, b"").ok();
    let gateway = engine.gateway().to_owned();
    let flag = "--allow-insecure-tcp";
    for (extra, variable) in [(&[][..], false), (&[flag][..], false), (&[][..], true)] {
        let text = refused(extra, variable, &gateway);
        assert!(text.contains(&gateway) && text.contains(flag), "{text}");
        assert!(text.contains("DHOW_ALLOW_INSECURE_TCP=1"), "{text}");
    }
    for everywhere in ["0.0.0.0", "::"] {
        assert!(refused(&[flag], true, everywhere).contains("one address"));
    }
    let words = words(&gateway);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.push(flag);
    let mut command = engine.dhow_command(&words);
    command.env("DHOW_ALLOW_INSECURE_TCP", "1");
    let served = Served::run(command);
    assert!(served.address.starts_with(&gateway), "{}", served.address);
    assert_eq!(present(&served.address, &served.token).await.status(), 200);
}

#[test]
fn a_build_without_pages_says_how_to_make_them() {
    let engine = Engine::start();
    let empty = engine.scratch().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.display().to_string();
    let text = engine
        .dhow(&["dashboard", "--no-open", "--pages", &empty])
        .fails(1);
    assert!(text.contains("cargo xtask ui"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let engine = Engine::start();
    let served = Served::start(&engine);
    let folder = pages(&engine.scratch()).display().to_string();
    let port = served.address.rsplit(':').next().unwrap();
    let text = engine
        .dhow(&["dashboard", "--no-open", "--pages", &folder, "--port", port])
        .fails(1);
    assert!(
        text.contains(&served.address) && text.contains("in use"),
        "{text}"
    );
}

/// `nobody`, a person with a desktop.
const PERSON: &str = "65534";

fn as_person(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", PERSON, "--regid", PERSON, "--clear-groups", "--"])
        .arg(program);
    command
}

fn may(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn the_link_that_opens_the_browser_is_for_its_person_alone() {
    let engine = Engine::start();
    let place = tempfile::tempdir().unwrap();
    may(place.path(), 0o755);
    let bin = place.path().join("bin");
    let shown = place.path().join("shown");
    std::fs::create_dir(&bin).unwrap();
    std::fs::create_dir(&shown).unwrap();
    may(&shown, 0o777);
    std::fs::copy(program::ours("dhow"), bin.join("dhow")).unwrap();
    let link = shown.join("link");
    let script = format!(
        "#!/bin/sh\necho \"$1\" >{0}.new; mv {0}.new {0}\n",
        link.display()
    );
    std::fs::write(bin.join("xdg-open"), script).unwrap();
    may(&bin.join("xdg-open"), 0o755);
    let mut command = as_person(&bin.join("dhow"));
    command
        .arg("dashboard")
        .arg("--pages")
        .arg(pages(place.path()))
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("DISPLAY", ":0")
        .env("DOCKER_HOST", engine.host());
    let served = Served::run(command);
    let link = until("the browser is opened", || {
        std::fs::read_to_string(&link).ok()
    });
    let token = link.trim().rsplit_once("#token=").unwrap().1;
    assert_ne!(token, served.token);

    // Somebody else on this machine, root in fact, read the command line.
    assert_eq!(present(&served.address, token).await.status(), 401);
    let mut browser = as_person(Path::new("/usr/bin/curl"));
    browser
        .args([
            "--silent",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ])
        .args(["--header", &format!("Origin: http://{}", served.address)])
        .args(["--data", &format!("{{\"token\":\"{token}\"}}")])
        .arg(format!("http://{}/session", served.address));
    assert_eq!(Outcome::of(browser, b"").ok(), "200");

    // The socket is root's, and the page can say so.
    let denied = served.browser().await.get("/engine/_ping").await;
    assert_eq!(denied.status(), 502);
    assert_eq!(denied.headers()["dhow-bridge"], "denied");
}
