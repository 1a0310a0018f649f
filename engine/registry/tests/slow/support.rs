//! What the tests have in common: clients with little patience, remotes.

use std::time::Duration;

use dhow_model::Digest;
use dhow_registry::{Access, Config, Credentials, Descriptor, Registry, Remote, Repository, Retry};

/// Patience short enough for tests.
pub fn config() -> Config {
    Config {
        certs_dirs: Vec::new(),
        retry: Retry {
            attempts: 4,
            base: Duration::from_millis(5),
            cap: Duration::from_millis(20),
            stall: Duration::from_millis(300),
            answer: Duration::from_secs(10),
        },
        ..Config::default()
    }
}

pub fn client() -> Registry {
    Registry::new(config()).unwrap()
}

pub async fn remote(address: &str, path: &str, access: Access) -> Remote {
    let repository = Repository::new(address, path);
    client()
        .remote(repository, Credentials::default(), access)
        .await
        .unwrap()
}

pub fn credentials(username: &str, password: &str) -> Credentials {
    Credentials {
        username: username.into(),
        password: password.into(),
        ..Credentials::default()
    }
}

pub fn digest(bytes: &[u8]) -> Digest {
    use sha2::{Digest as _, Sha256};
    Digest::from_sha256(Sha256::digest(bytes).into())
}

pub fn descriptor(bytes: &[u8]) -> Descriptor {
    Descriptor::new(
        "application/octet-stream",
        digest(bytes),
        bytes.len() as u64,
    )
}

/// Bytes of which no two stretches are alike.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The whole error as people see it.
pub fn text(error: &dhow_registry::Error) -> String {
    dhow_model::error::chain(error)
}
