//! What could come next on a command line: commands, flags, and the names of
//! what the engine has.
//!
//! The hidden command `__complete` answers in the form that Docker's client
//! does: a candidate per line, its description behind a tab, and last a colon
//! and a number that tells the shell what to do besides. So scripts that a
//! person has for `docker` work on a link of that name too. The scripts of our
//! own ask the same.

mod line;
mod names;
mod source;

use clap::Command;

use crate::app::{self, App};
use crate::output;
use crate::program::Program;
use crate::session::Session;
use line::Asked;
use source::Source;

/// The commands that ask; the second wants no descriptions.
const COMMANDS: [&str; 2] = ["__complete", "__completeNoDesc"];

/// Nothing could be found out.
const ERROR: u8 = 1;
/// The shell may offer files.
const DEFAULT: u8 = 0;
/// The shell must not offer files.
const NO_FILES: u8 = 4;

/// One thing that could come next.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    text: String,
    about: String,
}

impl Candidate {
    fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            about: String::new(),
        }
    }
}

/// Answers, if `words` (without the program's name) are a question of a
/// shell's.
pub fn answer(program: Program, words: &[String]) -> Option<i32> {
    let (command, words) = words.split_first()?;
    let described = COMMANDS.iter().position(|name| name == command)? == 0;
    let root = app::grammar(program);
    let (candidates, directive) = candidates(program, &root, words);
    for candidate in candidates {
        if described && !candidate.about.is_empty() {
            output::line(&format!("{}\t{}", candidate.text, candidate.about));
        } else {
            output::line(&candidate.text);
        }
    }
    output::line(&format!(":{directive}"));
    Some(0)
}

fn candidates(program: Program, root: &Command, words: &[String]) -> (Vec<Candidate>, u8) {
    let line = line::understand(root, words);
    match line.asked {
        Asked::Command(command, start) => (subcommands(command, start), NO_FILES),
        Asked::Flag(command, start) => (flags(command, start), NO_FILES),
        Asked::Value(flag) => found(program, root, &line.globals, source::of_flag(flag), &[]),
        Asked::Word(path, given) => {
            let source = source::of_word(&path, given.len()).forced(line.forced);
            found(program, root, &line.globals, source, given)
        }
        Asked::Unknown => (Vec::new(), DEFAULT),
    }
}

fn subcommands(command: &Command, start: &str) -> Vec<Candidate> {
    command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name().starts_with(start))
        .map(|sub| Candidate {
            text: sub.get_name().to_owned(),
            about: first_line(sub.get_about()),
        })
        .collect()
}

fn flags(command: &Command, start: &str) -> Vec<Candidate> {
    let mut flags: Vec<_> = command
        .get_arguments()
        .filter(|arg| !arg.is_positional() && (!arg.is_hide_set() || arg.get_id() == "help"))
        .collect();
    flags.sort_by_key(|arg| arg.get_long());
    let mut candidates = Vec::new();
    for arg in flags {
        let about = first_line(arg.get_help());
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        for text in long.into_iter().chain(short) {
            if text.starts_with(start) {
                let about = about.clone();
                candidates.push(Candidate { text, about });
            }
        }
    }
    candidates
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// What `source` has, but for what the line has already.
fn found(
    program: Program,
    root: &Command,
    globals: &[String],
    source: Source,
    given: &[String],
) -> (Vec<Candidate>, u8) {
    let candidates = match source {
        Source::Nothing => return (Vec::new(), NO_FILES),
        Source::Files => return (Vec::new(), DEFAULT),
        Source::Words(words) => words.iter().copied().map(Candidate::plain).collect(),
        Source::Names(names) => match looked_up(program, root, globals, names) {
            Some(found) => found,
            None => return (Vec::new(), ERROR),
        },
    };
    let fresh = |candidate: &Candidate| !given.contains(&candidate.text);
    (candidates.into_iter().filter(fresh).collect(), NO_FILES)
}

/// Names from the engine or the context store that the line's global flags
/// mean.
fn looked_up(
    program: Program,
    root: &Command,
    globals: &[String],
    names: source::Names,
) -> Option<Vec<Candidate>> {
    use clap::FromArgMatches as _;
    let words = [program.name.to_owned()]
        .into_iter()
        .chain(globals.to_owned());
    let mut matches = root.clone().try_get_matches_from(words).ok()?;
    let app = App::from_arg_matches_mut(&mut matches).ok()?;
    let session = Session::new(program, app.choice(), false);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    let found = runtime.block_on(names::find(&session, names));
    runtime.shutdown_background();
    found
}
