//! The window that `run` opens on its engine, and the end of it.

use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::Result;

use super::engine::Signals;
use crate::command::command;

/// An open window; closed when this is dropped.
pub struct Window(Child);

/// Whether there is something to show a window on.
pub fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Opens the window on the engine at `host`.
pub fn open(app: &Path, host: &str, signals: &Signals) -> Result<Window> {
    let mut command = command(app, &[]);
    command
        .env("DHOW_HOST", host)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(Window(signals.released(&mut command)?))
}

impl Drop for Window {
    fn drop(&mut self) {
        // The person may have closed it long ago.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
