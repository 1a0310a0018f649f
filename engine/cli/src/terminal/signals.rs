//! Passes signals on to a container.

use dhow_client::{Client, Request};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that are passed on. Those about this process itself (children,
/// pipes, its terminal) are not.
const FORWARDED: &[(&str, i32)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("USR1", 10),
    ("USR2", 12),
    ("ALRM", 14),
    ("TERM", 15),
    ("CONT", 18),
];

/// Signals caught from now on.
pub struct Caught(Vec<(&'static str, Signal)>);

impl Caught {
    /// Starts catching, so that none is lost between this and
    /// [`Caught::forward`].
    pub fn new() -> Self {
        Self(
            FORWARDED
                .iter()
                .filter_map(|(name, number)| {
                    Some((*name, signal(SignalKind::from_raw(*number)).ok()?))
                })
                .collect(),
        )
    }

    /// Sends every signal to the container; ends only by being dropped.
    pub async fn forward(&mut self, client: &Client, id: &str) {
        loop {
            let name = self.next().await;
            let request = Request::post(format!("/containers/{id}/kill")).query("signal", name);
            // The container may have exited meanwhile: that is told elsewhere.
            let _ = client.done(request).await;
        }
    }

    async fn next(&mut self) -> &'static str {
        let waits = self.0.iter_mut().map(|(name, signal)| {
            Box::pin(async move {
                signal.recv().await;
                *name
            })
        });
        futures_util::future::select_all(waits).await.0
    }
}
