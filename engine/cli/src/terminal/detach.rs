//! The keys that leave a container running: `ctrl-p,ctrl-q` unless told
//! otherwise.

/// A sequence of keys to look for in what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys {
    keys: Vec<u8>,
    matched: usize,
}

/// What is left of a piece of input.
#[derive(Debug, PartialEq, Eq)]
pub struct Scanned {
    /// What goes to the container.
    pub pass: Vec<u8>,
    /// Whether the sequence was completed.
    pub detach: bool,
}

impl DetachKeys {
    /// Docker's own.
    pub fn usual() -> Self {
        Self::of(vec![16, 17])
    }

    /// Reads `ctrl-p,ctrl-q`, `a`, `ctrl-@,x`; `None` where it is no such
    /// sequence.
    pub fn parse(text: &str) -> Option<Self> {
        let mut keys = Vec::new();
        for key in text.split(',') {
            keys.push(match key.strip_prefix("ctrl-") {
                None => match key.as_bytes() {
                    [byte] => *byte,
                    _ => return None,
                },
                Some(control) => match control.as_bytes() {
                    [c @ b'a'..=b'z'] => c - b'a' + 1,
                    [b'@'] => 0,
                    [b'['] => 27,
                    [b'\\'] => 28,
                    [b']'] => 29,
                    [b'^'] => 30,
                    [b'_'] => 31,
                    _ => return None,
                },
            });
        }
        Some(Self::of(keys))
    }

    /// Looks through a piece of input. Keys that may begin the sequence are
    /// held back until it is clear that they do not.
    pub fn scan(&mut self, input: &[u8]) -> Scanned {
        let mut pass = Vec::with_capacity(input.len() + self.matched);
        for byte in input {
            if *byte == self.keys[self.matched] {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    self.matched = 0;
                    return Scanned { pass, detach: true };
                }
                continue;
            }
            pass.extend_from_slice(&self.keys[..self.matched]);
            self.matched = usize::from(*byte == self.keys[0]);
            if self.matched == 0 {
                pass.push(*byte);
            } else if self.keys.len() == 1 {
                self.matched = 0;
                return Scanned { pass, detach: true };
            }
        }
        Scanned {
            pass,
            detach: false,
        }
    }

    fn of(keys: Vec<u8>) -> Self {
        Self { keys, matched: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(keys: &mut DetachKeys, input: &[u8]) -> (Vec<u8>, bool) {
        let scanned = keys.scan(input);
        (scanned.pass, scanned.detach)
    }

    #[test]
    fn sequences_are_read() {
        assert_eq!(
            DetachKeys::parse("ctrl-p,ctrl-q"),
            Some(DetachKeys::usual())
        );
        assert_eq!(DetachKeys::parse("a,ctrl-@").unwrap().keys, [b'a', 0]);
        for text in ["", "foo", "ctrl-", "ctrl-ü", "ctrl-A", "a,"] {
            assert_eq!(DetachKeys::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_sequence_is_found_across_pieces_and_nothing_is_lost() {
        let mut keys = DetachKeys::usual();
        assert_eq!(scan(&mut keys, b"ls\n"), (b"ls\n".to_vec(), false));
        assert_eq!(scan(&mut keys, &[16]), (vec![], false));
        assert_eq!(scan(&mut keys, b"x"), (vec![16, b'x'], false));
        assert_eq!(scan(&mut keys, &[16]), (vec![], false));
        assert_eq!(scan(&mut keys, &[16, 17]), (vec![16], true));
    }
}
