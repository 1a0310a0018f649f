//! Environment variables and labels, from flags and from files.

use crate::failure::{Failure, path_error};

/// `-e NAME=value`, or `-e NAME` for the value it has here.
pub fn variable(text: &str) -> Result<String, String> {
    let (name, has_value) = match text.split_once('=') {
        Some((name, _)) => (name, true),
        None => (text, false),
    };
    if name.is_empty() {
        return Err(format!("invalid environment variable: {text}"));
    }
    if has_value {
        return Ok(text.to_owned());
    }
    // A name that is not set here is passed on alone: the engine takes it out
    // of the container's environment.
    Ok(match std::env::var(name) {
        Ok(value) => format!("{name}={value}"),
        Err(_) => text.to_owned(),
    })
}

/// Variables of all files, then those of flags, so that flags win.
pub fn variables(files: &[String], flags: &[String]) -> Result<Vec<String>, Failure> {
    let mut variables = Vec::new();
    for file in files {
        variables.extend(read(file, |name| std::env::var(name).ok())?);
    }
    variables.extend(flags.iter().cloned());
    Ok(variables)
}

/// Labels of all files, then those of flags.
pub fn labels(files: &[String], flags: &[String]) -> Result<Vec<String>, Failure> {
    let mut labels = Vec::new();
    for file in files {
        labels.extend(read(file, |_| Some(String::new()))?);
    }
    labels.extend(flags.iter().cloned());
    Ok(labels)
}

fn read(path: &str, value_of: impl Fn(&str) -> Option<String>) -> Result<Vec<String>, Failure> {
    let bytes =
        std::fs::read(path).map_err(|error| Failure::message(path_error("open", path, &error)))?;
    lines(&bytes, value_of)
        .map_err(|reason| Failure::message(format!("invalid env file ({path}): {reason}")))
}

/// One `NAME=value` a line. Lines that are empty or start with `#` are passed
/// over, names without a value get `value_of`'s or none at all.
fn lines(bytes: &[u8], value_of: impl Fn(&str) -> Option<String>) -> Result<Vec<String>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut found = Vec::new();
    for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let line = std::str::from_utf8(line)
            .map_err(|_| format!("invalid utf8 bytes at line {}: {line:?}", index + 1))?;
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (line, None),
        };
        if name.is_empty() {
            return Err(format!("no variable name on line '{line}'"));
        }
        if name.contains(char::is_whitespace) {
            return Err(format!("variable '{name}' contains whitespaces"));
        }
        match value {
            Some(value) => found.push(format!("{name}={value}")),
            None => found.extend(value_of(name).map(|value| format!("{name}={value}"))),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_variables() {
        let known = |name: &str| (name == "KNOWN").then(|| "here".to_owned());
        let read = |text: &str| lines(text.as_bytes(), known);
        assert_eq!(
            read("\u{feff}A=1\n# no\n\n  B = x y \nKNOWN\nUNKNOWN\nC=\r\n").unwrap_err(),
            "variable 'B ' contains whitespaces"
        );
        assert_eq!(
            read("\u{feff}A=1\n# no\n\n  B=x=y \nKNOWN\nUNKNOWN\nC=\r\n").unwrap(),
            ["A=1", "B=x=y ", "KNOWN=here", "C="]
        );
        assert_eq!(read("=x").unwrap_err(), "no variable name on line '=x'");
    }

    #[test]
    fn variables_of_flags() {
        assert_eq!(variable("A=b=c"), Ok("A=b=c".into()));
        assert_eq!(
            variable("=x").unwrap_err(),
            "invalid environment variable: =x"
        );
        assert_eq!(variable("SURELY_NOT_SET_1"), Ok("SURELY_NOT_SET_1".into()));
    }
}
