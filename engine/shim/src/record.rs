//! The state file: written whole beside the old one and renamed over it, so
//! that a reader finds one or the other. It is not forced to disk: after a
//! power cut the container is gone whatever the file says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dhow_runtime::protocol::StateFile;

/// Replaces the state file.
pub fn write(path: &Path, state: &StateFile) -> io::Result<()> {
    let temporary = temporary(path);
    fs::write(&temporary, serde_json::to_vec(state)?)?;
    fs::rename(&temporary, path)
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}
