//! The app's own log: a file that does not grow for ever, and what a person
//! in a terminal sees.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::MakeWriterExt;

/// A log that is longer than this is put aside, for the one before it.
const LONGEST: u64 = 4 << 20;

/// Logs to `folder` from here on. What is logged is chosen by `DHOW_LOG`.
pub fn begin(folder: &Path) {
    let filter = EnvFilter::try_from_env("DHOW_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false);
    match open(&folder.join("app.log")) {
        Ok(file) => builder
            .with_writer(Mutex::new(file).and(std::io::stderr))
            .init(),
        Err(error) => {
            builder.with_writer(std::io::stderr).init();
            tracing::warn!(folder = %folder.display(), %error, "there is no log file");
        }
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    if std::fs::metadata(path).is_ok_and(|found| found.len() > LONGEST) {
        std::fs::rename(path, path.with_extension("log.old"))?;
    }
    File::options().create(true).append(true).open(path)
}
