//! `cp`: copies files into and out of containers, with the rules of Unix's
//! `cp -a`: what a copy is called at its destination depends on what is there.

mod pack;
mod stat;
mod unpack;

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use dhow_client::{Method, Request, Response};
use futures_util::StreamExt;

use self::pack::archive_stream;
use self::stat::Stat;
use self::unpack::{place, unpack};
use crate::commands::container::path;
use crate::commands::stream::stdin_stream;
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
        return Err(Failure::message(format!(
            "invalid output path: directory \"{shown}\" does not exist"
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
        None if to.ends_with('/') && !metadata.is_dir() => {
            Err(Failure::message("no such directory"))
        }
        _ => {
            let (directory, name) = split(to);
            Ok((directory, Some(name)))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
