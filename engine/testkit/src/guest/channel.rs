//! What is said between a test and the guest's agent, over one stream of
//! bytes: a script goes in as a line, its outcome comes out.
//!
//! One script at a time. The stream carries no more than this; files that a
//! guest needs are on its disk from the start.

use std::io::{self, BufRead};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The agent's first line.
pub const READY: &str = "ready";

/// How a script ended and what it printed.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// The line that has the agent run `script`.
pub fn request(script: &str) -> String {
    format!("{}\n", STANDARD.encode(script))
}

/// Reads one line, without its end.
pub fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    match from.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

/// Reads the answer to a [`request`].
pub fn reply(from: &mut impl BufRead) -> io::Result<Reply> {
    let head = line(from)?;
    let (code, stdout, stderr) = head_of(&head).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("not an agent's answer: {head:?}"),
        )
    })?;
    let mut take = |length| {
        let mut bytes = vec![0; length];
        from.read_exact(&mut bytes).map(|()| bytes)
    };
    Ok(Reply {
        code,
        stdout: take(stdout)?,
        stderr: take(stderr)?,
    })
}

/// The numbers in `done <code> <length of stdout> <length of stderr>`.
fn head_of(line: &str) -> Option<(i32, usize, usize)> {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["done", code, stdout, stderr] => Some((
            code.parse().ok()?,
            stdout.parse().ok()?,
            stderr.parse().ok()?,
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Reply, reply, request};

    #[test]
    fn a_script_of_many_lines_is_one_line() {
        let line = request("echo 'a'\necho \"b\"\n");
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.ends_with('\n'));
    }

    #[test]
    fn streams_are_told_apart_by_their_lengths() {
        let mut bytes = &b"done 3 4 2\nout\n\xffedone 0 0 0\n"[..];
        let first = reply(&mut bytes).unwrap();
        let expected = Reply {
            code: 3,
            stdout: b"out\n".to_vec(),
            stderr: b"\xffe".to_vec(),
        };
        assert_eq!(first, expected);
        assert_eq!(reply(&mut bytes).unwrap().code, 0);
        assert!(reply(&mut bytes).is_err(), "nothing is left");
        assert!(reply(&mut &b"Kernel panic\n"[..]).is_err());
        assert!(reply(&mut &b"done 0 9 0\nshort"[..]).is_err());
    }
}
