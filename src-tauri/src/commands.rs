//! What the page may ask of the app itself, beside the bridge: settings, the
//! engine's state, the system's dialogs.

use std::sync::Mutex;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::{Channel, InvokeBody, Request};
use tauri::{AppHandle, State, Url};

use crate::engine::{Engine, EngineState};
use crate::settings::{Known, Store, Texts};
use crate::{notices, window};

/// Who tells the page of changes. A page that is loaded again asks again, and
/// the ones before it are not told any more.
#[derive(Default)]
pub struct Tellers {
    engine: Mutex<Option<JoinHandle<()>>>,
    settings: Mutex<Option<JoinHandle<()>>>,
}

/// The settings, as the page gets them.
#[derive(Serialize, Clone)]
pub struct SettingsAnswer {
    texts: Texts,
    faults: Vec<String>,
}

impl From<Known> for SettingsAnswer {
    fn from(known: Known) -> Self {
        Self {
            texts: known.texts,
            faults: known.faults,
        }
    }
}

/// What the page is told of the engine.
#[derive(Serialize, Clone)]
pub struct EngineAnswer {
    #[serde(flatten)]
    state: EngineState,
    address: String,
}

/// The settings now; `changes` gets them whenever they change.
#[tauri::command]
pub fn app_settings(
    changes: Channel<SettingsAnswer>,
    store: State<'_, Store>,
    tellers: State<'_, Tellers>,
) -> SettingsAnswer {
    let mut source = store.changes();
    let now = source.borrow_and_update().clone();
    tell(&tellers.settings, async move {
        while source.changed().await.is_ok() {
            let known = source.borrow_and_update().clone();
            if changes.send(known.into()).is_err() {
                return;
            }
        }
    });
    now.into()
}

/// Changes one setting.
#[tauri::command]
pub fn app_set_setting(key: String, value: String, store: State<'_, Store>) -> Result<(), String> {
    let outcome = store.set(&key, &value);
    outcome.map_err(|error| crate::engine::find::sentence(&error))
}

/// The engine's state now; `changes` gets it whenever it changes.
#[tauri::command]
pub fn app_engine(
    changes: Channel<EngineAnswer>,
    engine: State<'_, Engine>,
    tellers: State<'_, Tellers>,
) -> EngineAnswer {
    let mut source = engine.states();
    let state = source.borrow_and_update().clone();
    let now = answer(&engine, state);
    let engine = engine.inner().clone();
    tell(&tellers.engine, async move {
        while source.changed().await.is_ok() {
            let state = source.borrow_and_update().clone();
            if changes.send(answer(&engine, state)).is_err() {
                return;
            }
        }
    });
    now
}

/// A person wants the engine started.
#[tauri::command]
pub fn app_start_engine(engine: State<'_, Engine>) {
    engine.start();
}

/// A person wants to know now.
#[tauri::command]
pub fn app_retry_engine(engine: State<'_, Engine>) {
    engine.look();
}

/// Opens an address of the web in the person's browser.
#[tauri::command]
pub fn app_open_external(url: String) -> Result<(), String> {
    let address: Url = url.parse().map_err(|_| format!("{url} is no address"))?;
    if window::open_in_browser(&address) {
        Ok(())
    } else {
        Err(format!("{url} cannot be opened"))
    }
}

/// Asks where to save the bytes, and saves them; false when the person did
/// not want to.
#[tauri::command]
pub async fn app_save_file(request: Request<'_>, app: AppHandle) -> Result<bool, String> {
    let InvokeBody::Raw(bytes) = request.body() else {
        return Err("what is saved comes raw".to_owned());
    };
    let name = request.headers().get("dhow-name");
    let name = name.and_then(|name| name.to_str().ok()).unwrap_or_default();
    let name = file_name(&percent_decode_str(name).decode_utf8_lossy());
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // The system's dialogs begin on the main thread.
    app.run_on_main_thread(move || {
        let asking = rfd::AsyncFileDialog::new().set_file_name(name).save_file();
        tauri::async_runtime::spawn(async move {
            let _ = sender.send(asking.await);
        });
    })
    .map_err(|error| error.to_string())?;
    let Ok(Some(file)) = receiver.await else {
        return Ok(false);
    };
    let written = tokio::fs::write(file.path(), bytes).await;
    written.map_err(|error| format!("cannot write {}: {error}", file.path().display()))?;
    Ok(true)
}

/// Tells the person something, if they are not looking.
#[tauri::command]
pub fn app_notify(title: String, body: String, app: AppHandle) {
    if !window::is_looked_at(&app) {
        notices::show_plain(&app, title, body);
    }
}

fn answer(engine: &Engine, state: EngineState) -> EngineAnswer {
    let client = engine.client();
    EngineAnswer {
        state,
        address: client.map_or_else(String::new, |client| client.endpoint().to_string()),
    }
}

fn tell(slot: &Mutex<Option<JoinHandle<()>>>, task: impl Future<Output = ()> + Send + 'static) {
    let mut slot = slot.lock().unwrap_or_else(|e| e.into_inner());
    if let Some(before) = slot.replace(tauri::async_runtime::spawn(task)) {
        before.abort();
    }
}

/// A name to suggest: no folder, nothing hidden, and printable.
fn file_name(wanted: &str) -> String {
    let odd = |c: char| {
        c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
    };
    let plain: String = wanted
        .trim_start_matches('.')
        .chars()
        .map(|c| if odd(c) { '-' } else { c })
        .take(120)
        .collect();
    if plain.is_empty() {
        "dhow".to_owned()
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn suggested_names_stay_in_their_folder() {
        assert_eq!(file_name("web logs.txt"), "web logs.txt");
        assert_eq!(file_name("../../.ssh/x"), "-..-.ssh-x");
        assert_eq!(file_name(".bashrc"), "bashrc");
        assert_eq!(file_name(""), "dhow");
    }
}
