//! Help texts and the refusals of wrong command lines, in the form Docker's
//! client gives them. The grammar itself is clap's; see [`crate::app`].

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

use crate::options::flag;
use crate::program::Program;

/// A command line that is not run: what to print, where, and the exit code.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The text, with its line end.
    pub text: String,
    /// Whether it is what was asked for (help) rather than an error.
    pub asked_for: bool,
    /// The exit code.
    pub code: i32,
}

/// Adapts clap's grammar to the habits of Docker's flags: booleans take
/// `=false`, the last of a repeated flag counts, `--help` is everywhere and
/// `-h` is free for other uses.
pub fn adapt(command: Command) -> Command {
    let is_bool = |arg: &Arg| arg.get_value_parser().type_id() == ValueParser::bool().type_id();
    let command = command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .args_override_self(true)
        .mut_args(|arg| {
            if arg.is_positional() {
                return arg;
            }
            if !is_bool(&arg) {
                // Whatever stands behind such a flag is its value.
                return match arg.get_action().takes_values() && !arg.is_require_equals_set() {
                    true => arg.allow_hyphen_values(true),
                    false => arg,
                };
            }
            let counts_from_false = matches!(arg.get_action(), ArgAction::SetTrue);
            let arg = arg
                .action(ArgAction::Set)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_parser(flag::boolean);
            if counts_from_false {
                arg.default_value("false")
            } else {
                arg
            }
        })
        .arg(
            Arg::new("help")
                .long("help")
                .action(ArgAction::Help)
                .hide(true)
                .help("Show how it is used"),
        );
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, adapt))
}

/// What to tell a person whose command line clap refused.
pub fn refuse(program: Program, root: &Command, argv: &[String], error: &clap::Error) -> Refusal {
    let mut path = locate(root, argv);
    // A flag before the command is the program's, whatever command follows.
    let shown = context(error, ContextKind::InvalidArg);
    let own = |command: &Command| shown.starts_with('-') && find(command, &shown).is_some();
    if path.last().is_some_and(|command| !own(command)) && own(root) {
        path.truncate(1);
    }
    let command = path.last().copied().unwrap_or(root);
    let name = full_name(program, &path);
    let help = |text: String| Refusal {
        text,
        asked_for: true,
        code: 0,
    };
    match error.kind() {
        ErrorKind::DisplayHelp => return help(page(program, &path)),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            return help(page(program, &path));
        }
        ErrorKind::InvalidSubcommand => {
            let wrong = context(error, ContextKind::InvalidSubcommand);
            let text = if path.len() <= 1 {
                format!(
                    "{p}: unknown command: {name} {wrong}\n\nRun '{name} --help' for more information\n",
                    p = program.name
                )
            } else {
                format!(
                    "{p}: unknown command: {name} {wrong}\n\nUsage:  {name}\n\nRun '{name} --help' for more information\n",
                    p = program.name
                )
            };
            return Refusal {
                text,
                asked_for: false,
                code: 1,
            };
        }
        _ => {}
    }
    let given = positionals_wrong(error, command);
    if given {
        let (reason, see) = arity(command);
        return Refusal {
            text: format!(
                "{p}: '{name}' {reason}\n\nUsage:  {usage}\n\n{see} '{name} --help' for more information\n",
                p = program.name,
                usage = usage(&name, command),
            ),
            asked_for: false,
            code: 1,
        };
    }
    let reason = flag_error(error, command, argv);
    let words = if path.len() == 1 { " [ARG...]" } else { "" };
    Refusal {
        text: format!(
            "{reason}\n\nUsage:  {usage}{words}\n\nRun '{name} --help' for more information\n",
            usage = usage(&name, command),
        ),
        asked_for: false,
        code: 125,
    }
}

/// The help page of the command at the end of `path`.
pub fn page(program: Program, path: &[&Command]) -> String {
    let Some(command) = path.last() else {
        return String::new();
    };
    let name = full_name(program, path);
    let mut text = format!("Usage:  {}\n", usage(&name, command));
    if let Some(about) = command.get_about() {
        text.push_str(&format!("\n{about}\n"));
    }
    for (heading, names) in groups(command, path.len() == 1) {
        text.push_str(&format!("\n{heading}:\n"));
        let width = names.iter().map(|(n, _)| n.len()).max().unwrap_or(0).max(9);
        for (name, about) in names {
            text.push_str(&format!("  {name:width$}   {about}\n"));
        }
    }
    let heading = if path.len() == 1 {
        "Global Options"
    } else {
        "Options"
    };
    let options = options(command);
    if !options.is_empty() {
        text.push_str(&format!("\n{heading}:\n"));
        let width = options
            .iter()
            .map(|(flag, _)| flag.len())
            .max()
            .unwrap_or(0);
        for (flag, about) in options {
            text.push_str(&wrapped(&flag, &about, width));
        }
    }
    if command.has_subcommands() {
        text.push_str(&format!(
            "\nRun '{name} COMMAND --help' for more information on a command.\n"
        ));
    }
    text
}

/// The commands from the root to the one `argv` means.
pub fn locate<'a>(root: &'a Command, argv: &[String]) -> Vec<&'a Command> {
    let mut path = vec![root];
    let mut words = argv.iter();
    while let Some(word) = words.next() {
        let current = path[path.len() - 1];
        if !current.has_subcommands() {
            break;
        }
        if word.starts_with('-') {
            if takes_next_word(current, word) {
                words.next();
            }
            continue;
        }
        let found = current
            .get_subcommands()
            .find(|sub| sub.get_name() == word || sub.get_all_aliases().any(|a| a == word));
        match found {
            Some(sub) => path.push(sub),
            None => break,
        }
    }
    path
}

/// Whether the value of the flag `word` is the next word: that of `--host`,
/// `-H` and `-itv`, not that of `--host=x`, `-Hx` and `-it`.
pub fn takes_next_word(command: &Command, word: &str) -> bool {
    if word.contains('=') {
        return false;
    }
    let takes = |arg: &Arg| arg.get_action().takes_values() && !arg.is_require_equals_set();
    if let Some(long) = word.strip_prefix("--") {
        let mut arguments = command.get_arguments();
        return arguments.any(|arg| arg.get_long() == Some(long) && takes(arg));
    }
    let mut letters = word.chars().skip(1);
    while let Some(letter) = letters.next() {
        let mut arguments = command.get_arguments();
        if arguments.any(|arg| arg.get_short() == Some(letter) && takes(arg)) {
            return letters.next().is_none();
        }
    }
    false
}

fn full_name(program: Program, path: &[&Command]) -> String {
    let mut name = program.name.to_owned();
    for command in path.iter().skip(1) {
        name.push(' ');
        name.push_str(command.get_name());
    }
    name
}

fn usage(name: &str, command: &Command) -> String {
    let mut text = name.to_owned();
    // Docker says nothing of the one flag that these have.
    let silent = ["context rm", "network rm"];
    if !options(command).is_empty() && !silent.iter().any(|silent| name.ends_with(silent)) {
        text.push_str(" [OPTIONS]");
    }
    if command.has_subcommands() {
        text.push_str(" COMMAND");
    }
    if command.get_name() == "cp" {
        return format!(
            "{text} CONTAINER:SRC_PATH DEST_PATH|-\n\t{text} SRC_PATH|- CONTAINER:DEST_PATH"
        );
    }
    for arg in command.get_positionals() {
        for name in arg.get_value_names().unwrap_or_default() {
            text.push(' ');
            text.push_str(name);
        }
    }
    text
}

/// Subcommands under their headings.
fn groups(command: &Command, is_root: bool) -> Vec<(&'static str, Vec<(String, String)>)> {
    const COMMON: &[&str] = &[
        "run", "exec", "ps", "pull", "push", "images", "login", "logout", "search", "version",
        "info",
    ];
    let entry = |sub: &Command| {
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        (sub.get_name().to_owned(), about)
    };
    let visible = || command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let mut groups = Vec::new();
    if is_root {
        let common = COMMON
            .iter()
            .filter_map(|name| visible().find(|sub| sub.get_name() == *name))
            .map(entry)
            .collect();
        groups.push(("Common Commands", common));
        let mut managing: Vec<_> = visible()
            .filter(|sub| sub.has_subcommands())
            .map(entry)
            .collect();
        managing.sort();
        groups.push(("Management Commands", managing));
    }
    let mut rest: Vec<_> = visible()
        .filter(|sub| !is_root || !(sub.has_subcommands() || COMMON.contains(&sub.get_name())))
        .map(entry)
        .collect();
    rest.sort();
    groups.push(("Commands", rest));
    groups.retain(|(_, commands)| !commands.is_empty());
    groups
}

/// Flags and their texts, by name.
fn options(command: &Command) -> Vec<(String, String)> {
    let mut options: Vec<(String, String, String)> = command
        .get_arguments()
        .filter(|arg| !arg.is_positional() && !arg.is_hide_set())
        .map(|arg| {
            let long = arg.get_long().unwrap_or_default();
            let mut flag = match arg.get_short() {
                Some(short) => format!("-{short}, --{long}"),
                None => format!("    --{long}"),
            };
            if !arg.is_require_equals_set() && arg.get_action().takes_values() {
                let names = arg.get_value_names().unwrap_or_default();
                let name = names.first().map_or("string", |name| name.as_str());
                // clap's own default is the flag's name in capitals.
                let name = if name.chars().any(char::is_uppercase) {
                    "string"
                } else {
                    name
                };
                flag.push(' ');
                flag.push_str(name);
            }
            let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
            (long.to_owned(), flag, about)
        })
        .collect();
    options.sort();
    options
        .into_iter()
        .map(|(_, flag, about)| (flag, about))
        .collect()
}

/// One flag, its text wrapped beside it.
fn wrapped(flag: &str, about: &str, width: usize) -> String {
    const LINE: usize = 80;
    let indent = width + 5;
    let room = LINE.saturating_sub(indent).max(24);
    let mut text = format!("  {flag:width$}   ");
    let mut column = 0;
    for word in about.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > room {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent));
            column = 0;
        }
        if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    }
}

/// Whether the error is about words that are no flags: too few or too many.
fn positionals_wrong(error: &clap::Error, command: &Command) -> bool {
    match error.kind() {
        ErrorKind::MissingRequiredArgument | ErrorKind::TooManyValues => true,
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            find(command, &context(error, ContextKind::InvalidArg)).is_none()
        }
        ErrorKind::UnknownArgument => {
            let word = context(error, ContextKind::InvalidArg);
            !word.starts_with('-')
        }
        _ => false,
    }
}

/// How many words a command takes, as a sentence, and how to point at its help.
fn arity(command: &Command) -> (String, &'static str) {
    let mut least = 0;
    let mut most = Some(0);
    for arg in command.get_positionals() {
        let range = arg.get_num_args().unwrap_or_else(|| 1.into());
        let many = range.max_values() > 1 || matches!(arg.get_action(), ArgAction::Append);
        if arg.is_required_set() {
            least += range.min_values().max(1);
        }
        most = match (many, most) {
            (false, Some(most)) => Some(most + 1),
            _ => None,
        };
    }
    let plural = |count: usize| if count == 1 { "argument" } else { "arguments" };
    match most {
        None => (
            format!("requires at least {least} {}", plural(least)),
            "See",
        ),
        Some(0) if command.has_subcommands() => ("requires a command".to_owned(), "Run"),
        Some(0) => ("accepts no arguments".to_owned(), "Run"),
        Some(most) if most == least => (format!("requires {most} {}", plural(most)), "Run"),
        Some(most) if least == 0 => (format!("requires at most {most} {}", plural(most)), "Run"),
        Some(most) => (
            format!("requires at least {least} and at most {most} arguments"),
            "Run",
        ),
    }
}

fn flag_error(error: &clap::Error, command: &Command, argv: &[String]) -> String {
    let shown = context(error, ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument => match shown.strip_prefix("--") {
            Some(_) => {
                let bare = shown.split(['=', ' ']).next().unwrap_or_default();
                format!("unknown flag: {bare}")
            }
            None => {
                let letter = shown.chars().nth(1).unwrap_or_default();
                // The letters before it were understood.
                let rest = argv
                    .iter()
                    .filter(|word| word.starts_with('-') && !word.starts_with("--"))
                    .find_map(|word| word.find(letter).map(|at| &word[at..]))
                    .unwrap_or(shown.trim_start_matches('-'));
                format!("unknown shorthand flag: '{letter}' in -{rest}")
            }
        },
        ErrorKind::InvalidValue if context(error, ContextKind::InvalidValue).is_empty() => {
            missing_value(command, &shown, argv)
        }
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
            missing_value(command, &shown, argv)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = context(error, ContextKind::InvalidValue);
            let reason = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_else(|| "invalid value".to_owned());
            let flag = match find(command, &shown) {
                Some(arg) => match (arg.get_short(), arg.get_long()) {
                    (Some(short), Some(long)) => format!("-{short}, --{long}"),
                    (_, long) => format!("--{}", long.unwrap_or_default()),
                },
                None => shown,
            };
            format!("invalid argument {value:?} for {flag:?} flag: {reason}")
        }
        _ => error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

fn missing_value(command: &Command, shown: &str, argv: &[String]) -> String {
    if let Some(arg) = find(command, shown)
        && let (Some(short), Some(last)) = (arg.get_short(), argv.last())
        && !last.starts_with("--")
        && last.ends_with(short)
    {
        return format!("flag needs an argument: {short:?} in {last}");
    }
    let bare = shown.split(['=', ' ', '[']).next().unwrap_or_default();
    format!("flag needs an argument: {bare}")
}

/// The flag that clap shows as `--name <VALUE>` or `-n <VALUE>`.
fn find<'a>(command: &'a Command, shown: &str) -> Option<&'a Arg> {
    let bare = shown.split(['=', ' ', '[']).next().unwrap_or_default();
    command.get_arguments().find(|arg| {
        let long = arg
            .get_long()
            .is_some_and(|long| bare == format!("--{long}"));
        let short = arg
            .get_short()
            .is_some_and(|short| bare == format!("-{short}"));
        long || short
    })
}

#[cfg(test)]
mod tests;
