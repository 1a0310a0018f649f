//! Whether the app starts when the person logs in.

use std::ffi::OsStr;

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
    if let Err(error) = entry::set(program, wanted) {
        tracing::warn!(%error, wanted, "start at login was not changed");
    }
}

/// Whether these arguments ask for no window.
pub fn is_hidden<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> bool {
    arguments.into_iter().any(|word| word.as_ref() == HIDDEN)
}

/// The entry as free desktops have it: a file, in the folder that the person's
/// settings are in.
#[cfg(target_os = "linux")]
mod entry {
    use std::io;

    use super::HIDDEN;

    pub fn set(program: &str, wanted: bool) -> io::Result<()> {
        let folders = directories::BaseDirs::new().ok_or(io::ErrorKind::NotFound)?;
        let folder = folders.config_dir().join("autostart");
        let file = folder.join("Dhow.desktop");
        if wanted {
            std::fs::create_dir_all(&folder)?;
            return std::fs::write(file, text(program));
        }
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn text(program: &str) -> String {
        format!(
            "[Desktop Entry]\nType=Application\nVersion=1.0\nName=Dhow\n\
             Exec={} {HIDDEN}\nTerminal=false\nStartupNotify=false\n",
            quoted(program)
        )
    }

    /// An argument of `Exec`: in quotes, with its own marks escaped, and then
    /// escaped as every text of the file is. A percent sign would be a field.
    fn quoted(word: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
        if word.chars().all(plain) {
            return word.to_owned();
        }
        let mut quoted = String::from("\"");
        for c in word.chars() {
            match c {
                '"' | '`' | '$' => quoted.extend(["\\\\", &c.to_string()]),
                '\\' => quoted.push_str("\\\\\\\\"),
                '%' => quoted.push_str("%%"),
                c => quoted.push(c),
            }
        }
        quoted.push('"');
        quoted
    }

    #[cfg(test)]
    mod tests {
        use super::quoted;

        #[test]
        fn paths_are_one_argument() {
            assert_eq!(quoted("/opt/dhow/dhow-app"), "/opt/dhow/dhow-app");
            assert_eq!(quoted("/my apps/dhow"), "\"/my apps/dhow\"");
            assert_eq!(quoted("/a$b%c"), r#""/a\\$b%%c""#);
            assert_eq!(quoted(r"/a\b"), r#""/a\\\\b""#);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod entry {
    use auto_launch::AutoLaunchBuilder;

    use super::HIDDEN;

    pub fn set(program: &str, wanted: bool) -> auto_launch::Result<()> {
        let launch = AutoLaunchBuilder::new()
            .set_app_name("Dhow")
            .set_app_path(program)
            .set_args(&[HIDDEN])
            .build()?;
        if launch.is_enabled()? == wanted {
            Ok(())
        } else if wanted {
            launch.enable()
        } else {
            launch.disable()
        }
    }
}
