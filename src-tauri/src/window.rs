//! The window: one, with the app's own page, kept when it is hidden.

use std::sync::atomic::{AtomicBool, Ordering};

use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::bridge::Exchanges;
use crate::engine::Engine;
use crate::navigation::{Verdict, judge};

/// The only window's label, as the capabilities have it.
pub const LABEL: &str = "main";

/// Makes the window. It is shown, if it is to be, once its page is there, so
/// that nobody sees it empty.
pub fn make<R: Runtime>(app: &AppHandle<R>, hidden: bool) -> tauri::Result<WebviewWindow<R>> {
    let unseen = AtomicBool::new(!hidden);
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title("Dhow")
        .inner_size(1280.0, 800.0)
        .min_inner_size(720.0, 480.0)
        .visible(false)
        .zoom_hotkeys_enabled(true)
        // Terminals paste.
        .enable_clipboard_access()
        .on_navigation(leads_nowhere_else)
        .on_new_window(|address, _| {
            leads_nowhere_else(&address);
            NewWindowResponse::Deny
        })
        // Files are saved by asking where; nothing is fetched behind that.
        .on_download(|_, _| false)
        .on_page_load(move |window, load| match load.event() {
            // A page that is loaded again knows nothing of its old requests.
            PageLoadEvent::Started => {
                if let Some(exchanges) = window.try_state::<Exchanges>() {
                    exchanges.cancel_all();
                }
            }
            PageLoadEvent::Finished => {
                if unseen.swap(false, Ordering::Relaxed) {
                    show(window.app_handle());
                }
            }
        })
        .build()
}

/// Shows the window, at whatever it was showing.
pub fn show<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    let shown = window
        .unminimize()
        .and_then(|()| window.show())
        .and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "cannot show the window");
    }
    // Whoever looks wants to know how it is now.
    if let Some(engine) = app.try_state::<Engine>() {
        engine.look();
    }
}

/// Shows the window at a route of its page, such as `#/containers`.
pub fn show_route<R: Runtime>(app: &AppHandle<R>, route: &str) {
    if let Some(window) = app.get_webview_window(LABEL)
        && route.starts_with("#/")
    {
        // As a string of JSON it is a string of JavaScript, whatever is in it.
        let text = serde_json::Value::from(route).to_string();
        if let Err(error) = window.eval(format!("window.location.hash = {text}")) {
            tracing::warn!(%error, "cannot show {route}");
        }
    }
    show(app);
}

/// Whether somebody looks at the window.
pub fn is_looked_at<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.get_webview_window(LABEL).is_some_and(|window| {
        let yes = |answer: tauri::Result<bool>| answer.unwrap_or(false);
        yes(window.is_visible()) && yes(window.is_focused()) && !yes(window.is_minimized())
    })
}

/// Opens an address in the person's browser, if it is one for a browser.
pub fn open_in_browser(address: &Url) -> bool {
    if judge(address) != Verdict::Browser {
        tracing::warn!(scheme = address.scheme(), "not opened");
        return false;
    }
    match open::that_detached(address.as_str()) {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "no browser opens");
            false
        }
    }
}

/// Lets the window go to its own page only.
fn leads_nowhere_else(address: &Url) -> bool {
    match judge(address) {
        Verdict::Ours => true,
        Verdict::Browser => {
            open_in_browser(address);
            false
        }
        Verdict::Nowhere => {
            tracing::warn!(scheme = address.scheme(), "the page went nowhere");
            false
        }
    }
}
