//! Random numbers that open something. They are compared in constant time and
//! are in no `Debug` text.

use subtle::ConstantTimeEq as _;

use crate::Error;

const LENGTH: usize = 32;

/// One secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; LENGTH]);

impl Secret {
    /// A new one.
    pub fn new() -> Result<Self, Error> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes).map_err(Error::Secret)?;
        Ok(Self(bytes))
    }

    /// As text, for whom it is meant.
    pub fn text(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether `text` is this secret. How long that takes depends on `text`
    /// alone.
    pub fn is(&self, text: &str) -> bool {
        let mut bytes = [0; LENGTH];
        if text.len() != 2 * LENGTH || !text.is_ascii() {
            return false;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            match u8::from_str_radix(&text[2 * index..2 * index + 2], 16) {
                Ok(value) => *byte = value,
                Err(_) => return false,
            }
        }
        self.0.ct_eq(&bytes).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn only_itself_is_it() {
        let (one, other) = (Secret::new().unwrap(), Secret::new().unwrap());
        assert!(one.is(&one.text()));
        assert!(!one.is(&other.text()));
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32), &"0".repeat(64)] {
            assert!(!one.is(text), "{text}");
        }
        assert!(!format!("{one:?}").contains(&one.text()));
    }
}
