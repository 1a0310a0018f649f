//! Finding one path in a container's tree.

use std::os::fd::OwnedFd;
use std::{io, os::fd::AsFd};

use dhow_sys::tree::{EntryKind, Root, Stat, read_link, stat_at};
use rustix::fs::{Mode, OFlags};

use super::TreeOpError;
use super::error::reading;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStat {
    /// The last component of the path as it was asked for, `/` for the root.
    pub name: Vec<u8>,
    /// What it is.
    pub stat: Stat,
    /// Where a symbolic link leads: always a path from the container's root.
    pub link_target: Vec<u8>,
}

/// What `path` leads to below `root`: links in it are followed inside the
/// root, one at its end is looked at itself, unless a slash or `/.` follows.
pub fn stat(root: &Root, path: &[u8]) -> Result<PathStat, TreeOpError> {
    let found = locate(root, path)?;
    let link_target = match found.stat.kind {
        EntryKind::Symlink => {
            let target = read_link(found.parent.as_fd(), &found.name);
            let target = target.map_err(reading("read", path))?;
            absolute(path, &target)
        }
        _ => Vec::new(),
    };
    Ok(PathStat {
        name: match lexical(path).pop() {
            Some(name) => name,
            None => b"/".to_vec(),
        },
        stat: found.stat,
        link_target,
    })
}

/// A path's directory, its name there (empty for the directory itself), and
/// what that is.
pub(super) struct Located {
    pub parent: OwnedFd,
    pub name: Vec<u8>,
    pub stat: Stat,
}

pub(super) fn locate(root: &Root, path: &[u8]) -> Result<Located, TreeOpError> {
    let not_found = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            TreeOpError::NotFound(trim(path).to_vec())
        }
        _ => reading("lstat", trim(path))(error),
    };
    let last = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let (above, name) = match last {
        // The directory itself is meant, through a link at its end too.
        b"" | b"." | b".." => (path, Vec::new()),
        name => (&path[..path.len() - name.len()], name.to_vec()),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let parent = root
        .open_in(trim_end(above), flags, Mode::empty())
        .map_err(not_found)?;
    let stat = stat_at(parent.as_fd(), &name).map_err(not_found)?;
    Ok(Located { parent, name, stat })
}

fn trim(path: &[u8]) -> &[u8] {
    let start = path.iter().position(|&b| b != b'/');
    &path[start.unwrap_or(path.len())..]
}

fn trim_end(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&b| b != b'/');
    &path[..end.map_or(0, |last| last + 1)]
}

/// The components of a path, `..` taken back word by word.
fn lexical(path: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part.to_vec()),
        }
    }
    parts
}

/// `target` of the link at `path`, from the root.
fn absolute(path: &[u8], target: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    if !target.starts_with(b"/") {
        let parts = lexical(path);
        for part in &parts[..parts.len().saturating_sub(1)] {
            whole.extend_from_slice(part);
            whole.push(b'/');
        }
    }
    whole.extend_from_slice(target);
    let mut clean = Vec::new();
    for part in lexical(&whole) {
        clean.push(b'/');
        clean.extend_from_slice(&part);
    }
    if clean.is_empty() {
        clean.push(b'/');
    }
    clean
}
