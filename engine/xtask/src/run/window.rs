//! The window of a run: the app, on this run's engine.
//!
//! It is a guest here. Closing it ends nothing, and where there is no display
//! the run goes on without it.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::engine::Signals;
use crate::command::command;

/// An open window, closed when this is dropped.
pub struct Window(Child);

/// Whether windows can be shown here.
pub fn has_display() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

impl Window {
    /// Opens `program` on the engine at `host`; its settings are kept in
    /// `folder`, so that those of an installed Dhow stay as they are.
    pub fn open(program: &Path, host: &str, folder: &Path, signals: &Signals) -> Result<Self> {
        let mut app: Command = command(program, &[]);
        app.env("DHOW_HOST", host)
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .env("XDG_DATA_HOME", folder.join("data"))
            .env("XDG_CACHE_HOME", folder.join("cache"))
            // Ctrl-C is for us.
            .process_group(0);
        signals.released(&mut app).map(Self)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|status| status.is_none()) {
            let _gone_just_now = kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGTERM);
        }
        let _ = self.0.wait();
    }
}
