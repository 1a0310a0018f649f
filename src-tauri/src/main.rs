//! Dhow's window and tray.
//!
//! The app is a face: it finds the engine or starts it, carries bytes between
//! its page and the engine's API, and shows what runs in the tray. It knows
//! nothing of what a container is beyond what it shows, and nothing that the
//! engine does depends on it.

#![forbid(unsafe_code)]
#![cfg_attr(windows, windows_subsystem = "windows")]

mod actions;
mod bridge;
mod census;
mod command_line;
mod commands;
mod engine;
mod folders;
mod links;
mod logging;
mod login;
mod navigation;
mod notices;
mod quit;
mod registries;
mod settings;
mod text;
mod tray;
mod window;

use std::error::Error;

use tauri::{AppHandle, Manager, RunEvent, WindowEvent};
use tauri_plugin_deep_link::DeepLinkExt;
use tauri_plugin_window_state::StateFlags;

use engine::{Engine, Wish};
use folders::Folders;
use settings::{Settings, Store};
use tray::Tray;

fn main() {
    let Some(folders) = Folders::of_process() else {
        eprintln!("dhow: there is no home folder to keep settings in");
        std::process::exit(1);
    };
    logging::begin(&folders.logs);
    #[cfg(target_os = "linux")]
    if gtk::init().is_err() {
        eprintln!("dhow: no display can be reached; `dhow dashboard` shows the same in a browser");
        std::process::exit(1);
    }
    let app = tauri::Builder::default()
        // First, so that a second one does nothing but tell the first.
        .plugin(tauri_plugin_single_instance::init(|app, words, _| {
            if !login::is_hidden(&words) {
                window::show(app);
            }
        }))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(
            tauri_plugin_window_state::Builder::new()
                // Whether it is shown is not a matter of last time.
                .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
                .build(),
        )
        .invoke_handler(tauri::generate_handler![
            commands::app_settings,
            commands::app_set_setting,
            commands::app_engine,
            commands::app_start_engine,
            commands::app_retry_engine,
            commands::app_open_external,
            commands::app_save_file,
            commands::app_notify,
            registries::registries,
            registries::registry_log_in,
            registries::registry_log_out,
            command_line::command_line,
            command_line::install_command_line,
            command_line::remove_command_line,
            bridge::engine_expect,
            bridge::engine_request,
            bridge::engine_open,
            bridge::engine_write,
            bridge::engine_finish,
            bridge::engine_read,
            bridge::engine_cancel,
        ])
        .setup(move |app| set_up(app.handle(), &folders))
        .on_window_event(|window, event| {
            if let WindowEvent::CloseRequested { api, .. } = event {
                api.prevent_close();
                close(window.app_handle());
            }
        })
        .build(tauri::generate_context!());
    match app {
        Ok(app) => app.run(on_event),
        Err(error) => {
            tracing::error!(error = engine::find::sentence(&error), "no window opens");
            std::process::exit(1);
        }
    }
}

fn set_up(app: &AppHandle, folders: &Folders) -> Result<(), Box<dyn Error>> {
    let store = Store::open(folders.configuration.join("settings.toml"));
    store.follow();
    let settings = store.settings();
    let engine = Engine::watch(wish(&settings), folders.logs.join("dhowd.log"));
    let (listener, events) = tokio::sync::mpsc::unbounded_channel();
    let census = census::follow(&engine, listener);
    let notifier = notices::Notifier::default();
    notifier.tell(app, store.clone(), events);

    app.manage(store.clone());
    app.manage(engine.clone());
    app.manage(notifier);
    app.manage(bridge::Exchanges::default());
    app.manage(registries::of_process());
    app.manage(commands::Tellers::default());

    window::make(app, login::is_hidden(std::env::args_os()))?;
    match Tray::put_up(app, &engine, census, folders) {
        Ok(tray) => {
            app.manage(tray);
        }
        // The window does without.
        Err(error) => tracing::warn!(%error, "there is no tray"),
    }
    links_open_routes(app);
    follow_settings(store, engine, settings);
    Ok(())
}

fn wish(settings: &Settings) -> Wish {
    Wish {
        host: settings.engine_host.clone(),
        automatic: settings.engine_automatic,
    }
}

/// Does what the settings say, now and whenever they change.
fn follow_settings(store: Store, engine: Engine, mut known: Settings) {
    tauri::async_runtime::spawn(async move {
        let mut changes = store.changes();
        // Only what was asked for is ever written where logins look.
        if known.start_at_login {
            login::start_at_login(true);
        }
        while changes.changed().await.is_ok() {
            let settings = changes.borrow_and_update().settings.clone();
            if wish(&settings) != wish(&known) {
                engine.change(wish(&settings));
            }
            if settings.start_at_login != known.start_at_login {
                login::start_at_login(settings.start_at_login);
            }
            known = settings;
        }
    });
}

fn links_open_routes(app: &AppHandle) {
    let open = |app: &AppHandle, link: &str| match links::route(link) {
        Some(route) => window::show_route(app, &route),
        None => tracing::warn!("a link that means nothing here"),
    };
    let handle = app.clone();
    app.deep_link().on_open_url(move |event| {
        for link in event.urls() {
            open(&handle, link.as_str());
        }
    });
    // Packages say what links are ours; an AppImage is not installed by one.
    if std::env::var_os("APPIMAGE").is_some()
        && let Err(error) = app.deep_link().register_all()
    {
        tracing::warn!(%error, "dhow:// links will not come here");
    }
}

/// What closing the window means: hiding it, where there is a way back.
fn close(app: &AppHandle) {
    let stays = app.state::<Store>().settings().close_to_tray
        && app.try_state::<Tray>().is_some()
        && tray::is_there();
    let window = app.get_webview_window(window::LABEL);
    if let Some(window) = window.filter(|_| stays) {
        if let Err(error) = window.hide() {
            tracing::warn!(%error, "the window does not hide");
        }
        return;
    }
    // Closing is not quitting: the containers are not asked about.
    app.exit(0);
}

fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::Exit => {
            if let Some(exchanges) = app.try_state::<bridge::Exchanges>() {
                exchanges.cancel_all();
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app),
        _ => {}
    }
}
