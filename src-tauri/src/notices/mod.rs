//! Tells a person who is not looking what they would want to know: crashes,
//! bad health, the end of long tasks.

mod event;
pub mod task;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tauri::{AppHandle, Runtime};
use tokio::sync::mpsc;

use crate::census::Event;
use crate::settings::{Settings, Store};
use crate::window;
use event::{Judge, Notice, Subject};
use task::Task;

/// A handle on the notices; cheap to clone.
#[derive(Clone, Default)]
pub struct Notifier {
    tasks: Arc<Mutex<HashMap<u32, (Task, Instant)>>>,
    sender: Arc<Mutex<Option<mpsc::UnboundedSender<Notice>>>>,
}

impl Notifier {
    /// A request that may take long, and was sent at `since`, was answered.
    pub fn begun(&self, number: u32, name: String, good: bool, since: Instant) {
        let mut tasks = self.tasks.lock().unwrap_or_else(|e| e.into_inner());
        tasks.insert(number, (Task::new(name, good), since));
    }

    /// The engine said something of it.
    pub fn heard(&self, number: u32, bytes: &[u8]) {
        let mut tasks = self.tasks.lock().unwrap_or_else(|e| e.into_inner());
        if let Some((task, _)) = tasks.get_mut(&number) {
            task.hear(bytes);
        }
    }

    /// It is over.
    pub fn ended(&self, number: u32, now: Instant) {
        let ended = {
            let mut tasks = self.tasks.lock().unwrap_or_else(|e| e.into_inner());
            tasks.remove(&number)
        };
        let notice = ended.and_then(|(task, since)| task.ended(now.duration_since(since)));
        let sender = self.sender.lock().unwrap_or_else(|e| e.into_inner());
        if let (Some(notice), Some(sender)) = (notice, sender.as_ref()) {
            let _ = sender.send(notice);
        }
    }

    /// The page took it back.
    pub fn forget(&self, number: u32) {
        let mut tasks = self.tasks.lock().unwrap_or_else(|e| e.into_inner());
        tasks.remove(&number);
    }

    /// Starts to tell.
    pub fn tell<R: Runtime>(
        &self,
        app: &AppHandle<R>,
        settings: Store,
        mut events: mpsc::UnboundedReceiver<Event>,
    ) {
        let (sender, mut notices) = mpsc::unbounded_channel();
        *self.sender.lock().unwrap_or_else(|e| e.into_inner()) = Some(sender.clone());
        tauri::async_runtime::spawn(async move {
            let mut judge = Judge::default();
            while let Some(event) = events.recv().await {
                if let Some(notice) = judge.on(&event, Instant::now()) {
                    let _ = sender.send(notice);
                }
            }
        });
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            while let Some(notice) = notices.recv().await {
                if wanted(&settings.settings(), notice.subject) && !window::is_looked_at(&app) {
                    show(&app, notice);
                }
            }
        });
    }
}

/// Shows a notice of the page's own making.
pub fn show_plain<R: Runtime>(app: &AppHandle<R>, title: String, body: String) {
    let notice = Notice {
        subject: Subject::Task,
        title,
        body,
        route: String::new(),
    };
    show(app, notice);
}

fn wanted(settings: &Settings, subject: Subject) -> bool {
    match subject {
        Subject::Crashed => settings.notify_crashed,
        Subject::Unhealthy => settings.notify_unhealthy,
        Subject::Task => settings.notify_tasks,
    }
}

/// The system's libraries wait for each other here, so a thread waits for
/// them: until the notice is clicked or gone.
fn show<R: Runtime>(app: &AppHandle<R>, notice: Notice) {
    let app = app.clone();
    std::thread::spawn(move || {
        let mut notification = notify_rust::Notification::new();
        notification
            .appname("Dhow")
            .summary(&notice.title)
            .body(&plain(&notice.body));
        #[cfg(all(unix, not(target_os = "macos")))]
        {
            notification.icon("dhow").action("default", "Open");
            match notification.show() {
                Ok(handle) => handle.wait_for_action(|action| {
                    if action == "default" {
                        window::show_route(&app, &notice.route);
                    }
                }),
                Err(error) => tracing::info!(%error, title = notice.title, "nobody shows notices"),
            }
        }
        #[cfg(not(all(unix, not(target_os = "macos"))))]
        {
            let _ = (&app, &notice.route);
            if let Err(error) = notification.show() {
                tracing::info!(%error, title = notice.title, "nobody shows notices");
            }
        }
    });
}

/// Some desktops read a notice's body as markup; what an engine or a registry
/// says is not to be any.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_no_markup() {
        assert_eq!(plain("<a href=x>&"), "&lt;a href=x&gt;&amp;");
    }
}
