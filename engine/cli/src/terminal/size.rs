//! The size of the terminal, and telling the engine of it.

use dhow_client::{Client, Request};
use tokio::signal::unix::{SignalKind, signal};

/// Rows and columns of the terminal at standard output, or input.
pub fn current() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout())
        .or_else(|_| rustix::termios::tcgetwinsize(std::io::stdin()))
        .ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some((size.ws_row, size.ws_col))
}

/// Makes whatever runs in the container draw its screen again: a terminal that
/// was attached to shows nothing until then.
pub async fn redraw(client: &Client, path: &str) {
    if let Some((rows, columns)) = current() {
        let request = Request::post(format!("{path}/resize"))
            .query("h", rows.saturating_add(1))
            .query("w", columns.saturating_add(1));
        let _ = client.done(request).await;
    }
}

/// Tells the engine the size now and whenever it changes. `path` is that of
/// the container or exec; ends only by being dropped.
pub async fn follow(client: &Client, path: String) {
    let Ok(mut changes) = signal(SignalKind::window_change()) else {
        return;
    };
    loop {
        if let Some((rows, columns)) = current() {
            let request = Request::post(format!("{path}/resize"))
                .query("h", rows)
                .query("w", columns);
            // A container that has just exited has no terminal to resize.
            let _ = client.done(request).await;
        }
        if changes.recv().await.is_none() {
            return;
        }
    }
}
