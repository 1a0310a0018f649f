//! Frames: a length (32 bits, big endian) and so many bytes of JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// No frame is longer: a peer that announces more is not one of ours.
pub const MAX_FRAME: usize = 16 << 20;

/// A stream that is not one of frames.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes is more than the {MAX_FRAME} allowed")]
    TooLong(usize),
    #[error("a frame does not hold what it should")]
    Content(#[from] serde_json::Error),
}

/// The frame that carries `value`.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, value).expect("protocol types are JSON");
    let length = u32::try_from(frame.len() - 4).expect("frames are short");
    frame[..4].copy_from_slice(&length.to_be_bytes());
    frame
}

/// Puts frames together from bytes as they come. Does no IO, so that it serves
/// blocking, polling and async readers alike.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Bytes at the front that were handed out already.
    used: usize,
}

impl Decoder {
    /// Takes what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.used > 0 {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if there is one.
    #[allow(clippy::should_implement_trait)] // each frame may hold another type
    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let rest = &self.buffer[self.used..];
        let Some((length, rest)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_FRAME {
            return Err(FrameError::TooLong(length));
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let value = serde_json::from_slice(body)?;
        self.used += 4 + length;
        if self.used == self.buffer.len() {
            // Keep no more memory between frames than a usual one needs.
            self.buffer.clear();
            self.buffer.shrink_to(4096);
            self.used = 0;
        }
        Ok(Some(value))
    }

    /// Whether a frame has begun and not ended.
    pub fn is_partial(&self) -> bool {
        self.used < self.buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Answer, Call, Message, Request};
    use super::*;

    #[test]
    fn frames_survive_any_cut() {
        let calls = [
            Call {
                id: 1,
                request: Request::Start,
            },
            Call {
                id: 2,
                request: Request::Kill {
                    signal: 9,
                    by_hand: true,
                },
            },
        ];
        let stream: Vec<u8> = calls.iter().flat_map(encode).collect();
        for size in 1..stream.len() {
            let mut decoder = Decoder::default();
            let mut got = Vec::new();
            for chunk in stream.chunks(size) {
                decoder.push(chunk);
                while let Some(call) = decoder.next::<Call>().unwrap() {
                    got.push(call);
                }
            }
            assert_eq!(got, calls, "chunks of {size}");
            assert!(!decoder.is_partial());
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let mut decoder = Decoder::default();
        decoder.push(&[0xff; 8]);
        assert!(matches!(
            decoder.next::<Call>(),
            Err(FrameError::TooLong(_))
        ));
        let mut decoder = Decoder::default();
        decoder.push(&encode(&"text"));
        assert!(matches!(
            decoder.next::<Call>(),
            Err(FrameError::Content(_))
        ));
    }

    #[test]
    fn answers_read_back() {
        let message = Message::Answer {
            id: 7,
            answer: Answer::Started { pid: 42 },
        };
        let mut decoder = Decoder::default();
        decoder.push(&encode(&message));
        assert_eq!(decoder.next::<Message>().unwrap(), Some(message));
    }
}
