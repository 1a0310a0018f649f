//! Whether there is a tray at all. On Linux that is up to the desktop, and
//! without one a window that hides is a window that is lost.

/// Whether somebody shows tray icons.
#[cfg(target_os = "linux")]
pub fn is_there() -> bool {
    let asked = || -> zbus::Result<bool> {
        let connection = zbus::blocking::Connection::session()?;
        let watcher = zbus::blocking::Proxy::new(
            &connection,
            "org.kde.StatusNotifierWatcher",
            "/StatusNotifierWatcher",
            "org.kde.StatusNotifierWatcher",
        )?;
        watcher.get_property("IsStatusNotifierHostRegistered")
    };
    asked().unwrap_or(false)
}

/// Every desktop of these systems has one.
#[cfg(not(target_os = "linux"))]
pub fn is_there() -> bool {
    true
}
