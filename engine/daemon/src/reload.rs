//! When to read the configuration again: on SIGHUP, and when the file changed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Editors write a file in several steps; the last one counts.
const SETTLE: Duration = Duration::from_millis(300);

/// Why the configuration may be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Somebody said so.
    Asked,
    /// The file was written, made or removed, or something was done to it.
    FileTouched,
}

/// Tells when to reload.
pub struct Reloads {
    hangup: Signal,
    changes: mpsc::Receiver<()>,
    /// Dropped, it stops watching.
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Reloads {
    /// Watches `file`, which need not exist, by way of its directory: that is
    /// where editors and configuration tools put a new one in its place.
    pub fn watch(file: &Path) -> std::io::Result<Self> {
        let (sender, changes) = mpsc::channel(1);
        let watcher = match watcher(file.to_owned(), sender) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::debug!(file = %file.display(), "not watched: {error}");
                None
            }
        };
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            changes,
            _watcher: watcher,
        })
    }

    /// Waits for the next occasion.
    pub async fn next(&mut self) -> Occasion {
        tokio::select! {
            _ = self.hangup.recv() => Occasion::Asked,
            Some(()) = self.changes.recv() => {
                tokio::time::sleep(SETTLE).await;
                while self.changes.try_recv().is_ok() {}
                Occasion::FileTouched
            }
        }
    }
}

fn watcher(file: PathBuf, sender: mpsc::Sender<()>) -> notify::Result<notify::RecommendedWatcher> {
    let directory = file.parent().unwrap_or(Path::new("/")).to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let about_file = event.paths.iter().any(|path| path == &file);
        if about_file && !event.kind.is_access() {
            // Full means that a change is already waiting to be looked at.
            let _already_told = sender.try_send(());
        }
    })?;
    watcher.watch(&directory, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
