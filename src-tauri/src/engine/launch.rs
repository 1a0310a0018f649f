//! Starting the engine that came with the app: as whom, with which words, and
//! what becomes of it.
//!
//! The engine is started to stay: it has a session of its own, its output goes
//! to a file, and nothing here ever ends it. Containers and engine do not
//! notice when the app goes.
//!
//! Whoever is not root is asked by the system: by polkit's dialog where there
//! is `pkexec`, else by sudo's, where `SUDO_ASKPASS` names one. The engine is
//! then root's, and its socket belongs to the person's own group. pkexec needs
//! an agent of the desktop's to show the dialog, and says so where there is
//! none; it becomes the engine, which no longer ends with its parent, since it
//! has another group by then. sudo stays above the engine as its parent.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::state::{Launch, Why};

/// What the choice depends on.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The engine's program beside the app's, if there is one.
    pub engine: Option<PathBuf>,
    /// Whether we are root.
    pub root: bool,
    /// polkit's program that asks for a password.
    pub pkexec: Option<PathBuf>,
    /// sudo, where a dialog to ask for a password is set up for it.
    pub sudo: Option<PathBuf>,
    /// The person's own group, if nobody else is in it by its nature.
    pub group: Option<String>,
}

/// How the engine is started, from what is here.
pub fn possible(surroundings: &Surroundings) -> Launch {
    match surroundings {
        Surroundings { engine: None, .. } => Launch::Impossible,
        Surroundings { root: true, .. } => Launch::Direct,
        Surroundings {
            pkexec: None,
            sudo: None,
            ..
        } => Launch::Impossible,
        _ => Launch::AsksForPassword,
    }
}

/// The words to start the engine with. Its program first asks for the right
/// to, where that is needed.
pub fn words(surroundings: &Surroundings, socket: &Path) -> Option<Vec<OsString>> {
    let engine = surroundings.engine.as_ref()?;
    let mut words = as_root(surroundings)?;
    words.push(engine.into());
    words.push("--host".into());
    words.push(format!("unix://{}", socket.display()).into());
    // Whoever just gave the password is to be able to use what it started.
    if let (false, Some(group)) = (surroundings.root, &surroundings.group) {
        words.extend(["--group".into(), group.into()]);
    }
    Some(words)
}

/// The words before those of a program that is to run as root; none are
/// needed for who is root. Nothing where no password can be asked for.
pub fn as_root(surroundings: &Surroundings) -> Option<Vec<OsString>> {
    let Surroundings {
        root, pkexec, sudo, ..
    } = surroundings;
    match (root, pkexec, sudo) {
        (true, ..) => Some(Vec::new()),
        (false, Some(pkexec), _) => Some(vec![pkexec.into()]),
        // -A asks through the dialog in SUDO_ASKPASS.
        (false, None, Some(sudo)) => Some(vec![sudo.into(), "-A".into(), "--".into()]),
        (false, None, None) => None,
    }
}

/// What the end of the program means while nothing has answered yet.
pub fn declined(surroundings: &Surroundings, code: Option<i32>) -> bool {
    // pkexec: 126 is a dismissed dialog, 127 a refused one; sudo says 1.
    match (surroundings.root, &surroundings.pkexec) {
        (true, _) => false,
        (false, Some(_)) => matches!(code, Some(126 | 127)),
        (false, None) => code == Some(1),
    }
}

/// Why there was no password, from what pkexec or sudo said of it.
pub fn refusal(said: &str) -> String {
    // pkexec looks for an agent, and then for a terminal.
    let reason = if said.contains("authentication agent") {
        "nothing on this desktop asks for a password: a polkit agent is needed"
    } else {
        "the password was not given"
    };
    match said {
        "" => reason.to_owned(),
        said => format!("{reason}\n{said}"),
    }
}

impl Surroundings {
    /// What is here.
    #[cfg(unix)]
    pub fn of_process() -> Self {
        use nix::unistd::{Group, User, getegid, geteuid};
        let user = User::from_uid(geteuid()).ok().flatten();
        let group = Group::from_gid(getegid()).ok().flatten();
        let own = match (user, group) {
            (Some(user), Some(group)) if user.name == group.name => Some(group.name),
            _ => None,
        };
        Self {
            engine: beside_us("dhowd"),
            root: geteuid().is_root(),
            pkexec: on_path("pkexec"),
            sudo: std::env::var_os("SUDO_ASKPASS").and_then(|_| on_path("sudo")),
            group: own,
        }
    }

    /// No engine runs on this system but in a machine of its own.
    #[cfg(not(unix))]
    pub fn of_process() -> Self {
        Self {
            engine: None,
            root: false,
            pkexec: None,
            sudo: None,
            group: None,
        }
    }
}

/// Starts the engine; its output is kept in `log`.
pub fn launch(words: &[OsString], log: &Path) -> Result<Child, (Why, String)> {
    let (program, arguments) = words.split_first().ok_or_else(|| {
        let sentence = "no engine came with this app".to_owned();
        (Why::NotRunning, sentence)
    })?;
    let failed = |error: std::io::Error| {
        let program = Path::new(program).display();
        (Why::Ended, format!("cannot start {program}: {error}"))
    };
    let output = File::options()
        .create(true)
        .append(true)
        .open(log)
        .map_err(failed)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(failed)?)
        .stderr(output)
        .kill_on_drop(false);
    #[cfg(unix)]
    command.process_group(0);
    command.spawn().map_err(failed)
}

/// How much has been said in `log` so far.
pub fn length(log: &Path) -> usize {
    let length = std::fs::metadata(log).map_or(0, |about| about.len());
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The last lines of what was said behind the first `before` bytes.
pub fn last_words(log: &Path, before: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let begin = text.len().saturating_sub(4096).max(before.min(text.len()));
    let text = String::from_utf8_lossy(&text[begin..]).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join("\n")
}

/// A program that came with the app.
pub fn beside_us(name: &str) -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let folder = own.canonicalize().ok()?.parent()?.to_owned();
    // Installed, the app and the engine's programs lie in sibling folders.
    [folder.join(name), folder.join("../lib/dhow").join(name)]
        .into_iter()
        .find(|path| path.is_file())
}

#[cfg(unix)]
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings() -> Surroundings {
        Surroundings {
            engine: Some("/opt/dhow/dhowd".into()),
            root: false,
            pkexec: Some("/usr/bin/pkexec".into()),
            sudo: None,
            group: Some("ada".into()),
        }
    }

    #[track_caller]
    fn check(surroundings: &Surroundings, launch: Launch, expected: &str) {
        assert_eq!(possible(surroundings), launch);
        let words = words(surroundings, Path::new("/run/dhow.sock")).unwrap_or_default();
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn root_starts_it_just_so_and_others_after_a_password() {
        let engine = "/opt/dhow/dhowd --host unix:///run/dhow.sock";
        let person = surroundings();
        check(
            &person,
            Launch::AsksForPassword,
            &format!("/usr/bin/pkexec {engine} --group ada"),
        );
        let root = Surroundings {
            root: true,
            ..person.clone()
        };
        check(&root, Launch::Direct, engine);
        let sudo = Surroundings {
            pkexec: None,
            sudo: Some("/usr/bin/sudo".into()),
            group: None,
            ..person.clone()
        };
        check(
            &sudo,
            Launch::AsksForPassword,
            &format!("/usr/bin/sudo -A -- {engine}"),
        );
        let neither = Surroundings { sudo: None, ..sudo };
        check(&neither, Launch::Impossible, "");
        let none = Surroundings {
            engine: None,
            ..person
        };
        check(&none, Launch::Impossible, "");
    }

    #[test]
    fn a_dialog_that_nobody_shows_is_told_from_one_that_was_dismissed() {
        assert_eq!(refusal(""), "the password was not given");
        let wrong = "Error executing command as another user: Not authorized";
        assert_eq!(
            refusal(wrong),
            format!("the password was not given\n{wrong}")
        );
        let nobody = "Error creating textual authentication agent: Error opening current \
                      controlling terminal for the process (`/dev/tty')";
        assert!(refusal(nobody).starts_with("nothing on this desktop asks"));
    }

    #[test]
    fn only_what_was_said_since_counts() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!((length(&log), last_words(&log, 0)), (0, String::new()));
        std::fs::write(&log, "old\n").unwrap();
        let before = length(&log);
        assert_eq!(last_words(&log, before), "");
        std::fs::write(&log, "old\n1\n\n2\n3\n4\n").unwrap();
        assert_eq!(last_words(&log, before), "2\n3\n4");
        assert_eq!(last_words(&log, 1000), "", "it was put aside meanwhile");
    }

    #[test]
    fn a_dismissed_dialog_is_told_from_an_engine_that_ended() {
        let person = surroundings();
        assert!(declined(&person, Some(126)) && declined(&person, Some(127)));
        assert!(!declined(&person, Some(1)) && !declined(&person, None));
        let root = Surroundings {
            root: true,
            ..person
        };
        assert!(!declined(&root, Some(126)));
    }
}
