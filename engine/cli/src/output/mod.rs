//! What commands print: tables, lists through `--format`, sizes and times in
//! words, progress.

pub mod human;
pub mod list;
pub mod order;
pub mod progress;
pub mod table;

use std::io::{self, IsTerminal, Write};

/// Prints `text` as it is. A reader that went away ends the program the way a
/// broken pipe ends any other.
pub fn print(text: &str) {
    write_all(&mut io::stdout().lock(), text.as_bytes());
}

/// Prints `text` and a line end.
pub fn line(text: &str) {
    let mut stdout = io::stdout().lock();
    write_all(&mut stdout, text.as_bytes());
    write_all(&mut stdout, b"\n");
}

/// Prints a line to standard error; whoever closed that does not want it.
pub fn warn(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether standard output is a terminal.
pub fn to_terminal() -> bool {
    io::stdout().is_terminal()
}

fn write_all(stdout: &mut impl Write, bytes: &[u8]) {
    const KILLED_BY_SIGPIPE: i32 = 128 + 13;
    if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            std::process::exit(KILLED_BY_SIGPIPE);
        }
        warn(&format!("write /dev/stdout: {error}"));
        std::process::exit(1);
    }
}
