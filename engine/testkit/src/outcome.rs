//! Running a program to its end and judging what came of it.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::wait::within;

/// How long any client command may take before it counts as hung.
const DEADLINE: Duration = Duration::from_secs(120);

/// What a program printed and how it ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was run, for messages.
    pub command: String,
    /// The exit code, or 128+n for a signal.
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Outcome {
    /// Runs `command`, feeding it `stdin`, and waits for its end.
    ///
    /// # Panics
    /// When it cannot be started or does not end in time; it is killed then.
    #[track_caller]
    pub fn of(mut command: Command, stdin: &[u8]) -> Self {
        let shown = shown(&command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {shown}: {error}"));
        let feeder = feed(&mut child, stdin.to_vec());
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let status = within(DEADLINE, || child.try_wait().ok().flatten());
        if status.is_none() {
            // It is our own child and not yet waited for.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = feeder.join();
        let outcome = Self {
            command: shown,
            code: status.map_or(-1, code_of),
            stdout: stdout.join().unwrap_or_default(),
            stderr: stderr.join().unwrap_or_default(),
        };
        assert!(
            status.is_some(),
            "did not end in {} s: {outcome}",
            DEADLINE.as_secs()
        );
        outcome
    }

    /// Insists on success and returns stdout without its last newline.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self}");
        self.out()
    }

    /// Insists on exactly this exit code and returns stderr, trimmed.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self}");
        self.err()
    }

    /// Stdout as text, without its last newline.
    pub fn out(&self) -> String {
        let text = String::from_utf8_lossy(&self.stdout);
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }

    /// Stderr as text, trimmed.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}\nended with {}\nstdout: {}\nstderr: {}",
            self.command,
            self.code,
            self.out(),
            self.err()
        )
    }
}

/// A command as one would type it.
pub fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

fn code_of(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn feed(child: &mut Child, bytes: Vec<u8>) -> std::thread::JoinHandle<()> {
    let stdin = child.stdin.take();
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // A program may end without reading all that it is offered.
            let _ = stdin.write_all(&bytes);
        }
    })
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::Outcome;

    fn shell(script: &str, stdin: &[u8]) -> Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Outcome::of(command, stdin)
    }

    #[test]
    fn carries_streams_and_code() {
        let outcome = shell("cat; echo oops >&2; exit 3", b"fed");
        assert_eq!(outcome.out(), "fed");
        assert_eq!(outcome.fails(3), "oops");
    }

    #[test]
    fn a_signal_counts_from_128() {
        assert_eq!(shell("kill -TERM $$", b"").code, 143);
    }
}
