//! Finding the detach keys in what is typed on a terminal.

/// The keys, and how far they have been typed.
#[derive(Debug, Default)]
pub struct DetachKeys {
    keys: Vec<u8>,
    matched: usize,
}

impl DetachKeys {
    /// Looks for these keys; for none when empty.
    pub fn new(keys: Vec<u8>) -> Self {
        Self { keys, matched: 0 }
    }

    /// Passes typed bytes on to `out`, holding back what may be the beginning
    /// of the keys. Returns whether they were typed in full; what follows them
    /// is dropped.
    pub fn filter(&mut self, typed: &[u8], out: &mut Vec<u8>) -> bool {
        if self.keys.is_empty() {
            out.extend_from_slice(typed);
            return false;
        }
        for byte in typed {
            if *byte == self.keys[self.matched] {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    self.matched = 0;
                    return true;
                }
                continue;
            }
            out.extend_from_slice(&self.keys[..self.matched]);
            self.matched = 0;
            if *byte == self.keys[0] {
                self.matched = 1;
            } else {
                out.push(*byte);
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[u8], typed: &[&[u8]], passed: &[u8], detached: bool) {
        let mut keys = DetachKeys::new(keys.to_vec());
        let mut out = Vec::new();
        let found = typed.iter().any(|bytes| keys.filter(bytes, &mut out));
        assert_eq!((out.as_slice(), found), (passed, detached));
    }

    #[test]
    fn keys_detach_in_one_piece_or_several() {
        check(b"\x10\x11", &[b"ab\x10\x11c"], b"ab", true);
        check(b"\x10\x11", &[b"a\x10", b"\x11"], b"a", true);
        check(b"\x10\x11", &[b"\x10\x10\x11"], b"\x10", true);
        check(b"x", &[b"ax"], b"a", true);
    }

    #[test]
    fn everything_else_passes() {
        check(b"\x10\x11", &[b"\x10", b"a"], b"\x10a", false);
        check(b"", &[b"\x10\x11"], b"\x10\x11", false);
        check(b"\x10\x11", &[b"\x10"], b"", false);
    }
}
