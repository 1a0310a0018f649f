//! Takes apart the stream that carries standard output and error together:
//! frames of eight bytes' head (stream, three zeros, length) and content.

use std::io::Write;

/// Which stream a frame belongs to.
const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ENGINE: u8 = 3;

/// Where frames go.
pub trait Sink {
    /// Output of the container.
    fn out(&mut self, bytes: &[u8]);
    /// Error output of the container.
    fn err(&mut self, bytes: &[u8]);
}

/// Takes frames apart, however they are cut into pieces.
#[derive(Default)]
pub struct Demux {
    head: Vec<u8>,
    /// What is left of the frame under way.
    left: usize,
    kind: u8,
    engine: Vec<u8>,
}

impl Demux {
    /// Takes the next piece. An error is what the engine had to say about the
    /// stream itself, or that it is no such stream.
    pub fn feed(&mut self, mut bytes: &[u8], sink: &mut impl Sink) -> Result<(), String> {
        while !bytes.is_empty() {
            if self.left == 0 {
                let missing = (8 - self.head.len()).min(bytes.len());
                self.head.extend_from_slice(&bytes[..missing]);
                bytes = &bytes[missing..];
                if self.head.len() < 8 {
                    break;
                }
                let length = [self.head[4], self.head[5], self.head[6], self.head[7]];
                self.left = u32::from_be_bytes(length) as usize;
                self.kind = self.head[0];
                self.head.clear();
                if self.kind > ENGINE {
                    return Err(format!("unrecognized stream: {}", self.kind));
                }
                continue;
            }
            let (piece, rest) = bytes.split_at(self.left.min(bytes.len()));
            self.left -= piece.len();
            bytes = rest;
            match self.kind {
                STDIN | STDOUT => sink.out(piece),
                STDERR => sink.err(piece),
                _ => {
                    self.engine.extend_from_slice(piece);
                    if self.left == 0 {
                        let text = String::from_utf8_lossy(&self.engine).into_owned();
                        return Err(format!("error from daemon in stream: {text}"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Straight to this process's own streams.
pub struct Standard {
    stdout: std::io::Stdout,
    stderr: std::io::Stderr,
}

impl Standard {
    /// The process's streams.
    pub fn new() -> Self {
        Self {
            stdout: std::io::stdout(),
            stderr: std::io::stderr(),
        }
    }
}

impl Sink for Standard {
    fn out(&mut self, bytes: &[u8]) {
        write(&mut self.stdout, bytes);
    }

    fn err(&mut self, bytes: &[u8]) {
        write(&mut self.stderr, bytes);
    }
}

fn write(stream: &mut impl Write, bytes: &[u8]) {
    const KILLED_BY_SIGPIPE: i32 = 128 + 13;
    let written = stream.write_all(bytes).and_then(|()| stream.flush());
    if written.is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) {
        std::process::exit(KILLED_BY_SIGPIPE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Kept(Vec<u8>, Vec<u8>);

    impl Sink for Kept {
        fn out(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
        fn err(&mut self, bytes: &[u8]) {
            self.1.extend_from_slice(bytes);
        }
    }

    fn frame(kind: u8, text: &str) -> Vec<u8> {
        let mut frame = vec![kind, 0, 0, 0];
        frame.extend((text.len() as u32).to_be_bytes());
        frame.extend(text.bytes());
        frame
    }

    #[test]
    fn frames_survive_any_cutting() {
        let stream = [
            frame(1, "out"),
            frame(2, "err"),
            frame(1, ""),
            frame(1, "more"),
        ]
        .concat();
        for size in 1..=stream.len() {
            let mut demux = Demux::default();
            let mut kept = Kept::default();
            for piece in stream.chunks(size) {
                demux.feed(piece, &mut kept).unwrap();
            }
            assert_eq!((kept.0, kept.1), (b"outmore".to_vec(), b"err".to_vec()));
        }
    }

    #[test]
    fn the_engines_own_words_are_an_error() {
        let mut kept = Kept::default();
        let refused = Demux::default().feed(&frame(3, "no"), &mut kept);
        assert_eq!(refused.unwrap_err(), "error from daemon in stream: no");
        assert!(Demux::default().feed(&frame(9, "x"), &mut kept).is_err());
    }
}
