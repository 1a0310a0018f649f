//! The settings file: read, written whole or not at all, and read again when
//! somebody else changes it.
//!
//! What the keys mean is in [`document`].

mod document;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;

use document::{Document, Fault};
pub use document::{OnQuit, Settings, Texts};

/// Writers come in bursts: an editor truncates, writes, renames.
const CALM: Duration = Duration::from_millis(100);

/// Why a setting was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("{path} is no TOML; it is left alone until that is mended: {why}")]
    Malformed { path: PathBuf, why: Fault },
    #[error("cannot write {path}")]
    Unwritable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// What is known of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub settings: Settings,
    pub texts: Texts,
    /// What is wrong with it, in sentences.
    pub faults: Vec<String>,
}

/// A handle on the settings; cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    /// One change at a time.
    writing: Mutex<()>,
    known: watch::Sender<Known>,
    watcher: Mutex<Option<RecommendedWatcher>>,
}

impl Store {
    /// Reads the file at `path`, and writes a fresh one where there is none.
    pub fn open(path: PathBuf) -> Self {
        if !path.exists()
            && let Err(error) = write(&path, document::FRESH)
        {
            tracing::warn!(path = %path.display(), %error, "cannot write fresh settings");
        }
        let known = match load(&path) {
            Ok(document) => known(&document),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "the settings are not read");
                Known {
                    faults: vec![error.to_string()],
                    ..known(&Document::fresh())
                }
            }
        };
        Self(Arc::new(Inner {
            path,
            writing: Mutex::default(),
            known: watch::channel(known).0,
            watcher: Mutex::default(),
        }))
    }

    /// Reads it again from now on whenever it changes.
    pub fn follow(&self) {
        let (changed, mut changes) = tokio::sync::mpsc::channel::<()>(1);
        let path = self.0.path.clone();
        let handler = move |event: notify::Result<notify::Event>| {
            let about_us =
                |event: &notify::Event| !event.kind.is_access() && event.paths.contains(&path);
            if event.as_ref().is_ok_and(about_us) {
                // One is enough to make us look.
                let _ = changed.try_send(());
            }
        };
        // The folder, because editors put a new file in the place of the old.
        let folder = self.0.path.parent().unwrap_or(Path::new("/"));
        let watcher = notify::recommended_watcher(handler).and_then(|mut watcher| {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match watcher {
            Ok(watcher) => {
                *self.0.watcher.lock().unwrap_or_else(|e| e.into_inner()) = Some(watcher);
            }
            Err(error) => {
                tracing::warn!(%error, "changes of the settings file will not be seen");
                return;
            }
        }
        let store = self.clone();
        tauri::async_runtime::spawn(async move {
            while changes.recv().await.is_some() {
                tokio::time::sleep(CALM).await;
                let _ = changes.try_recv();
                store.read_again();
            }
        });
    }

    /// What is known, and what will be.
    pub fn changes(&self) -> watch::Receiver<Known> {
        self.0.known.subscribe()
    }

    /// What the app goes by now.
    pub fn settings(&self) -> Settings {
        self.0.known.borrow().settings.clone()
    }

    /// Everything, as texts.
    pub fn known(&self) -> Known {
        self.0.known.borrow().clone()
    }

    /// Changes one setting in the file.
    pub fn set(&self, key: &str, text: &str) -> Result<(), Error> {
        let inner = &self.0;
        let _one = inner.writing.lock().unwrap_or_else(|e| e.into_inner());
        let mut document = load(&inner.path).map_err(|why| Error::Malformed {
            path: inner.path.clone(),
            why,
        })?;
        document.set(key, text)?;
        write(&inner.path, &document.to_string()).map_err(|source| Error::Unwritable {
            path: inner.path.clone(),
            source,
        })?;
        self.publish(known(&document));
        Ok(())
    }

    fn read_again(&self) {
        match load(&self.0.path) {
            Ok(document) => self.publish(known(&document)),
            // Half written, or mistyped: what was known stays in force.
            Err(error) => {
                tracing::warn!(path = %self.0.path.display(), %error, "the settings are not read");
                let faults = vec![error.to_string()];
                let known = self.known();
                self.publish(Known { faults, ..known });
            }
        }
    }

    fn publish(&self, now: Known) {
        self.0.known.send_if_modified(|known| {
            let changed = *known != now;
            for fault in now.faults.iter().filter(|_| changed) {
                tracing::warn!(path = %self.0.path.display(), "settings: {fault}");
            }
            *known = now;
            changed
        });
    }
}

fn known(document: &Document) -> Known {
    let (settings, faults) = document.read();
    Known {
        settings,
        texts: document.texts(),
        faults: faults.iter().map(ToString::to_string).collect(),
    }
}

fn load(path: &Path) -> Result<Document, Fault> {
    match std::fs::read_to_string(path) {
        Ok(text) => Document::parse(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Document::fresh()),
        Err(error) => Err(Fault::Malformed(error.to_string())),
    }
}

/// Writes beside the file and puts the new one in its place. A link that
/// somebody keeps their settings behind stays one.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("toml.new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_in_the_file_and_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/settings.toml");
        let store = Store::open(path.clone());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), document::FRESH);
        store.set("app.on-quit", "keep").unwrap();
        assert_eq!(store.settings().on_quit, OnQuit::Keep);
        assert_eq!(Store::open(path.clone()).settings().on_quit, OnQuit::Keep);
        let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_mistyped_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, "[app\n").unwrap();
        let store = Store::open(path.clone());
        assert_eq!(store.known().faults.len(), 1);
        assert!(store.settings().close_to_tray);
        assert!(store.set("app.on-quit", "keep").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[app\n");
    }

    #[test]
    fn changes_by_others_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let store = Store::open(path.clone());
        store.follow();
        let mut changes = store.changes();
        // As an editor does it.
        let other = folder.path().join("other");
        std::fs::write(&other, "[app]\non-quit = \"stop\"\n").unwrap();
        std::fs::rename(&other, &path).unwrap();
        let seen = tauri::async_runtime::block_on(async {
            let stop = |known: &Known| known.settings.on_quit == OnQuit::Stop;
            tokio::time::timeout(Duration::from_secs(10), changes.wait_for(stop))
                .await
                .is_ok()
        });
        assert!(seen);
    }
}
