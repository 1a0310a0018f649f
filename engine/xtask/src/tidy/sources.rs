//! Rules about single source files.
//!
//! Comments and string literals are blanked first, so that a word in a
//! sentence is never taken for code.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Findings;

/// Where `unsafe` may stand. The last two are programs that the engine
/// carries as bytes; they declare the few C functions that they call.
const UNSAFE_ALLOWED: &[&str] = &[
    "engine/sys/",
    "engine/shim/",
    "engine/init/program/",
    "engine/welcome/server/",
];

/// Lines without tests above which a file is called long, and too long.
const LONG: usize = 500;
const TOO_LONG: usize = 800;

/// Where everything is pure, besides what is called a plan.
const PURE: &[&str] = &["engine/model/src/", "engine/runtime/src/spec/"];

/// What a pure plan has no business with.
const EFFECTS: &[&str] = &[
    "std::fs",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "std::process",
    "std::env::var",
    "std::env::args",
    "std::env::current",
    "SystemTime::now",
    "Instant::now",
    "tokio::",
    "rustix::",
    "nix::",
];

/// Checks every Rust source below `root`.
pub fn check(root: &Path, findings: &mut Findings) -> Result<()> {
    let mut files = Vec::new();
    collect(&root.join("engine"), &mut files)?;
    collect(&root.join("src-tauri"), &mut files)?;
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy();
        check_file(&name, &text, findings);
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn check_file(name: &str, text: &str, findings: &mut Findings) {
    let code = code_of(text);
    let mut error = |line: usize, what: &str| {
        findings.errors.push(format!("{name}:{line}: {what}"));
    };
    if !is_tests(name) && !opens_with_docs(text) {
        error(1, "does not open with module docs (//!)");
    }
    let may_be_unsafe = UNSAFE_ALLOWED.iter().any(|folder| name.starts_with(folder));
    if is_crate_root(name) && !may_be_unsafe && !code.contains("#![forbid(unsafe_code)]") {
        error(1, "this crate does not forbid unsafe code");
    }
    for (index, line) in code.lines().enumerate() {
        let number = index + 1;
        if !may_be_unsafe && has_word(line, "unsafe") {
            error(number, "unsafe code outside sys and shim");
        }
        if line.contains("#[ignore") {
            error(
                number,
                "a test that is ignored; assert today's behaviour instead",
            );
        }
        for macro_name in ["todo!", "unimplemented!", "dbg!"] {
            if line.contains(macro_name) && has_word(line, macro_name.trim_end_matches('!')) {
                error(number, &format!("{macro_name} left in the code"));
            }
        }
        if is_plan(name) {
            for effect in EFFECTS.iter().filter(|effect| line.contains(**effect)) {
                error(number, &format!("a plan is pure, but this uses {effect}"));
            }
        }
    }
    let length = length_without_tests(text);
    let found = if length > TOO_LONG {
        &mut findings.errors
    } else {
        &mut findings.warnings
    };
    if length > LONG {
        found.push(format!(
            "{name}: {length} lines without tests (aim for 300)"
        ));
    }
}

fn opens_with_docs(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with("#!["))
        .is_some_and(|line| line.starts_with("//!"))
}

fn is_crate_root(name: &str) -> bool {
    name.ends_with("/src/lib.rs") || name.ends_with("/src/main.rs")
}

/// Tests are about the module that they are named after or stand beside.
fn is_tests(name: &str) -> bool {
    let inside = name.contains("/tests/") && !name.ends_with("/main.rs");
    inside || name.ends_with("/tests.rs")
}

fn is_plan(name: &str) -> bool {
    let pure = PURE.iter().any(|folder| name.starts_with(folder));
    pure || name.ends_with("/plan.rs") || name.contains("/plan/")
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Tests at the end of a file do not make it harder to read.
fn length_without_tests(text: &str) -> usize {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .count()
}

/// The text with comments and the insides of literals blanked, line by
/// line in place.
fn code_of(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = literal_length(rest, previous_is_word(&out));
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (literal, after) = rest.split_at(length);
        out.extend(literal.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    out
}

fn previous_is_word(out: &str) -> bool {
    out.chars()
        .next_back()
        .is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// The length of the comment or literal that `text` starts with, or zero.
fn literal_length(text: &str, in_word: bool) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return text.find("*/").map_or(text.len(), |end| end + 2);
    }
    if text.starts_with('"') {
        return quoted_length(text);
    }
    if !in_word && (text.starts_with("r\"") || text.starts_with("r#")) {
        let hashes = text[1..].chars().take_while(|c| *c == '#').count();
        if text[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = 2 + hashes;
            return text[body..]
                .find(&end)
                .map_or(text.len(), |at| body + at + end.len());
        }
    }
    // A quote character, told from a lifetime by its closing quote.
    for literal in ["'\"'", "'\\\"'", "'\\''"] {
        if text.starts_with(literal) {
            return literal.len();
        }
    }
    0
}

fn quoted_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Findings, check_file};

    fn check(name: &str, text: &str, expected: &[&str]) {
        let mut findings = Findings::default();
        check_file(name, text, &mut findings);
        assert_eq!(findings.errors, expected);
    }

    #[test]
    fn words_in_comments_and_strings_are_not_code() {
        let text = "//! unsafe todo!\nconst A: &str = \"unsafe \\\" dbg!(\";\n/* unsafe */\nconst B: &str = r#\"unsafe \" todo!\"#;\nconst C: char = '\"';\n";
        check("engine/x/src/a.rs", text, &[]);
    }

    #[test]
    fn unsafe_is_for_sys_and_shim() {
        let text = "//! Docs.\nfn f() { unsafe { g() } }\n";
        check(
            "engine/x/src/a.rs",
            text,
            &["engine/x/src/a.rs:2: unsafe code outside sys and shim"],
        );
        check("engine/sys/src/a.rs", text, &[]);
    }

    #[test]
    fn what_is_unfinished_is_named() {
        let text = "//! Docs.\n#[ignore = \"slow\"]\nfn f() { todo!() }\n";
        check(
            "engine/x/src/a.rs",
            text,
            &[
                "engine/x/src/a.rs:2: a test that is ignored; assert today's behaviour instead",
                "engine/x/src/a.rs:3: todo! left in the code",
            ],
        );
    }

    #[test]
    fn crate_roots_forbid_unsafe_and_have_docs() {
        check(
            "engine/x/src/lib.rs",
            "fn f() {}\n",
            &[
                "engine/x/src/lib.rs:1: does not open with module docs (//!)",
                "engine/x/src/lib.rs:1: this crate does not forbid unsafe code",
            ],
        );
    }

    #[test]
    fn plans_are_pure() {
        check(
            "engine/x/src/plan.rs",
            "//! Docs.\nuse std::fs::File;\n",
            &["engine/x/src/plan.rs:2: a plan is pure, but this uses std::fs"],
        );
    }

    #[test]
    fn only_lines_before_the_tests_count() {
        let long = format!(
            "//! Docs.\n{}#[cfg(test)]\n{}",
            "\n".repeat(700),
            "\n".repeat(500)
        );
        check("engine/x/src/a.rs", &long, &[]);
        let longer = format!("//! Docs.\n{}", "\n".repeat(900));
        check(
            "engine/x/src/a.rs",
            &longer,
            &["engine/x/src/a.rs: 901 lines without tests (aim for 300)"],
        );
    }
}
