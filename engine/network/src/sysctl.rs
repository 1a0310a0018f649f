//! Kernel settings of the calling thread's network namespace.

use std::fs;
use std::path::PathBuf;

use crate::Error;

/// Sets `/proc/sys/net/<name>`, unless it has the value already: a read-only
/// `/proc/sys` does no harm where nothing has to change.
pub(crate) fn set(name: &str, value: &str) -> Result<(), Error> {
    let path = PathBuf::from("/proc/sys/net").join(name);
    if fs::read_to_string(&path).is_ok_and(|present| present.trim_end() == value) {
        return Ok(());
    }
    fs::write(&path, value).map_err(|source| Error::Setting { path, source })
}

/// Sets it where it exists; there is none of IPv6's without IPv6.
pub(crate) fn try_set(name: &str, value: &str) {
    if let Err(error) = set(name, value) {
        tracing::debug!(
            error = dhow_model::error::chain(&error),
            "kernel setting not changed"
        );
    }
}

pub(crate) fn get(name: &str) -> Option<String> {
    fs::read_to_string(PathBuf::from("/proc/sys/net").join(name)).ok()
}
