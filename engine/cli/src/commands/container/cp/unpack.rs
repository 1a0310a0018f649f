//! Unpacks what a container's path is copied as, below a local directory and
//! nowhere else.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use dhow_client::Response;
use futures_util::StreamExt;

use super::Stat;
use crate::failure::Failure;

/// Where an archive's entries go: their first name is replaced.
pub struct Placed {
    pub directory: Option<PathBuf>,
    /// The name at the destination; `None` for the content of the source
    /// directory itself.
    name: Option<String>,
    /// The name in the archive.
    from: String,
}

/// Decides where a copy goes.
pub fn place(
    to: &str,
    is_directory: bool,
    exists: bool,
    from: &str,
    stat: &Stat,
) -> Result<Placed, Failure> {
    let contents_only = from.ends_with("/.") || from == ".";
    let target = Path::new(to);
    if is_directory {
        return Ok(Placed {
            directory: Some(target.to_owned()),
            name: (!contents_only).then(|| stat.name.clone()),
            from: stat.name.clone(),
        });
    }
    if exists && stat.is_directory {
        return Err(Failure::message("cannot copy directory"));
    }
    if !exists && to.ends_with('/') && !stat.is_directory {
        return Err(Failure::message(format!(
            "destination \"{to}\" must be a directory: no such directory"
        )));
    }
    let name = target
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    Ok(Placed {
        directory: target.parent().map(Path::to_owned),
        name,
        from: stat.name.clone(),
    })
}

/// Unpacks in a thread of its own, fed from the connection. Entries that would
/// leave the destination are refused by the archive reader.
pub async fn unpack(response: Response, plan: Placed, keep_owner: bool) -> Result<i64, Failure> {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(8);
    let worker = tokio::task::spawn_blocking(move || -> io::Result<i64> {
        let directory = match plan.directory {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => PathBuf::from("."),
        };
        let mut archive = tar::Archive::new(Channel {
            receiver,
            rest: Bytes::new(),
        });
        archive.set_preserve_permissions(true);
        archive.set_preserve_ownerships(keep_owner);
        let mut copied = 0;
        for entry in archive.entries()? {
            let mut entry = entry?;
            let size = entry.size();
            let inside = entry.path()?.into_owned();
            let Some(relative) = renamed(&inside, &plan.from, plan.name.as_deref()) else {
                continue;
            };
            // The reader joins names below the directory and nothing else; a
            // renamed entry has to pass the same rule.
            if relative
                .components()
                .any(|c| !matches!(c, Component::Normal(_) | Component::CurDir))
            {
                continue;
            }
            entry_to(&mut entry, &directory, &relative)?;
            copied += i64::try_from(size).unwrap_or(0);
        }
        Ok(copied)
    });
    let mut chunks = response.chunks();
    while let Some(chunk) = chunks.next().await {
        if sender.send(chunk?).await.is_err() {
            break;
        }
    }
    drop(sender);
    let unpacked = worker
        .await
        .map_err(|error| Failure::message(error.to_string()))?;
    Ok(unpacked?)
}

/// Writes one entry below `directory` without following links that an earlier
/// entry of the same archive may have made.
fn entry_to<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    directory: &Path,
    relative: &Path,
) -> io::Result<()> {
    let root = directory.canonicalize()?;
    let target = root.join(relative);
    if let Some(parent) = target.parent() {
        let inside = parent.canonicalize()?;
        if !inside.starts_with(&root) {
            return Err(io::Error::other(format!(
                "{} leads out of the destination",
                relative.display()
            )));
        }
    }
    if entry.header().entry_type().is_hard_link() {
        // A hard link's target is named as in the archive: a copy of what it
        // names lies beside it already.
        if let Some(link) = entry.link_name()? {
            let first = relative
                .components()
                .next()
                .map(|c| c.as_os_str().to_owned());
            let rest: PathBuf = link.components().skip(1).collect();
            if let Some(first) = first
                && rest.components().all(|c| matches!(c, Component::Normal(_)))
            {
                let existing = root.join(first).join(rest);
                let _ = std::fs::remove_file(&target);
                return std::fs::hard_link(existing, target);
            }
        }
        return Ok(());
    }
    entry.unpack(&target).map(|_| ())
}

fn renamed(inside: &Path, from: &str, name: Option<&str>) -> Option<PathBuf> {
    let mut rest = inside.components();
    let first = rest.next()?;
    let is_first = first.as_os_str() == from || matches!(first, Component::CurDir);
    let rest: PathBuf = rest.collect();
    match name {
        // Joined with nothing, a path would end in a slash.
        Some(name) if is_first && rest.as_os_str().is_empty() => Some(PathBuf::from(name)),
        Some(name) if is_first => Some(Path::new(name).join(rest)),
        Some(_) => Some(inside.to_owned()),
        None if rest.as_os_str().is_empty() => None,
        None => Some(rest),
    }
}

struct Channel {
    receiver: tokio::sync::mpsc::Receiver<Bytes>,
    rest: Bytes,
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.receiver.blocking_recv() {
                Some(bytes) => self.rest = bytes,
                None => return Ok(0),
            }
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest.split_to(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_get_the_destinations_name() {
        let check = |inside: &str, name: Option<&str>, expected: Option<&str>| {
            let renamed = renamed(Path::new(inside), "etc", name);
            assert_eq!(renamed.as_deref(), expected.map(Path::new), "{inside}");
        };
        check("etc/hosts", Some("copy"), Some("copy/hosts"));
        check("etc", Some("copy"), Some("copy"));
        check("etc/a/b", None, Some("a/b"));
        check("etc", None, None);
    }
}
