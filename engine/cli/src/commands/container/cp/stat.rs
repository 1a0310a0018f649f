//! What the engine says of a path in a container.

use dhow_client::Response;
use serde_json::Value as Json;

/// What the engine says of a path in a container.
pub struct Stat {
    pub name: String,
    pub is_directory: bool,
    pub link_target: Option<String>,
}

const GO_DIRECTORY: u64 = 1 << 31;

const GO_SYMLINK: u64 = 1 << 27;

impl Stat {
    /// From the header it comes in.
    pub fn of(response: &Response) -> Option<Self> {
        let header = response.header("x-docker-container-path-stat")?;
        let json = decode_base64(header)?;
        let stat: Json = serde_json::from_slice(&json).ok()?;
        let mode = stat["mode"].as_u64().unwrap_or(0);
        let target = stat["linkTarget"].as_str().unwrap_or_default();
        Some(Self {
            name: stat["name"].as_str().unwrap_or_default().to_owned(),
            is_directory: mode & GO_DIRECTORY != 0,
            link_target: (mode & GO_SYMLINK != 0).then(|| target.to_owned()),
        })
    }
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
