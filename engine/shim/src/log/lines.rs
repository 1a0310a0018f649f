//! Cutting a stream into lines the way Docker's logs do: at line feeds, and
//! where a line grows beyond 16 KiB.

use dhow_model::Timestamp;
use dhow_runtime::logs::LONGEST_PIECE;

/// One stream's unfinished line.
#[derive(Debug, Default)]
pub struct Lines {
    held: Vec<u8>,
    /// When the first piece of the line that is being cut came.
    cut_since: Option<Timestamp>,
}

/// Takes a piece: its time, its bytes, whether a line feed ends it.
type Sink<'a> = &'a mut dyn FnMut(Timestamp, &[u8], bool);

impl Lines {
    /// Takes a chunk and gives out all pieces that are ready.
    pub fn push(&mut self, mut chunk: &[u8], clock: &mut dyn FnMut() -> Timestamp, sink: Sink<'_>) {
        while !chunk.is_empty() {
            let room = LONGEST_PIECE - self.held.len();
            let window = &chunk[..chunk.len().min(room)];
            match memchr::memchr(b'\n', window) {
                Some(end) => {
                    let time = self.cut_since.take().unwrap_or_else(&mut *clock);
                    self.give(&chunk[..end], time, true, sink);
                    chunk = &chunk[end + 1..];
                }
                None if window.len() == room => {
                    let time = *self.cut_since.get_or_insert_with(&mut *clock);
                    self.give(window, time, false, sink);
                    chunk = &chunk[window.len()..];
                }
                None => {
                    self.held.extend_from_slice(chunk);
                    return;
                }
            }
        }
    }

    /// Gives out what is left at the end of the stream.
    pub fn end(&mut self, clock: &mut dyn FnMut() -> Timestamp, sink: Sink<'_>) {
        if !self.held.is_empty() {
            let time = self.cut_since.unwrap_or_else(&mut *clock);
            self.give(&[], time, false, sink);
        }
        self.cut_since = None;
    }

    fn give(&mut self, tail: &[u8], time: Timestamp, complete: bool, sink: Sink<'_>) {
        if self.held.is_empty() {
            sink(time, tail, complete);
        } else {
            self.held.extend_from_slice(tail);
            sink(time, &self.held, complete);
            self.held = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(chunks: &[&[u8]], expected: &[(&[u8], bool, i64)]) {
        let mut lines = Lines::default();
        let mut now = 0;
        let mut clock = || {
            now += 1;
            Timestamp::from_nanos(now)
        };
        let mut got: Vec<(Vec<u8>, bool, i64)> = Vec::new();
        let mut sink = |time: Timestamp, line: &[u8], complete| {
            got.push((line.to_vec(), complete, time.nanos()))
        };
        for chunk in chunks {
            lines.push(chunk, &mut clock, &mut sink);
        }
        lines.end(&mut clock, &mut sink);
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, complete, at)| (line.to_vec(), *complete, *at))
            .collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn lines_are_put_together_over_chunks() {
        check(
            &[b"a\n\nb", b"c\nd"],
            &[
                (b"a", true, 1),
                (b"", true, 2),
                (b"bc", true, 3),
                (b"d", false, 4),
            ],
        );
    }

    #[test]
    fn long_lines_are_cut_and_keep_their_time() {
        let long = vec![b'x'; LONGEST_PIECE];
        let more = [long.clone(), long.clone(), b"y\nz\n".to_vec()].concat();
        check(
            &[&more[..100], &more[100..]],
            &[
                (&long, false, 1),
                (&long, false, 1),
                (b"y", true, 1),
                (b"z", true, 2),
            ],
        );
        check(&[&long, b"\n"], &[(&long, false, 1), (b"", true, 1)]);
        check(&[&long], &[(&long, false, 1)]);
    }
}
