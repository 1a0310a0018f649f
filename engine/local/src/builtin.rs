//! What is built into the engine: the program behind `--init`, and the image
//! that greets new people.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use dhow_image::image::RemoveOptions;
use dhow_model::reference::Reference;

use crate::{Error, LocalEngine, Result};

/// The file below the data root that is bound into containers as their init.
const INIT: &str = "docker-init";

/// The setting that remembers which welcome image was last put in the store.
const WELCOME: &str = "welcome";

impl LocalEngine {
    /// The init program on the host.
    pub(crate) fn init_binary(&self) -> PathBuf {
        self.config().data_root.join(INIT)
    }

    /// Puts the welcome image in the store, once for each version of it: what
    /// a person removed stays removed, and a name that a person gave to
    /// another image stays that one's.
    pub(crate) fn load_built_in_images(&self) -> Result<()> {
        let (db, images) = (&self.shared.db, &self.shared.images);
        let last = db.get_setting(WELCOME)?;
        if last.as_deref() == Some(dhow_welcome::ID) {
            return Ok(());
        }
        let name = Reference::parse_normalized(dhow_welcome::REFERENCE).map_err(Error::of)?;
        let holder = images.named(&name).map_err(Error::of)?;
        let holder = holder.as_ref().map(|id| id.as_str());
        if holder.is_none() || holder == last.as_deref() {
            let mut archive = dhow_welcome::archive();
            let loaded = images.load(&mut archive, &mut |_| {}).map_err(Error::of)?;
            for (_, old) in loaded.iter().flat_map(|image| &image.renamed) {
                // A container may be made of it; then it stays, without a name.
                let _in_use =
                    images.remove(old.as_str(), RemoveOptions::default(), &self.image_users());
            }
        }
        db.put_setting(WELCOME, dhow_welcome::ID)
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
