//! What is asked of which registry: a repository and, in it, a tag or digest.
//!
//! The grammar of names belongs to `dhow_model::reference`; the parts given
//! here are taken as already normalised.

use std::fmt;

use dhow_model::Digest;
use dhow_model::reference::Reference;

/// A repository by its registry and its path there, in the long form:
/// `docker.io` and `library/busybox`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Repository {
    domain: String,
    path: String,
}

/// What is wanted of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// Whatever the tag points at now.
    Tag(String),
    /// Exactly this content.
    Digest(Digest),
}

/// The domain of Docker Hub, whose registry answers under another name.
pub(crate) const HUB: &str = "docker.io";

impl Repository {
    /// The repository at `path` of the registry `domain`. Docker's older name
    /// for the Hub is folded into the one in use.
    pub fn new(domain: &str, path: &str) -> Self {
        let domain = if domain == "index.docker.io" {
            HUB
        } else {
            domain
        };
        Self {
            domain: domain.to_owned(),
            path: path.to_owned(),
        }
    }

    /// The repository that `reference` names.
    pub fn of(reference: &Reference) -> Self {
        Self::new(reference.domain(), reference.path())
    }

    /// The registry as named in references, with its port if it has one.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The path within the registry, such as `library/busybox`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The short form people use: `busybox`, `user/app`, `host:5000/app`.
    pub fn familiar(&self) -> String {
        if self.domain != HUB {
            return format!("{}/{}", self.domain, self.path);
        }
        self.path
            .strip_prefix("library/")
            .unwrap_or(&self.path)
            .to_owned()
    }

    /// The short form with the target: `busybox:latest`, `busybox@sha256:…`.
    pub fn familiar_with(&self, target: &Target) -> String {
        match target {
            Target::Tag(tag) => format!("{}:{tag}", self.familiar()),
            Target::Digest(digest) => format!("{}@{digest}", self.familiar()),
        }
    }
}

impl Target {
    /// What `reference` names in its repository. A digest decides; a tag beside
    /// it is only for people.
    pub fn of(reference: &Reference) -> Option<Self> {
        match (reference.digest(), reference.tag()) {
            (Some(digest), _) => Some(Self::Digest(digest.clone())),
            (None, tag) => Some(Self::Tag(tag?.to_owned())),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => write!(f, "{digest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn familiar_names_drop_what_docker_drops() {
        let check = |domain, path, expected: &str| {
            assert_eq!(Repository::new(domain, path).familiar(), expected);
        };
        check("docker.io", "library/busybox", "busybox");
        check("index.docker.io", "library/busybox", "busybox");
        check("docker.io", "user/app", "user/app");
        check(
            "localhost:5000",
            "library/busybox",
            "localhost:5000/library/busybox",
        );
    }
}
