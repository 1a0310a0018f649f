//! The tray: what its menu says, what clicks do to the engine.

use std::time::Duration;

use dhow_testkit::{Engine, until};

use crate::desktop::Desktop;
use crate::driver::{App, start_undriven};
use crate::menu::Menu;

fn state(engine: &Engine, name: &str) -> String {
    let answer = engine.get(&format!("/v1.51/containers/{name}/json")).json();
    answer["State"]["Status"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[track_caller]
fn becomes(engine: &Engine, name: &str, wanted: &str) {
    until(&format!("{name} is {wanted}"), || {
        (state(engine, name) == wanted).then_some(())
    });
}

#[test]
fn clicks_stop_start_and_restart_containers() {
    let engine = Engine::with_busybox();
    for (name, label) in [("web", "shop"), ("db", "shop")] {
        let label = format!("com.docker.compose.project={label}");
        engine
            .docker(&[
                "run", "-d", "--init", "--name", name, "--label", &label, "busybox", "sleep", "600",
            ])
            .ok();
    }
    engine
        .docker(&[
            "run",
            "-d",
            "--init",
            "--name",
            "al_one",
            "-p",
            "127.0.0.1::80",
            "busybox",
            "sleep",
            "600",
        ])
        .ok();
    let desktop = Desktop::start();
    let _app = App::start(&desktop, &engine.host());
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · 3 containers");

    menu.click(&["● al_one", "Stop"]);
    becomes(&engine, "al_one", "exited");
    menu.shows("Engine running · 2 containers");
    menu.click(&["○ al_one"]);
    becomes(&engine, "al_one", "running");
    menu.shows("Engine running · 3 containers");

    let started = |name: &str| {
        let answer = engine.get(&format!("/v1.51/containers/{name}/json")).json();
        answer["State"]["StartedAt"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let before = started("web");
    menu.click(&["● shop", "● web", "Restart"]);
    until("web is started anew", || {
        (started("web") != before).then_some(())
    });
    becomes(&engine, "web", "running");

    let port = engine.docker(&["port", "al_one", "80"]).ok();
    let port = port
        .trim()
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    menu.click(&["Ports in use", &format!("{port}  al_one")]);
    until("the browser opens the port", || {
        desktop
            .opened()
            .contains(&format!("http://localhost:{port}/"))
            .then_some(())
    });

    // What is stopped is what the menu shows, so the restarted one has to be
    // back in it, whatever it showed in between.
    until("the project is stopped", || {
        menu.shows("● web");
        menu.click(&["● shop", "Stop"]);
        dhow_testkit::wait::within(std::time::Duration::from_secs(5), || {
            let exited = |name| state(&engine, name) == "exited";
            (exited("web") && exited("db")).then_some(())
        })
    });
    menu.click(&["Stop all containers"]);
    becomes(&engine, "al_one", "exited");
    menu.shows("No containers run");
}

/// Where the icon is on the screen.
#[track_caller]
fn icon_of(desktop: &Desktop) -> (String, String) {
    let (x, y) = until("the panel is there", || {
        let windows = desktop.xdotool(&["search", "--onlyvisible", "--class", "xfce4-panel"]);
        let window = windows.lines().last()?.to_owned();
        let shell = desktop.xdotool(&["getwindowgeometry", "--shell", &window]);
        let value = |name: &str| {
            let line = shell.lines().find_map(|line| line.strip_prefix(name))?;
            line.parse::<i32>().ok()
        };
        // The icon is the first thing in it.
        Some((value("X=")? + 12, value("Y=")? + value("HEIGHT=")? / 2))
    });
    (x.to_string(), y.to_string())
}

#[test]
fn the_icon_is_clicked_and_the_menu_walked_by_hand() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run", "-d", "--init", "--name", "only", "busybox", "sleep", "600",
        ])
        .ok();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("only");
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · 1 container");
    let (x, y) = icon_of(&desktop);
    // Menus open when they open: keys that came too early are pressed again.
    until("the container is stopped by hand", || {
        desktop.xdotool(&["mousemove", &x, &y, "click", "1", "sleep", "0.5"]);
        // Down to the container, into its menu (Logs, Restart, Stop).
        desktop.xdotool(&[
            "key", "--delay", "150", "Down", "Right", "Down", "Down", "Return",
        ]);
        let stopped = dhow_testkit::wait::within(std::time::Duration::from_secs(4), || {
            (state(&engine, "only") == "exited").then_some(())
        });
        if stopped.is_none() {
            desktop.xdotool(&["key", "--delay", "100", "Escape", "Escape", "Escape"]);
        }
        stopped
    });
    app.shows("Exited");
}

#[test]
fn the_engine_s_state_is_in_icon_and_menu() {
    let mut engine = Engine::start();
    let desktop = Desktop::start();
    let _app = App::start(&desktop, &engine.host());
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · no containers");
    let up = menu.icon();
    engine.crash();
    menu.shows("The engine is not running");
    // It is not this app's to start: somebody said where it is.
    assert!(!menu.text().contains("Start the engine"));
    until("the icon changes", || (menu.icon() != up).then_some(()));
    engine.start_again();
    // Found again without being asked to look.
    menu.shows("Engine running · no containers");
}

#[test]
fn what_containers_take_is_measured_when_somebody_looks() {
    let engine = Engine::with_busybox();
    let busy = "while :; do :; done";
    let head = ["run", "-d", "--init", "--name", "busy", "busybox"];
    engine
        .docker(&[&head[..], &["sh", "-c", busy]].concat())
        .ok();
    let desktop = Desktop::start();
    let _app = start_undriven(&desktop, &engine, &["--hidden"]);
    let menu = Menu::of(&desktop);
    menu.shows("Engine running · 1 container");
    let status = || {
        let text = menu.text();
        text.lines().next().unwrap_or_default().to_owned()
    };
    let asked = || engine.log().matches("/stats").count();
    // Whoever does not look costs nothing.
    let before = asked();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(asked(), before, "{}", engine.log());

    menu.open();
    let shown = until("the load is shown", || {
        let status = status();
        let load = status.strip_prefix("Engine running · 1 container · CPU ")?;
        let (processor, memory) = load.split_once(" %, memory ")?;
        Some((processor.parse::<f64>().ok()?, memory.to_owned()))
    });
    assert!(shown.0 > 10.0, "a loop is not idle: {shown:?}");
    assert!(shown.1.ends_with(" MB"), "{shown:?}");
    let measured = asked();
    // It is taken away when it is old, and nobody asks again.
    menu.shows("Engine running · 1 container");
    assert_eq!(asked(), measured, "{}", engine.log());

    // A real panel says it too when the icon is clicked.
    let (x, y) = icon_of(&desktop);
    until("a click measures", || {
        desktop.xdotool(&["mousemove", &x, &y, "click", "1"]);
        let soon = Duration::from_secs(4);
        dhow_testkit::wait::within(soon, || (asked() > measured).then_some(())).or_else(|| {
            desktop.xdotool(&["key", "Escape"]);
            None
        })
    });
}
