//! Where on a command line the cursor is, in terms of the grammar. Pure.

use clap::{Arg, Command};

use crate::usage::takes_next_word;

/// A command line up to the cursor.
pub struct Line<'a> {
    /// The flags before the command: which engine is meant.
    pub globals: Vec<String>,
    /// Whether the command is forced to what it would not do otherwise.
    pub forced: bool,
    /// What is to come at the cursor.
    pub asked: Asked<'a>,
}

/// What the word at the cursor is.
pub enum Asked<'a> {
    /// The name of a command of this one.
    Command(&'a Command, &'a str),
    /// A flag of this command.
    Flag(&'a Command, &'a str),
    /// This flag's value.
    Value(&'a Arg),
    /// A word of the command at this path, after these others.
    Word(Vec<&'a str>, &'a [String]),
    /// Behind something that makes no sense.
    Unknown,
}

/// Understands `words`, the last of which is the unfinished one.
pub fn understand<'a>(root: &'a Command, words: &'a [String]) -> Line<'a> {
    let (current, before) = match words.split_last() {
        Some((current, before)) => (current.as_str(), before),
        None => ("", words),
    };
    let mut command = root;
    let mut path = Vec::new();
    let mut globals = Vec::new();
    // Where the words that are no flags begin; nothing after it is a flag's
    // once a command takes another one's words, or after `--`.
    let mut first_word = None;
    let mut only_words = false;
    let mut at = 0;
    let mut awaited = None;
    let mut forced = false;
    while at < before.len() {
        let word = before[at].as_str();
        at += 1;
        if only_words {
            continue;
        }
        if word == "--" {
            only_words = true;
            first_word = first_word.or(Some(at));
        } else if word.len() > 1 && word.starts_with('-') {
            let end = at + usize::from(takes_next_word(command, word));
            match before.get(at - 1..end) {
                Some(words) if path.is_empty() => globals.extend_from_slice(words),
                Some(_) => {}
                None => awaited = flag(command, word),
            }
            forced |= flag(command, word).is_some_and(|flag| flag.get_id() == "force");
            at = end;
        } else if command.has_subcommands() {
            let Some(sub) = command.find_subcommand(word) else {
                return Line {
                    globals,
                    forced,
                    asked: Asked::Unknown,
                };
            };
            path.push(sub.get_name());
            command = sub;
        } else {
            first_word = first_word.or(Some(at - 1));
            only_words |= ends_with_others_words(command);
        }
    }
    let asked = if let Some(flag) = awaited {
        Asked::Value(flag)
    } else if !only_words && current.starts_with('-') {
        match current.split_once('=') {
            Some((name, _)) => flag(command, name).map_or(Asked::Unknown, Asked::Value),
            None => Asked::Flag(command, current),
        }
    } else if command.has_subcommands() {
        Asked::Command(command, current)
    } else {
        let given = first_word.map_or(&before[before.len()..], |first| &before[first..]);
        Asked::Word(path, given)
    };
    Line {
        globals,
        forced,
        asked,
    }
}

/// Whether what follows the first word is a command line of its own.
fn ends_with_others_words(command: &Command) -> bool {
    command
        .get_positionals()
        .any(|arg| arg.is_trailing_var_arg_set())
}

/// The flag at the end of `word`: `--name`, `-n`, `-xn`.
fn flag<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let short = word.chars().last();
    command
        .get_arguments()
        .find(|arg| match word.strip_prefix("--") {
            Some(long) => arg.get_long() == Some(long),
            None => arg.get_short().is_some() && arg.get_short() == short,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::grammar;
    use crate::program::Program;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let root = grammar(Program::DHOW);
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let line = understand(&root, &words);
        let asked = match line.asked {
            Asked::Command(command, start) => format!("command of {} {start}", command.get_name()),
            Asked::Flag(command, start) => format!("flag of {} {start}", command.get_name()),
            Asked::Value(flag) => format!("value of {}", flag.get_long().unwrap_or_default()),
            Asked::Word(path, given) => format!("word {} of {}", given.len(), path.join(" ")),
            Asked::Unknown => "unknown".to_owned(),
        };
        assert_eq!(
            format!("{asked} {}", line.globals.join(" ")).trim(),
            expected
        );
    }

    #[test]
    fn the_cursor_is_found() {
        check("", "command of dhow");
        check("p", "command of dhow p");
        check("-H x ps ", "word 0 of ps -H x");
        check("-H ", "value of host");
        check(
            "--context=a context use ",
            "word 0 of context use --context=a",
        );
        check("--context ", "value of context");
        check("context ", "command of context");
        check("nope ", "unknown");
        check("rm -f a b ", "word 2 of rm");
        check("rm -", "flag of rm -");
        check("rm a --f", "flag of rm --f");
        check("rm -- -", "word 0 of rm");
        check("run --network ", "value of network");
        check("run --network=b", "value of network");
        check("run -it ", "word 0 of run");
        check("run -itv ", "value of volume");
        check("run image -", "word 1 of run");
        check("exec -u root c ", "word 1 of exec");
    }
}
