//! Makes an archive of a local path while it is sent.

use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::commands::stream::received;

/// An archive of a local path, made by a thread while it is sent.
pub fn archive_stream(
    from: &str,
    name: Option<String>,
    follow: bool,
) -> BoxStream<'static, io::Result<Bytes>> {
    let (sender, receiver) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(8);
    let from = from.to_owned();
    tokio::task::spawn_blocking(move || {
        let writer = io::BufWriter::with_capacity(
            64 * 1024,
            Sender {
                sender: sender.clone(),
            },
        );
        if let Err(error) = write_archive(writer, Path::new(&from), name.as_deref(), follow) {
            // The receiver is gone where the engine refused the rest.
            let _ = sender.blocking_send(Err(error));
        }
    });
    Box::pin(received(receiver))
}

fn write_archive(
    writer: impl io::Write,
    from: &Path,
    name: Option<&str>,
    follow: bool,
) -> io::Result<()> {
    let mut builder = tar::Builder::new(writer);
    builder.follow_symlinks(false);
    let metadata = if follow || from.to_string_lossy().ends_with('/') {
        std::fs::metadata(from)?
    } else {
        std::fs::symlink_metadata(from)?
    };
    if metadata.is_dir() {
        builder.append_dir_all(name.unwrap_or("."), from)?;
    } else if metadata.is_file() {
        let mut file = std::fs::File::open(from)?;
        builder.append_file(name.unwrap_or("file"), &mut file)?;
    } else {
        builder.append_path_with_name(from, name.unwrap_or("file"))?;
    }
    let mut writer = builder.into_inner()?;
    io::Write::flush(&mut writer)
}

struct Sender {
    sender: tokio::sync::mpsc::Sender<io::Result<Bytes>>,
}

impl io::Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sender
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
