//! The name the program was called by, and what depends on it.

use dhow_client::{Endpoint, Error};
use dhow_model::error::chain;

/// `dhow`, or `docker` where a link of that name leads here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// The name in every message.
    pub name: &'static str,
}

impl Program {
    /// Under its own name.
    pub const DHOW: Self = Self { name: "dhow" };

    /// In Docker's place.
    pub const DOCKER: Self = Self { name: "docker" };

    /// By the path it was called with.
    pub fn called(path: &str) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        match name.strip_suffix(".exe").unwrap_or(name) {
            "docker" => Self::DOCKER,
            _ => Self::DHOW,
        }
    }

    /// Whether it stands in Docker's place.
    pub fn is_docker(self) -> bool {
        self == Self::DOCKER
    }

    /// A client error in the words its reader expects.
    pub fn explain(self, error: &Error) -> String {
        match error {
            Error::Api { message, .. } => format!("Error response from daemon: {message}"),
            Error::Unreachable { endpoint, source } => self.unreachable(endpoint, source),
            Error::PermissionDenied { endpoint, .. } => self.denied(endpoint),
            other => chain(other),
        }
    }

    fn unreachable(self, endpoint: &Endpoint, source: &std::io::Error) -> String {
        let local = matches!(endpoint, Endpoint::Unix(_));
        if self.is_docker() {
            let question = "Is the docker daemon running?";
            return format!("Cannot connect to the Docker daemon at {endpoint}. {question}");
        }
        if local {
            return format!("cannot connect to the Dhow engine at {endpoint}: is dhowd running?");
        }
        let reason = crate::failure::system_error(source);
        format!("cannot connect to the engine at {endpoint}: {reason}")
    }

    fn denied(self, endpoint: &Endpoint) -> String {
        let path = endpoint.to_string();
        let path = path.strip_prefix("unix://").unwrap_or(&path);
        if self.is_docker() {
            return format!(
                "permission denied while trying to connect to the docker API at {endpoint}"
            );
        }
        format!(
            "permission denied on {path}: your user may not talk to the engine; \
             add it to the socket's group (dhow) or use sudo"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_the_path_decides() {
        assert!(Program::called("/usr/local/bin/docker").is_docker());
        assert!(Program::called("docker").is_docker());
        assert!(!Program::called("./dhow").is_docker());
        assert!(!Program::called("/opt/docker/dhow").is_docker());
    }
}
