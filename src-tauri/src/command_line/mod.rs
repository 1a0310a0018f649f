//! `dhow` for the person's terminal: a symbolic link to the one that came with
//! the app, in a folder of their own or in one for everybody.
//!
//! [`place`] says what a link's place holds and what may be done there; this
//! looks, asks for a password where one is needed, and does it. What is not
//! ours is never touched.

mod place;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::{Deserialize, Serialize};

use crate::engine::launch::{self, Surroundings};
use place::{Holds, Step};

/// The command's name.
const NAME: &str = "dhow";

/// The folder for everybody, which every PATH has.
const SYSTEM: &str = "/usr/local/bin";

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The person alone.
    User,
    /// Everybody on this computer.
    System,
}

/// What the page is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandLine {
    /// The one that came with the app; empty where none did, or where it is
    /// gone when the app ends.
    bundled: String,
    /// What `dhow` is in a terminal; empty where it is nothing.
    found: String,
    /// Whether these are the same.
    ours: bool,
    user: UserPlace,
    system: SystemPlace,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserPlace {
    path: PathBuf,
    in_path: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SystemPlace {
    path: PathBuf,
    needs_password: bool,
}

/// Why there is no link, or still one.
#[derive(Debug, thiserror::Error)]
pub enum CommandLineError {
    #[error("no command line that stays where it is came with this app")]
    NoneBundled,
    #[error("this person has no home folder")]
    NoHome,
    #[error(
        "{path} is there already and is not Dhow's: {what}. Remove it first, if it is not needed"
    )]
    Taken { path: PathBuf, what: String },
    #[error("cannot look at {path}")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot change {path}")]
    Unchanged {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("nothing here can ask for a password: run {command} in a terminal")]
    NobodyAsks { command: String },
    #[error("{0}")]
    Declined(String),
    #[error("{command} failed: {said}")]
    Failed { command: String, said: String },
}

/// What there is.
#[tauri::command]
pub fn command_line() -> Result<CommandLine, String> {
    state().map_err(said)
}

/// Makes the link.
#[tauri::command]
pub async fn install_command_line(scope: Scope) -> Result<(), String> {
    let bundled = bundled().ok_or(CommandLineError::NoneBundled);
    let outcome = async {
        let bundled = bundled?;
        let path = path(scope)?;
        match place::install(&holds(&path)?, &bundled) {
            Step::Nothing => Ok(()),
            Step::Refuse(what) => Err(CommandLineError::Taken { path, what }),
            Step::Do => link(&bundled, &path, scope).await,
        }
    };
    outcome.await.map_err(said)
}

/// Takes it away again.
#[tauri::command]
pub async fn remove_command_line(scope: Scope) -> Result<(), String> {
    let outcome = async {
        let path = path(scope)?;
        match place::remove(&holds(&path)?, bundled().as_deref()) {
            Step::Nothing => Ok(()),
            Step::Refuse(what) => Err(CommandLineError::Taken { path, what }),
            Step::Do => unlink(&path, scope).await,
        }
    };
    outcome.await.map_err(said)
}

fn said(error: CommandLineError) -> String {
    crate::engine::find::sentence(&error)
}

fn state() -> Result<CommandLine, CommandLineError> {
    let folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    let found = folders.iter().map(|folder| folder.join(NAME));
    let found = found.into_iter().find(|path| is_program(path));
    let bundled = bundled();
    let real = |path: &Option<PathBuf>| path.as_ref().and_then(|path| path.canonicalize().ok());
    let user = path(Scope::User)?;
    let system = path(Scope::System)?;
    Ok(CommandLine {
        ours: real(&found).is_some() && real(&found) == real(&bundled),
        bundled: text(bundled),
        found: text(found),
        user: UserPlace {
            in_path: user
                .parent()
                .is_some_and(|own| folders.iter().any(|one| one == own)),
            path: user,
        },
        system: SystemPlace {
            needs_password: !may_change(Path::new(SYSTEM)),
            path: system,
        },
    })
}

fn text(path: Option<PathBuf>) -> String {
    path.map(|path| path.display().to_string())
        .unwrap_or_default()
}

/// The command line that came with the app. An AppImage runs from a mount of
/// its own, and a link into that would lead nowhere once the app has ended.
fn bundled() -> Option<PathBuf> {
    match std::env::var_os("APPIMAGE") {
        Some(_) => None,
        None => launch::beside_us(NAME),
    }
}

fn path(scope: Scope) -> Result<PathBuf, CommandLineError> {
    let folder = match scope {
        Scope::System => PathBuf::from(SYSTEM),
        Scope::User => {
            let folders = directories::BaseDirs::new().ok_or(CommandLineError::NoHome)?;
            // Only Linux's desktops have a word for it.
            let own = folders.executable_dir().map(Path::to_owned);
            own.unwrap_or_else(|| folders.home_dir().join(".local/bin"))
        }
    };
    Ok(folder.join(NAME))
}

/// What is at `path` now.
fn holds(path: &Path) -> Result<Holds, CommandLineError> {
    let failed = |source| CommandLineError::Unreadable {
        path: path.to_owned(),
        source,
    };
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Holds::Nothing),
        Err(error) => Err(failed(error)),
        Ok(about) if about.is_symlink() => {
            let target = path.read_link().map_err(failed)?;
            let real = path.canonicalize().ok();
            Ok(Holds::Link { target, real })
        }
        Ok(about) if about.is_dir() => Ok(Holds::Folder),
        Ok(_) => Ok(Holds::File),
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use nix::unistd::{AccessFlags, access};
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(unix)]
fn may_change(folder: &Path) -> bool {
    use nix::unistd::{AccessFlags, access};
    access(folder, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

#[cfg(not(unix))]
fn may_change(_: &Path) -> bool {
    false
}

async fn link(bundled: &Path, path: &Path, scope: Scope) -> Result<(), CommandLineError> {
    if scope == Scope::System && !may_change(Path::new(SYSTEM)) {
        return as_root(&place::link_words(bundled, path)).await;
    }
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    // Making a link never replaces anything.
    let made = made.and_then(|()| symlink(bundled, path));
    made.map_err(|source| CommandLineError::Unchanged {
        path: path.to_owned(),
        source,
    })
}

async fn unlink(path: &Path, scope: Scope) -> Result<(), CommandLineError> {
    if scope == Scope::System && !may_change(Path::new(SYSTEM)) {
        return as_root(&place::unlink_words(path)).await;
    }
    std::fs::remove_file(path).map_err(|source| CommandLineError::Unchanged {
        path: path.to_owned(),
        source,
    })
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Runs one command after the system's own dialog asked for a password.
async fn as_root(words: &[String]) -> Result<(), CommandLineError> {
    let command = words.join(" ");
    let surroundings = Surroundings::of_process();
    let Some(mut whole) = launch::as_root(&surroundings) else {
        let command = format!("sudo {command}");
        return Err(CommandLineError::NobodyAsks { command });
    };
    whole.extend(words.iter().map(Into::into));
    let failed = |said: String| CommandLineError::Failed {
        command: command.clone(),
        said,
    };
    let (program, arguments) = whole
        .split_first()
        .ok_or_else(|| failed("it is empty".to_owned()))?;
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let text = text.trim();
    // sudo ends as the command itself would, which says why.
    if launch::declined(&surroundings, output.status.code()) && surroundings.pkexec.is_some() {
        return Err(CommandLineError::Declined(launch::refusal(text)));
    }
    let last = text.lines().last().unwrap_or("it said nothing");
    Err(failed(last.to_owned()))
}
