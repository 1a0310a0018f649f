//! The real window on a desktop of its own, measured: how soon its list is
//! there, what it takes when nobody looks, what its processes hold.
//!
//! Started by `cargo xtask bench --window`, which builds the release programs
//! and makes a table of what is printed here: one JSON object a line, with
//! `what`, `unit` and `values`. Nothing here fails because a machine is slow.

// What drives the window is the tests'; they use more of it.
#[allow(dead_code)]
#[path = "../../tests/desktop/desktop.rs"]
mod desktop;
#[allow(dead_code)]
#[path = "../../tests/desktop/driver.rs"]
mod driver;
#[allow(dead_code)]
#[path = "../../tests/desktop/process.rs"]
mod process;
mod tree;

use std::time::Duration;

use dhow_testkit::{Engine, until};
use serde_json::json;

use desktop::Desktop;
use driver::App;
use tree::Tree;

/// How many containers the list has.
const CONTAINERS: usize = 20;

/// How long a window is left to itself before it is watched, and then watched.
const SETTLING: Duration = Duration::from_secs(10);
const WATCHED: Duration = Duration::from_secs(60);

fn main() {
    // cargo bench says `--bench`; a number is how many starts to measure.
    let starts = std::env::args().find_map(|text| text.parse().ok());
    let starts: usize = starts.unwrap_or(15);

    let engine = Engine::with_busybox();
    for number in 0..CONTAINERS {
        let name = format!("idle{number}");
        engine
            .docker(&["run", "-d", "--name", &name, "busybox", "sleep", "3600"])
            .ok();
    }
    let (lists, memory): (Vec<_>, Vec<_>) = (0..starts).map(|_| start(&engine)).unzip();
    row("window: from its start to the list of 20", "ms", &lists);
    row("window and all its processes, proportional", "MiB", &memory);
    for hidden in [false, true] {
        let state = if hidden { "hidden" } else { "shown" };
        let (processor, requests) = idle(&engine, hidden);
        row(
            &format!("window, {state} and idle"),
            "% of a core",
            &[processor],
        );
        let what = format!(
            "window, {state} and idle: requests in {} s",
            WATCHED.as_secs()
        );
        row(&what, "", &[requests]);
    }
}

/// One start: milliseconds from the process's beginning to the first list, and
/// the tree's memory some seconds later in MiB.
fn start(engine: &Engine) -> (f64, f64) {
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    let shown = until("the list is there", || {
        let mark = app.run(
            "const [mark] = performance.getEntriesByName('list');
             return mark === undefined ? null : performance.timeOrigin + mark.startTime",
        );
        mark.as_f64()
    });
    let tree = Tree::of(&desktop);
    std::thread::sleep(Duration::from_secs(3));
    (shown - tree.started(), tree.memory())
}

/// What a window takes that nobody uses: percents of a core, and how many
/// requests the engine had from it.
fn idle(engine: &Engine, hidden: bool) -> (f64, f64) {
    let desktop = Desktop::start();
    let _app = driver::start_undriven(&desktop, engine, &[]);
    until("the window is there", || {
        desktop.shows("Dhow").then_some(())
    });
    std::thread::sleep(SETTLING);
    if hidden {
        desktop.close_window();
        std::thread::sleep(SETTLING);
    }
    let tree = Tree::of(&desktop);
    let requests = || engine.log().matches("answered method=").count();
    let before = (tree.processor(), requests());
    std::thread::sleep(WATCHED);
    let spent = tree.processor() - before.0;
    let asked = requests() - before.1;
    #[allow(clippy::cast_precision_loss)]
    let asked = asked as f64;
    (spent.as_secs_f64() / WATCHED.as_secs_f64() * 100.0, asked)
}

fn row(what: &str, unit: &str, values: &[f64]) {
    println!(
        "{}",
        json!({ "what": what, "unit": unit, "values": values })
    );
}
