//! Writing small files so that a crash leaves either the old or the new one.

use std::io::{self, Write};
use std::path::Path;

/// Who may read what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The owner only.
    Owner,
    /// Whoever may read the folder, if the umask has nothing against it.
    Anyone,
}

/// Puts `bytes` in the place of the file `path`.
pub fn replace(path: &Path, bytes: &[u8], reader: Reader) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    write(&temporary, bytes, reader)
        .and_then(|()| std::fs::rename(&temporary, path))
        .inspect_err(|_| {
            let _ = std::fs::remove_file(&temporary);
        })
}

/// Makes `path` and what is above it, each for the owner only.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn write(path: &Path, bytes: &[u8], reader: Reader) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        match reader {
            Reader::Owner => 0o600,
            Reader::Anyone => 0o644,
        },
    );
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
