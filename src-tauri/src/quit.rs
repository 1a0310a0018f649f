//! Quitting: the containers go on, or they are stopped first; asked once.
//!
//! Without the app nothing of the engine changes, so going on is the quiet
//! choice, and the one that is taken when nobody can be asked.

use rfd::{AsyncMessageDialog, MessageButtons, MessageDialogResult, MessageLevel};
use tauri::{AppHandle, Manager, Runtime};

use crate::actions::{self, Deed};
use crate::engine::Engine;
use crate::settings::{OnQuit, Store};
use crate::text;

/// Quits, when the person has had their say. `running` are the containers
/// that run.
pub fn quit<R: Runtime>(app: &AppHandle<R>, running: Vec<String>) {
    if running.is_empty() {
        app.exit(0);
        return;
    }
    let app = app.clone();
    match app.state::<Store>().settings().on_quit {
        OnQuit::Keep => app.exit(0),
        OnQuit::Stop => {
            tauri::async_runtime::spawn(stop(app, running));
        }
        OnQuit::Ask => ask(app, running),
    }
}

fn ask<R: Runtime>(app: AppHandle<R>, running: Vec<String>) {
    let handle = app.clone();
    let asked = handle.run_on_main_thread(move || {
        let answer = AsyncMessageDialog::new()
            .set_level(MessageLevel::Info)
            .set_title(text::QUIT_TITLE)
            .set_description(text::quit_question(running.len()))
            .set_buttons(MessageButtons::YesNoCancelCustom(
                text::KEEP_RUNNING.to_owned(),
                text::STOP_THEM.to_owned(),
                text::CANCEL.to_owned(),
            ))
            .show();
        tauri::async_runtime::spawn(async move {
            match choice(&answer.await) {
                Some(OnQuit::Keep) => {
                    remember(&app, "keep");
                    app.exit(0);
                }
                Some(OnQuit::Stop) => {
                    remember(&app, "stop");
                    stop(app, running).await;
                }
                Some(OnQuit::Ask) | None => {}
            }
        });
    });
    if let Err(error) = asked {
        tracing::warn!(%error, "nobody can be asked");
    }
}

/// Which button it was: some systems tell by its words, others by its place.
fn choice(answer: &MessageDialogResult) -> Option<OnQuit> {
    match answer {
        MessageDialogResult::Yes => Some(OnQuit::Keep),
        MessageDialogResult::No => Some(OnQuit::Stop),
        MessageDialogResult::Custom(word) if word == text::KEEP_RUNNING => Some(OnQuit::Keep),
        MessageDialogResult::Custom(word) if word == text::STOP_THEM => Some(OnQuit::Stop),
        _ => None,
    }
}

fn remember<R: Runtime>(app: &AppHandle<R>, choice: &str) {
    if let Err(error) = app.state::<Store>().set("app.on-quit", choice) {
        tracing::warn!(%error, "the answer is not remembered");
    }
}

async fn stop<R: Runtime>(app: AppHandle<R>, running: Vec<String>) {
    if let Some(client) = app.state::<Engine>().client() {
        for problem in actions::all(&client, Deed::Stop, &running).await {
            tracing::warn!(problem, "a container was not stopped");
        }
    }
    app.exit(0);
}
