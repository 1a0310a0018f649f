//! Where the app keeps what: settings, logs, what it can make again.

use std::path::PathBuf;

use directories::ProjectDirs;

/// The app's folders, as the system wants them.
#[derive(Debug, Clone)]
pub struct Folders {
    /// `settings.toml`; beside the command line's own configuration.
    pub configuration: PathBuf,
    /// What the app and the engine that it started have said.
    pub logs: PathBuf,
    /// What may be deleted at any time: the tray's pictures.
    pub cache: PathBuf,
}

impl Folders {
    /// The folders of whoever runs us, made if they are not there.
    pub fn of_process() -> Option<Self> {
        let folders = ProjectDirs::from("", "", "dhow")?;
        let state = folders.state_dir().unwrap_or(folders.data_local_dir());
        let folders = Self {
            configuration: folders.config_dir().to_owned(),
            logs: state.join("logs"),
            cache: folders.cache_dir().to_owned(),
        };
        for folder in [&folders.configuration, &folders.logs, &folders.cache] {
            // Whoever needs it finds out what is wrong.
            let _ = std::fs::create_dir_all(folder);
        }
        Some(folders)
    }
}
