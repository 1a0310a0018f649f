//! Docker's notation for detach keys: `ctrl-p,ctrl-q`, `a,b`, `ctrl-@`. Pure.

use crate::{Error, Result};

/// What detaches when nothing else is said: Ctrl-P, Ctrl-Q.
const DEFAULT: [u8; 2] = [16, 17];

/// The bytes of `keys`; the default for `None` and the empty text.
pub(crate) fn parse(keys: Option<&str>) -> Result<Vec<u8>> {
    let Some(keys) = keys.filter(|k| !k.is_empty()) else {
        return Ok(DEFAULT.to_vec());
    };
    keys.split(',').map(|key| byte(key, keys)).collect()
}

fn byte(key: &str, all: &str) -> Result<u8> {
    let unknown = || {
        Error::invalid(format!(
            "Invalid detach keys ({all}) provided: Unknown character: '{key}'"
        ))
    };
    if let [single] = key.as_bytes() {
        return Ok(*single);
    }
    match key.strip_prefix("ctrl-").map(str::as_bytes) {
        Some([letter @ b'a'..=b'z']) => Ok(letter - b'a' + 1),
        Some(b"@") => Ok(0),
        Some(b"[") => Ok(27),
        Some(b"\\") => Ok(28),
        Some(b"]") => Ok(29),
        Some(b"^") => Ok(30),
        Some(b"_") => Ok(31),
        _ if key == "DEL" => Ok(127),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_bytes() {
        assert_eq!(parse(None).unwrap(), [16, 17]);
        assert_eq!(parse(Some("ctrl-a,x")).unwrap(), [1, b'x']);
        assert_eq!(parse(Some("ctrl-@")).unwrap(), [0]);
        assert!(parse(Some("ctrl-é")).is_err());
    }
}
