//! `GET /containers/{id}/logs`.

use super::LogsQuery;
use super::record::Record;
use crate::{ByteStream, Error, LocalEngine, Result};

impl LocalEngine {
    /// Bytes are ready for the wire: stdcopy frames, or raw for a tty
    /// container (the bool says which: true = multiplexed frames).
    pub async fn logs(&self, _name: &str, _query: LogsQuery) -> Result<(bool, ByteStream)> {
        Err(Error::system("not written yet"))
    }
}

/// The container's log driver.
pub(crate) fn driver(record: &Record) -> &str {
    record
        .host_config
        .log_config
        .as_ref()
        .and_then(|c| c.typ.as_deref())
        .unwrap_or("json-file")
}

/// Where the log is written.
pub(crate) fn path(record: &Record, directory: &std::path::Path) -> std::path::PathBuf {
    match driver(record) {
        "local" => directory.join("local-logs").join("container.log"),
        _ => directory.join(format!("{}-json.log", record.id)),
    }
}
