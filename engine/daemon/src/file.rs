//! The configuration file on disk: read with a version, replaced as a whole.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use dhow_model::Digest;
use rustix::fs::{Access, access};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

/// Of a file that nobody has made yet: proxies' passwords may stand in it.
const MODE: u32 = 0o600;

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub text: String,
    /// Changes with every change of the text; empty where there is no file.
    pub version: String,
}

impl Content {
    /// What a file with this text has.
    pub fn new(text: String) -> Self {
        let version = Digest::from_sha256(Sha256::digest(&text).into()).to_string();
        Self { text, version }
    }
}

/// Reads `file`; one that is not there says nothing.
pub fn read(file: &Path) -> io::Result<Content> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Content::new(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Content {
            text: String::new(),
            version: String::new(),
        }),
        Err(error) => Err(error),
    }
}

/// Puts `text` in the place of `file`, all at once and for good, and makes the
/// directories above. A symbolic link stays: what it leads to is replaced.
/// Mode and owner stay.
pub fn replace(file: &Path, text: &str) -> io::Result<()> {
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let dir = target.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(dir)?;
    let mut new = NamedTempFile::new_in(dir)?;
    new.write_all(text.as_bytes())?;
    match fs::metadata(&target) {
        Ok(old) => {
            fchown(new.as_file(), Some(old.uid()), Some(old.gid()))?;
            new.as_file().set_permissions(old.permissions())?;
        }
        Err(_) => new
            .as_file()
            .set_permissions(Permissions::from_mode(MODE))?,
    }
    new.as_file().sync_all()?;
    new.persist(&target).map_err(|error| error.error)?;
    File::open(dir)?.sync_all()
}

/// Whether [`replace`] could work, as far as can be told: the directory, or
/// the first one above that is there, takes new files.
pub fn is_replaceable(file: &Path) -> bool {
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut above = target.parent().into_iter().flat_map(Path::ancestors);
    let nearest = above.find(|dir| dir.exists());
    nearest.is_some_and(|dir| access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_it_was_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("etc/daemon.json");
        assert_eq!(read(&file).unwrap().version, "");
        assert!(is_replaceable(&file));
        replace(&file, "{}").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);
        assert_eq!(read(&file).unwrap(), Content::new("{}".into()));

        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let link = dir.path().join("daemon.json");
        symlink("etc/daemon.json", &link).unwrap();
        replace(&link, r#"{"debug": true}"#).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&file).unwrap().text, r#"{"debug": true}"#);
        assert_eq!(mode(&file), 0o640);
        let names = fs::read_dir(dir.path().join("etc")).unwrap().count();
        assert_eq!(names, 1, "nothing is left beside the file");
    }

    #[test]
    fn a_place_that_takes_no_file_is_told() {
        assert!(!is_replaceable(Path::new("/proc/1/dhow/daemon.json")));
        assert!(replace(Path::new("/proc/1/dhow/daemon.json"), "{}").is_err());
    }
}
