//! The whole engine, asked as people ask it: by the real `docker` client,
//! by `dhow`, and now and then by hand over the API.
//!
//! Each test has a `dhowd` of its own, on a real kernel, as root. What is
//! expected here is what Docker does; a test that fails on Debian's dockerd
//! would be wrong, unless it says why we differ.
#![forbid(unsafe_code)]

mod api;
mod events;
mod exchange;
mod exec;
mod files;
mod hostile;
mod images;
mod imports;
mod lifecycle;
mod limits;
mod logs;
mod options;
mod ports;
mod proxies;
mod registries;
mod run;
mod sdk;
mod servers;
mod streams;
mod supervision;
mod volumes;
mod web;

use dhow_testkit::Engine;

/// Starts a container that idles, ends at once on SIGTERM, and is named.
fn idle(engine: &Engine, name: &str) -> String {
    engine
        .docker(&[
            "run", "-d", "--name", name, "--init", "busybox", "sleep", "100000",
        ])
        .ok()
}

/// One field of a container, by a Go template.
fn field(engine: &Engine, container: &str, template: &str) -> String {
    engine.docker(&["inspect", "-f", template, container]).ok()
}
