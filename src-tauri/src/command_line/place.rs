//! What may be done to the place of a link, by what it holds. Pure.
//!
//! Ours is a link, and one that leads to the `dhow` that came with this app:
//! a file is somebody's, and so is a link to anything else.

use std::path::{Path, PathBuf};

/// What is in a place.
#[derive(Debug, PartialEq, Eq)]
pub enum Holds {
    Nothing,
    /// A link: what it says, and where that leads, if it leads anywhere.
    Link {
        target: PathBuf,
        real: Option<PathBuf>,
    },
    File,
    Folder,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// It is as it should be.
    Nothing,
    Do,
    /// It is not ours: what it is.
    Refuse(String),
}

/// What making the link to `bundled` takes.
pub fn install(holds: &Holds, bundled: &Path) -> Step {
    match holds {
        Holds::Nothing => Step::Do,
        other if is_ours(other, bundled) => Step::Nothing,
        other => Step::Refuse(what(other)),
    }
}

/// What removing the link takes.
pub fn remove(holds: &Holds, bundled: Option<&Path>) -> Step {
    match holds {
        Holds::Nothing => Step::Nothing,
        other if bundled.is_some_and(|bundled| is_ours(other, bundled)) => Step::Do,
        other => Step::Refuse(what(other)),
    }
}

/// The words of a command that makes the link, and replaces nothing.
pub fn link_words(bundled: &Path, path: &Path) -> Vec<String> {
    // Where `ln` knows a way not to look into a folder of that name.
    let flags = if cfg!(target_os = "linux") {
        "-sT"
    } else {
        "-sn"
    };
    let words = ["ln", flags, "--"].map(str::to_owned);
    let paths = [bundled, path].map(|path| path.display().to_string());
    words.into_iter().chain(paths).collect()
}

/// The words of a command that removes it.
pub fn unlink_words(path: &Path) -> Vec<String> {
    let mut words: Vec<String> = ["rm", "--"].map(str::to_owned).into();
    words.push(path.display().to_string());
    words
}

fn is_ours(holds: &Holds, bundled: &Path) -> bool {
    match holds {
        // The app's folder may itself be reached by another way.
        Holds::Link { target, real } => target == bundled || real.as_deref() == Some(bundled),
        Holds::Nothing | Holds::File | Holds::Folder => false,
    }
}

fn what(holds: &Holds) -> String {
    match holds {
        Holds::Nothing => "nothing".to_owned(),
        Holds::File => "a file".to_owned(),
        Holds::Folder => "a folder".to_owned(),
        Holds::Link { target, real: None } => {
            format!("a link to {}, which is gone", target.display())
        }
        Holds::Link { target, .. } => format!("a link to {}", target.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "/opt/dhow/dhow";

    fn link(target: &str, real: Option<&str>) -> Holds {
        Holds::Link {
            target: target.into(),
            real: real.map(Into::into),
        }
    }

    #[track_caller]
    fn check(holds: &Holds, installing: Step, removing: Step) {
        assert_eq!(install(holds, Path::new(OURS)), installing, "{holds:?}");
        assert_eq!(remove(holds, Some(Path::new(OURS))), removing, "{holds:?}");
    }

    #[test]
    fn only_our_own_link_is_made_and_removed() {
        check(&Holds::Nothing, Step::Do, Step::Nothing);
        check(&link(OURS, Some(OURS)), Step::Nothing, Step::Do);
        // Reached by another way, or left behind by an app that was removed.
        check(&link("../x/dhow", Some(OURS)), Step::Nothing, Step::Do);
        check(&link(OURS, None), Step::Nothing, Step::Do);
    }

    #[test]
    fn what_is_not_ours_is_named_and_stays() {
        let refuse = |what: &str| Step::Refuse(what.to_owned());
        let all = |holds: &Holds, what: &str| check(holds, refuse(what), refuse(what));
        all(&Holds::File, "a file");
        all(&Holds::Folder, "a folder");
        all(
            &link("/usr/bin/docker", Some("/usr/bin/docker")),
            "a link to /usr/bin/docker",
        );
        all(
            &link("/old/dhow", None),
            "a link to /old/dhow, which is gone",
        );
        // Without a bundled one nothing is known to be ours.
        assert_eq!(
            remove(&link(OURS, None), None),
            refuse("a link to /opt/dhow/dhow, which is gone")
        );
    }

    #[test]
    fn commands_replace_nothing_and_take_no_name_for_a_flag() {
        let words = link_words(Path::new(OURS), Path::new("/usr/local/bin/dhow"));
        assert!(words[1].starts_with("-s") && !words[1].contains('f'));
        assert_eq!(words[2..], ["--", OURS, "/usr/local/bin/dhow"]);
        assert_eq!(unlink_words(Path::new("/x")), ["rm", "--", "/x"]);
    }
}
