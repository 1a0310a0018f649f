//! Whether the app starts when the person logs in.

use std::ffi::OsStr;

use auto_launch::AutoLaunchBuilder;

/// Starts the app in the tray, without a window.
pub const HIDDEN: &str = "--hidden";

/// Makes it so, if it is not so already.
pub fn start_at_login(wanted: bool) {
    // An AppImage runs from a mount of its own, which is gone by then.
    let program = std::env::var_os("APPIMAGE")
        .map(Into::into)
        .or_else(|| std::env::current_exe().ok());
    let Some(program) = program.as_deref().and_then(std::path::Path::to_str) else {
        tracing::warn!("the app does not know its own path");
        return;
    };
    let launch = AutoLaunchBuilder::new()
        .set_app_name("Dhow")
        .set_app_path(program)
        .set_args(&[HIDDEN])
        .build();
    let outcome = launch.and_then(|launch| {
        if launch.is_enabled()? == wanted {
            Ok(())
        } else if wanted {
            launch.enable()
        } else {
            launch.disable()
        }
    });
    if let Err(error) = outcome {
        tracing::warn!(%error, wanted, "start at login was not changed");
    }
}

/// Whether these arguments ask for no window.
pub fn is_hidden<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> bool {
    arguments.into_iter().any(|word| word.as_ref() == HIDDEN)
}
