//! Shell patterns over image names, as Go's `path.Match` reads them: `*` and
//! `?` stop at slashes.

use crate::{Error, Result};

/// Docker's error for a pattern that is none.
pub(super) fn check(pattern: &str) -> Result<()> {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => return Err(malformed()),
            '[' => {
                let rest = chars.as_str();
                let (_, after) = class(rest, 'x').ok_or_else(malformed)?;
                chars = after.chars();
            }
            _ => {}
        }
    }
    Ok(())
}

fn malformed() -> Error {
    Error::invalid("syntax error in pattern")
}

/// Whether `name` as a whole fits `pattern`; never for a malformed one.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('*') => {
            let pattern = rest.as_str();
            let ends = name.find('/').unwrap_or(name.len());
            // Every place up to the next slash where the star may end.
            name.char_indices()
                .map(|(at, _)| at)
                .chain([name.len()])
                .take_while(|&at| at <= ends)
                .any(|at| matches(pattern, &name[at..]))
        }
        Some(first) => {
            let mut left = name.chars();
            let Some(c) = left.next() else {
                return false;
            };
            let after = match first {
                '?' => (c != '/').then_some(rest.as_str()),
                '[' => class(rest.as_str(), c).and_then(|(fits, after)| fits.then_some(after)),
                '\\' => (rest.next() == Some(c)).then_some(rest.as_str()),
                literal => (literal == c).then_some(rest.as_str()),
            };
            after.is_some_and(|after| matches(after, left.as_str()))
        }
    }
}

/// Whether `c` is in the class that begins `pattern` behind its bracket, and
/// what follows the class.
fn class(pattern: &str, c: char) -> Option<(bool, &str)> {
    let mut rest = pattern.chars();
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut found = false;
    let mut count = 0;
    loop {
        let next = rest.next()?;
        if next == ']' && count > 0 {
            return Some((found != negated, rest.as_str()));
        }
        let low = bound(next, &mut rest)?;
        let mut high = low;
        if rest.as_str().starts_with('-') {
            rest.next();
            let next = rest.next()?;
            high = bound(next, &mut rest)?;
        }
        found |= (low..=high).contains(&c);
        count += 1;
    }
}

fn bound(c: char, rest: &mut std::str::Chars<'_>) -> Option<char> {
    match c {
        '-' | ']' => None,
        '\\' => rest.next(),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_go() {
        let check_match = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        };
        check_match("abc", "abc", true);
        check_match("*", "abc", true);
        check_match("*c", "abc", true);
        check_match("a*", "ab/c", false);
        check_match("a*/b", "abc/b", true);
        check_match("a*b?c*x", "abxbbxdbxebxczzx", true);
        check_match("ab[b-d]", "abc", true);
        check_match("ab[^b-d]", "abc", false);
        check_match("ab[e-g]", "abc", false);
        check_match("a\\*b", "a*b", true);
        check_match("a?b", "a/b", false);
        check_match("[", "a", false);
        assert!(check("a[b-d]*\\*").is_ok());
        for pattern in ["[", "[]a]", "[-]", "[a-", "a\\"] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }
}
