//! `cp`: copies files into and out of containers, with the rules of Unix's
//! `cp -a`: what a copy is called at its destination depends on what is there.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use dhow_client::{Method, Request, Response};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::Value as Json;

use crate::commands::container::path;
use crate::failure::{Failure, path_error};
use crate::output;
use crate::session::Session;

/// Copy files between a container and this computer
#[derive(Args)]
pub struct Arguments {
    /// Keep owner and group
    #[arg(short, long)]
    archive: bool,
    /// Follow links in the source
    #[arg(short = 'L', long)]
    follow_link: bool,
    /// Say nothing
    #[arg(short, long)]
    quiet: bool,
    #[arg(required = true, value_name = "CONTAINER:SRC_PATH|SRC_PATH|-")]
    source: String,
    #[arg(required = true, value_name = "DEST_PATH|-|CONTAINER:DEST_PATH")]
    destination: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let source = Place::parse(&arguments.source);
    let destination = Place::parse(&arguments.destination);
    if arguments.source.is_empty() || arguments.destination.is_empty() {
        return Err(Failure::message("source can not be empty"));
    }
    match (source, destination) {
        (Place::Container(container, from), Place::Local(to)) => {
            out(&arguments, session, &container, &from, &to).await
        }
        (Place::Local(from), Place::Container(container, to)) => {
            into(&arguments, session, &container, &from, &to).await
        }
        (Place::Container(..), Place::Container(..)) => Err(Failure::message(
            "copying between containers is not supported",
        )),
        (Place::Local(_), Place::Local(_)) => Err(Failure::message(
            "must specify at least one container source",
        )),
    }
}

/// One end of a copy.
enum Place {
    Container(String, String),
    Local(String),
}

impl Place {
    /// `container:path`; paths that start with a dot or slash are local, colon
    /// or not.
    fn parse(text: &str) -> Self {
        if text.starts_with(['/', '.']) {
            return Self::Local(text.to_owned());
        }
        match text.split_once(':') {
            Some((container, path)) if !container.is_empty() => {
                Self::Container(container.to_owned(), path.to_owned())
            }
            _ => Self::Local(text.to_owned()),
        }
    }
}

/// What the engine says of a path in a container.
struct Stat {
    name: String,
    is_directory: bool,
    link_target: Option<String>,
}

const GO_DIRECTORY: u64 = 1 << 31;
const GO_SYMLINK: u64 = 1 << 27;

impl Stat {
    fn of(response: &Response) -> Option<Self> {
        let header = response.header("x-docker-container-path-stat")?;
        let json = decode_base64(header)?;
        let stat: Json = serde_json::from_slice(&json).ok()?;
        let mode = stat["mode"].as_u64().unwrap_or(0);
        let target = stat["linkTarget"].as_str().unwrap_or_default();
        Some(Self {
            name: stat["name"].as_str().unwrap_or_default().to_owned(),
            is_directory: mode & GO_DIRECTORY != 0,
            link_target: (mode & GO_SYMLINK != 0).then(|| target.to_owned()),
        })
    }
}

async fn stat(session: &Session, container: &str, at: &str) -> Result<Option<Stat>, Failure> {
    let request = Request::new(Method::HEAD, path(container, "archive")).query("path", at);
    match session.client()?.send(request).await {
        Ok(response) => Ok(Stat::of(&response)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn out(
    arguments: &Arguments,
    session: &Session,
    container: &str,
    from: &str,
    to: &str,
) -> Result<i32, Failure> {
    let mut from = absolute_inside(from);
    if arguments.follow_link
        && let Some(Stat {
            link_target: Some(target),
            ..
        }) = stat(session, container, &from).await?
    {
        from = resolve_link(&from, &target);
    }
    let request = Request::get(path(container, "archive")).query("path", &from);
    let response = session.client()?.send(request).await?;
    if to == "-" {
        return to_stdout(response).await;
    }
    let stat = Stat::of(&response)
        .ok_or_else(|| Failure::message("the engine does not say what it copies"))?;
    let target = Path::new(to);
    let plan = place(to, target.is_dir(), target.exists(), &from, &stat)?;
    if let Some(parent) = plan.directory.as_deref()
        && !parent.as_os_str().is_empty()
        && !parent.is_dir()
    {
        let shown = parent.display().to_string();
        let error = io::Error::from(io::ErrorKind::NotFound);
        return Err(Failure::message(format!(
            "invalid output path: directory \"{shown}\" does not exist: {}",
            path_error("stat", &shown, &error)
        )));
    }
    let copied = unpack(response, plan, arguments.archive).await?;
    if !arguments.quiet && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        output::warn(&format!(
            "Successfully copied {} to {to}",
            dhow_model::size::human_size(copied)
        ));
    }
    Ok(0)
}

/// Where an archive's entries go: their first name is replaced.
struct Placed {
    directory: Option<PathBuf>,
    /// The name at the destination; `None` for the content of the source
    /// directory itself.
    name: Option<String>,
    /// The name in the archive.
    from: String,
}

fn place(
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
async fn unpack(response: Response, plan: Placed, keep_owner: bool) -> Result<i64, Failure> {
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

async fn to_stdout(response: Response) -> Result<i32, Failure> {
    use std::io::Write;
    let mut chunks = response.chunks();
    let mut stdout = io::stdout().lock();
    while let Some(chunk) = chunks.next().await {
        stdout.write_all(&chunk?)?;
    }
    stdout.flush()?;
    Ok(0)
}

async fn into(
    arguments: &Arguments,
    session: &Session,
    container: &str,
    from: &str,
    to: &str,
) -> Result<i32, Failure> {
    let mut to = absolute_inside(to);
    let mut found = stat(session, container, &to).await?;
    // Docker follows a link at the destination, as cp does.
    if let Some(Stat {
        link_target: Some(target),
        ..
    }) = &found
    {
        to = resolve_link(&to, target);
        found = stat(session, container, &to).await?;
    }
    let (directory, body) = if from == "-" {
        if found.as_ref().is_some_and(|stat| !stat.is_directory) {
            return Err(Failure::message(format!(
                "destination \"{container}:{to}\" must be a directory"
            )));
        }
        (to.clone(), stdin_stream())
    } else {
        let (directory, name) = destination(from, &to, found.as_ref(), arguments.follow_link)?;
        let body = archive_stream(from, name, arguments.follow_link);
        (directory, body)
    };
    let request = Request::new(Method::PUT, path(container, "archive"))
        .query("path", &directory)
        .query("noOverwriteDirNonDir", "true")
        .flag("copyUIDGID", arguments.archive)
        .stream("application/x-tar", body);
    session.done(request).await?;
    if !arguments.quiet && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        output::warn(&format!("Successfully copied {from} to {container}:{to}"));
    }
    Ok(0)
}

/// The directory inside to unpack in, and the name there; `None` for the
/// content of the source directory itself.
fn destination(
    from: &str,
    to: &str,
    found: Option<&Stat>,
    follow: bool,
) -> Result<(String, Option<String>), Failure> {
    let metadata = if follow || from.ends_with('/') {
        std::fs::metadata(from)
    } else {
        std::fs::symlink_metadata(from)
    };
    let metadata = metadata.map_err(|error| Failure::message(path_error("lstat", from, &error)))?;
    let contents_only = from == "." || from.ends_with("/.");
    let own_name = || {
        let absolute = std::path::absolute(from).unwrap_or_else(|_| PathBuf::from(from));
        absolute
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    match found {
        Some(stat) if stat.is_directory => {
            let name = (!contents_only).then(own_name).flatten();
            Ok((to.to_owned(), name))
        }
        Some(_) if metadata.is_dir() => Err(Failure::message("cannot copy directory")),
        None if to.ends_with('/') && !metadata.is_dir() => Err(Failure::message(format!(
            "destination \"{to}\" must be a directory: no such directory"
        ))),
        _ => {
            let (directory, name) = split(to);
            Ok((directory, Some(name)))
        }
    }
}

/// An archive of a local path, made by a thread while it is sent.
fn archive_stream(
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
    Box::pin(tokio_stream(receiver))
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

/// Standard input as a body.
pub fn stdin_stream() -> BoxStream<'static, io::Result<Bytes>> {
    file_stream(io::stdin())
}

/// Anything that is read, as a body: read by a thread while it is sent.
pub fn file_stream(
    mut reader: impl Read + Send + 'static,
) -> BoxStream<'static, io::Result<Bytes>> {
    let (sender, receiver) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(8);
    tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let piece = match reader.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
                Err(error) => Err(error),
            };
            let failed = piece.is_err();
            if sender.blocking_send(piece).is_err() || failed {
                return;
            }
        }
    });
    Box::pin(tokio_stream(receiver))
}

fn tokio_stream(
    receiver: tokio::sync::mpsc::Receiver<io::Result<Bytes>>,
) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send {
    futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    })
}

fn absolute_inside(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

/// Directory and name of a path inside a container.
fn split(path: &str) -> (String, String) {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit_once('/') {
        Some(("", name)) => ("/".to_owned(), name.to_owned()),
        Some((directory, name)) => (directory.to_owned(), name.to_owned()),
        None => ("/".to_owned(), trimmed.to_owned()),
    }
}

fn resolve_link(link: &str, target: &str) -> String {
    if target.starts_with('/') {
        return target.to_owned();
    }
    let (directory, _) = split(link);
    dhow_model::mount::clean(&format!("{directory}/{target}"))
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
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

    #[test]
    fn ends_of_a_copy() {
        let inside = |text: &str| matches!(Place::parse(text), Place::Container(..));
        assert!(inside("c:/x") && inside("c:x"));
        assert!(!inside("/a:b") && !inside("./c:x") && !inside("x"));
        assert_eq!(split("/a/b/"), ("/a".into(), "b".into()));
        assert_eq!(split("/a"), ("/".into(), "a".into()));
        assert_eq!(resolve_link("/a/b", "../c"), "/c");
    }
}
