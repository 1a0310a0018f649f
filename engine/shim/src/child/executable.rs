//! Finding the program to execute, with the messages runc gives (they are Go's,
//! and Docker's exit codes are read off them).

use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use dhow_runtime::protocol::{Failure, FailureKind};
use rustix::fs::{Access, AtFlags, CWD};

/// Finds `name` in the calling process's own view: root, directory, user.
/// `environment` is the program's, not the caller's.
pub fn find(name: &str, environment: &[String]) -> Result<PathBuf, Failure> {
    if name.contains('/') {
        return check(Path::new(name)).map_err(|e| {
            let reason = match e.raw_os_error() {
                Some(libc::ENOENT) => format!("stat {name}: no such file or directory"),
                _ => go_text(&e),
            };
            failure(&e, format!("exec: \"{name}\": {reason}"))
        });
    }
    let path = value_of(environment, "PATH").unwrap_or_default();
    for directory in path.split(':') {
        // An empty entry is the working directory, as for shells.
        let directory = if directory.is_empty() { "." } else { directory };
        if let Ok(found) = check(&Path::new(directory).join(name)) {
            return Ok(found);
        }
    }
    Err(Failure::new(
        FailureKind::NotFound,
        format!("exec: \"{name}\": executable file not found in $PATH"),
    ))
}

/// The value of a variable.
pub fn value_of<'a>(environment: &'a [String], name: &str) -> Option<&'a str> {
    let value = |entry: &'a String| entry.strip_prefix(name)?.strip_prefix('=');
    environment.iter().rev().find_map(value)
}

/// Replaces the calling process by the program; returns only if that fails.
pub fn execute(path: &Path, arguments: &[String], environment: &[String]) -> io::Error {
    let strings = |texts: &[String]| -> Result<Vec<CString>, std::ffi::NulError> {
        texts
            .iter()
            .map(|text| CString::new(text.as_str()))
            .collect()
    };
    let (path, arguments, environment) = match (
        c_string(path.as_os_str()),
        strings(arguments),
        strings(environment),
    ) {
        (Ok(path), Ok(arguments), Ok(environment)) => (path, arguments, environment),
        _ => return io::ErrorKind::InvalidInput.into(),
    };
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        let all = strings.iter().map(|string| string.as_ptr());
        all.chain([std::ptr::null()]).collect()
    };
    let (argv, envp) = (pointers(&arguments), pointers(&environment));
    // SAFETY: all strings are NUL-terminated, both arrays end with a null
    // pointer, and everything lives until the call returns.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    io::Error::last_os_error()
}

/// An operating system error in Go's words: without capital and number.
pub fn go_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = match text.split_once(" (os error") {
        Some((text, _)) => text,
        None => &text,
    };
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn c_string(text: &OsStr) -> Result<CString, std::ffi::NulError> {
    CString::new(text.as_bytes())
}

/// Whether the file can be executed by the caller, mount options included.
fn check(path: &Path) -> io::Result<PathBuf> {
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    rustix::fs::accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS)?;
    Ok(path.to_owned())
}

fn failure(error: &io::Error, message: String) -> Failure {
    let kind = match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) => FailureKind::NotFound,
        _ => FailureKind::NotExecutable,
    };
    Failure::new(kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, path: &str, expected: Result<&str, (FailureKind, &str)>) {
        let environment = ["PATH=/none".to_owned(), format!("PATH={path}")];
        match (find(name, &environment), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, Path::new(expected)),
            (Err(failure), Err((kind, message))) => {
                assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
            }
            (got, _) => panic!("{name}: {got:?}"),
        }
    }

    #[test]
    fn programs_are_found_or_missed_in_runc_s_words() {
        check("busybox", "/nowhere:/bin", Ok("/bin/busybox"));
        check("/bin/busybox", "", Ok("/bin/busybox"));
        check(
            "foo",
            "/bin:/etc",
            Err((
                FailureKind::NotFound,
                "exec: \"foo\": executable file not found in $PATH",
            )),
        );
        check(
            "passwd",
            "/etc",
            Err((
                FailureKind::NotFound,
                "exec: \"passwd\": executable file not found in $PATH",
            )),
        );
        check(
            "/foo",
            "/bin",
            Err((
                FailureKind::NotFound,
                "exec: \"/foo\": stat /foo: no such file or directory",
            )),
        );
        check(
            "/etc/passwd",
            "/bin",
            Err((
                FailureKind::NotExecutable,
                "exec: \"/etc/passwd\": permission denied",
            )),
        );
        check(
            "/etc",
            "/bin",
            Err((FailureKind::NotExecutable, "exec: \"/etc\": is a directory")),
        );
    }
}
