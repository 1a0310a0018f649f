//! What is built into the engine: the program behind `--init`, and the image
//! that greets new people.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::{Error, LocalEngine, Result};

/// The file below the data root that is bound into containers as their init.
const INIT: &str = "docker-init";

impl LocalEngine {
    /// The init program on the host.
    pub(crate) fn init_binary(&self) -> PathBuf {
        self.config().data_root.join(INIT)
    }
}

/// Puts the init program below the data root, where it is not yet there. A
/// running container may execute the old one, so a new one comes by rename.
pub(crate) fn install_init(data_root: &Path) -> Result<()> {
    let path = data_root.join(INIT);
    let program = dhow_init::program();
    if std::fs::read(&path).is_ok_and(|there| there == program) {
        return Ok(());
    }
    let fresh = data_root.join(format!("{INIT}.new"));
    let failed = |e: std::io::Error| Error::system(format!("{}: {e}", fresh.display()));
    let mut file = std::fs::File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o755)
        .open(&fresh)
        .map_err(failed)?;
    file.write_all(program).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&fresh, &path).map_err(failed)
}
