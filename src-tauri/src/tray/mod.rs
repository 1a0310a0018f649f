//! The tray: an icon that says how the engine is, and a menu of what runs.
//!
//! [`plan`] says what the menu is to be, [`difference`] how it becomes that,
//! [`menu`] does it; here it is decided when. What the containers take is
//! measured when [`opening`] says that somebody is about to look.

mod difference;
mod host;
mod load;
mod menu;
mod opening;
mod plan;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tauri::image::Image;
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::actions::{self, Deed};
use crate::census::Census;
use crate::engine::{Engine, EngineState};
use crate::folders::Folders;
use crate::{notices, quit, text, window};
pub use host::is_there;
use load::Load;
use menu::Drawn;
use plan::{Action, Face, Item};

/// What was measured is shown for this long; nobody says when the menu is
/// closed.
const FRESH: Duration = Duration::from_secs(10);

/// A handle on the tray; cheap to clone.
#[derive(Clone)]
pub struct Tray {
    /// What the menu shows at the moment.
    items: Arc<Mutex<Vec<Item>>>,
    census: watch::Receiver<Option<Arc<Census>>>,
}

impl Tray {
    /// Puts the icon up, and keeps icon and menu right from then on. Has to be
    /// called on the main thread.
    pub fn put_up<R: Runtime>(
        app: &AppHandle<R>,
        engine: &Engine,
        census: watch::Receiver<Option<Arc<Census>>>,
        folders: &Folders,
    ) -> tauri::Result<Self> {
        let tray = Self {
            items: Arc::default(),
            census: census.clone(),
        };
        let state = engine.state();
        let mut drawn = Drawn::new(app)?;
        let first = plan::menu(&state, None, None);
        drawn.change(app, &difference::between(&[], &first))?;
        *tray.items.lock().unwrap_or_else(|e| e.into_inner()) = first;
        let face = plan::face(&state);
        let (clicked, opened) = (tray.clone(), app.clone());
        let (opens, openings) = opening::channel();
        let icon = TrayIconBuilder::with_id("dhow")
            .icon(picture(face))
            .icon_as_template(cfg!(target_os = "macos"))
            .tooltip("Dhow")
            // Where pictures are handed over as files.
            .temp_dir_path(&folders.cache)
            .menu(drawn.menu())
            // As each system has it: a left click opens the window on
            // Windows, and the menu elsewhere.
            .show_menu_on_left_click(!cfg!(windows))
            .on_menu_event(move |app, event| clicked.clicked(app, event.id().as_ref()))
            .on_tray_icon_event(move |_, event| {
                if matches!(event, TrayIconEvent::Click { .. }) {
                    let _ = opens.send(());
                }
                if cfg!(windows) && is_left_click(&event) {
                    window::show(&opened);
                }
            })
            .build(app)?;
        tray.follow(app, engine, census, openings, drawn, icon, face);
        Ok(tray)
    }

    /// The containers that run.
    pub fn running(&self) -> Vec<String> {
        let census = self.census.borrow();
        let running = census.as_deref().map(Census::running).unwrap_or_default();
        running.iter().map(|one| one.id.clone()).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "called once, with all there is")]
    fn follow<R: Runtime>(
        &self,
        app: &AppHandle<R>,
        engine: &Engine,
        mut census: watch::Receiver<Option<Arc<Census>>>,
        mut openings: mpsc::UnboundedReceiver<()>,
        drawn: Drawn<R>,
        icon: TrayIcon<R>,
        mut face: Face,
    ) {
        let (app, items) = (app.clone(), self.items.clone());
        let mut states = engine.states();
        let drawn = Arc::new(Mutex::new(drawn));
        let (engine, tray) = (engine.clone(), self.clone());
        let (measured, mut measures) = mpsc::unbounded_channel();
        let mut gauge = Gauge::default();
        tauri::async_runtime::spawn(async move {
            loop {
                let state = states.borrow_and_update().clone();
                let known = census.borrow_and_update().clone();
                let load = gauge.shown(&tray.running());
                let next = plan::menu(&state, known.as_deref(), load);
                let new_face = plan::face(&state);
                let changed = new_face != face;
                face = new_face;
                let (items, drawn) = (items.clone(), drawn.clone());
                let (handle, icon) = (app.clone(), icon.clone());
                let (done, wait) = tokio::sync::oneshot::channel();
                let sent = app.run_on_main_thread(move || {
                    redraw(&handle, &items, &drawn, next);
                    if changed {
                        wear(&icon, face, &state);
                    }
                    let _ = done.send(());
                });
                // One after the other; without a main thread we are done.
                if sent.is_err() || wait.await.is_err() {
                    return;
                }
                tokio::select! {
                    changed = states.changed() => if changed.is_err() { return },
                    changed = census.changed() => if changed.is_err() { return },
                    Some(()) = openings.recv() => {
                        if let (true, Some(client)) = (gauge.begin(), engine.client()) {
                            let (measured, running) = (measured.clone(), tray.running());
                            tauri::async_runtime::spawn(async move {
                                let load = load::measure(&client, &running).await;
                                let _ = measured.send((running, load));
                            });
                        }
                    }
                    Some((running, load)) = measures.recv() => gauge.end(running, load),
                    () = gauge.stale() => gauge.forget(),
                }
            }
        });
    }

    fn clicked<R: Runtime>(&self, app: &AppHandle<R>, key: &str) {
        let action = {
            let items = self.items.lock().unwrap_or_else(|e| e.into_inner());
            plan::action(&items, key).cloned()
        };
        tracing::debug!(key, ?action, "tray");
        let Some(action) = action else { return };
        match action {
            Action::Open => window::show(app),
            Action::Settings => window::show_route(app, "#/settings"),
            Action::Logs(id) => window::show_route(app, &format!("#/containers/{id}/logs")),
            Action::Quit => quit::quit(app, self.running()),
            Action::StartEngine => app.state::<Engine>().start(),
            Action::LookAgain => app.state::<Engine>().look(),
            Action::OpenPort(port) => {
                if let Ok(address) = format!("http://localhost:{port}/").parse() {
                    window::open_in_browser(&address);
                }
            }
            Action::Start(id) => act(app, Deed::Start, vec![id]),
            Action::Stop(ids) => act(app, Deed::Stop, ids),
            Action::Restart(ids) => act(app, Deed::Restart, ids),
        }
    }
}

/// What was measured last: of which containers, and until when it is shown.
#[derive(Default)]
struct Gauge {
    under_way: bool,
    reading: Option<(Vec<String>, Load, Instant)>,
}

impl Gauge {
    /// Whether to measure now: not while that is done, or was just done.
    fn begin(&mut self) -> bool {
        let begins = !self.under_way && self.reading.is_none();
        self.under_way |= begins;
        begins
    }

    fn end(&mut self, running: Vec<String>, load: Option<Load>) {
        self.under_way = false;
        self.reading = load.map(|load| (running, load, Instant::now() + FRESH));
    }

    fn forget(&mut self) {
        self.reading = None;
    }

    /// What there is to show of just these containers.
    fn shown(&mut self, running: &[String]) -> Option<Load> {
        self.reading.take_if(|(of, ..)| of != running);
        self.reading.as_ref().map(|(_, load, _)| *load)
    }

    /// Waits until what was measured is too old.
    async fn stale(&self) {
        match &self.reading {
            Some((.., until)) => tokio::time::sleep_until(*until).await,
            None => std::future::pending().await,
        }
    }
}

fn act<R: Runtime>(app: &AppHandle<R>, deed: Deed, ids: Vec<String>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Some(client) = app.state::<Engine>().client() else {
            return;
        };
        let problems = actions::all(&client, deed, &ids).await;
        if !problems.is_empty() {
            tracing::warn!(?problems, ?deed, "tray");
            notices::show_plain(&app, text::came_to_nothing(deed), problems.join("\n"));
        }
    });
}

fn redraw<R: Runtime>(
    app: &AppHandle<R>,
    items: &Mutex<Vec<Item>>,
    drawn: &Mutex<Drawn<R>>,
    next: Vec<Item>,
) {
    let mut items = items.lock().unwrap_or_else(|e| e.into_inner());
    let mut drawn = drawn.lock().unwrap_or_else(|e| e.into_inner());
    let changes = difference::between(&items, &next);
    if let Err(error) = drawn.change(app, &changes) {
        tracing::warn!(%error, "the tray's menu is not right");
    }
    *items = next;
}

fn wear<R: Runtime>(icon: &TrayIcon<R>, face: Face, state: &EngineState) {
    let worn = icon
        .set_icon_with_as_template(Some(picture(face)), cfg!(target_os = "macos"))
        .and_then(|()| icon.set_tooltip(Some(text::status(state, None))));
    if let Err(error) = worn {
        tracing::warn!(%error, "the tray's icon is not right");
    }
}

#[cfg(not(target_os = "macos"))]
fn picture(face: Face) -> Image<'static> {
    match face {
        Face::Up => tauri::include_image!("../icons/tray/up.png"),
        Face::Busy => tauri::include_image!("../icons/tray/busy.png"),
        Face::Down => tauri::include_image!("../icons/tray/down.png"),
    }
}

/// Black on nothing: the menu bar colours it.
#[cfg(target_os = "macos")]
fn picture(face: Face) -> Image<'static> {
    match face {
        Face::Up => tauri::include_image!("../icons/tray/up-template.png"),
        Face::Busy => tauri::include_image!("../icons/tray/busy-template.png"),
        Face::Down => tauri::include_image!("../icons/tray/down-template.png"),
    }
}

fn is_left_click(event: &TrayIconEvent) -> bool {
    matches!(
        event,
        TrayIconEvent::Click {
            button: MouseButton::Left,
            button_state: MouseButtonState::Up,
            ..
        }
    )
}
