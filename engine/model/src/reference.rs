//! Image references: what people type (`busybox`), what is meant
//! (`docker.io/library/busybox`), and the grammar between the two.
//!
//! The grammar and the texts of its errors are Docker's (the `distribution`
//! reference grammar). Nothing here knows which references exist.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, InvalidDigest};
use crate::error::{ErrorKind, HasKind};
use crate::id::is_hex;

/// The domain a name without one belongs to.
pub const DEFAULT_DOMAIN: &str = "docker.io";
/// The tag a name without tag and digest is given.
pub const DEFAULT_TAG: &str = "latest";

const LEGACY_DEFAULT_DOMAIN: &str = "index.docker.io";
const OFFICIAL_PREFIX: &str = "library/";
const MAX_PATH: usize = 255;
const MAX_TAG: usize = 128;

/// A fully qualified image name with an optional tag and an optional digest.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// What a person may mean by a word that names an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyReference {
    /// 64 hexadecimal digits, or `sha256:` and 64 digits.
    Digest(Digest),
    /// A name.
    Named(Reference),
}

/// A text that is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// Fits no rule of the grammar.
    #[error("invalid reference format")]
    Format,
    /// 64 digits would be taken for an id.
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    LooksLikeId(String),
    /// Upper case in the path.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    /// The path is longer than any registry takes.
    #[error("repository name must not be more than {MAX_PATH} characters")]
    TooLong,
    /// The tag alone is wrong.
    #[error("invalid tag format")]
    Tag,
    /// The digest is well formed as a reference part, but not a digest.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

impl HasKind for InvalidReference {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Reference {
    /// Reads what a person types: adds `docker.io/` and `library/` where they
    /// are meant. Adds no tag; see [`Reference::with_default_tag`].
    pub fn parse_normalized(text: &str) -> Result<Self, InvalidReference> {
        if is_hex(text, 64) {
            return Err(InvalidReference::LooksLikeId(text.to_owned()));
        }
        let (domain, remainder) = split_domain(text);
        let remote = remainder.split(':').next().unwrap_or_default();
        if remote.chars().any(char::is_uppercase) {
            return Err(InvalidReference::Uppercase(remote.to_owned()));
        }
        Self::parse_parts(domain, &remainder)
    }

    /// Reads a reference that already has its domain, as written by
    /// [`Display`](fmt::Display).
    pub fn parse_canonical(text: &str) -> Result<Self, InvalidReference> {
        let (domain, remainder) = text.split_once('/').ok_or(InvalidReference::Format)?;
        Self::parse_parts(domain, remainder)
    }

    /// The registry: a host name or address, perhaps with a port.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository within the registry, such as `library/busybox`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Domain and path.
    pub fn name(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The tag, if one was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was given.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Whether there is neither tag nor digest.
    pub fn is_name_only(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// The name as people know it: `busybox`, `user/app`, `host:5000/app`.
    pub fn familiar_name(&self) -> String {
        if self.domain != DEFAULT_DOMAIN {
            return self.name();
        }
        match self.path.strip_prefix(OFFICIAL_PREFIX) {
            Some(short) if !short.contains('/') => short.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// The familiar name with tag and digest.
    pub fn familiar(&self) -> String {
        self.suffixed(self.familiar_name())
    }

    /// The same, with `latest` where there is neither tag nor digest.
    pub fn with_default_tag(mut self) -> Self {
        if self.is_name_only() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The name with this tag; an earlier tag and digest are dropped.
    pub fn with_tag(&self, tag: &str) -> Result<Self, InvalidReference> {
        if !valid_tag(tag) {
            return Err(InvalidReference::Tag);
        }
        Ok(Self {
            tag: Some(tag.to_owned()),
            ..self.name_only()
        })
    }

    /// The name with this digest; an earlier tag and digest are dropped.
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..self.name_only()
        }
    }

    /// The name without tag and digest.
    pub fn name_only(&self) -> Self {
        Self {
            domain: self.domain.clone(),
            path: self.path.clone(),
            tag: None,
            digest: None,
        }
    }

    fn parse_parts(domain: &str, remainder: &str) -> Result<Self, InvalidReference> {
        let (named, digest) = match remainder.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (remainder, None),
        };
        // A tag holds no slash, so only a colon after the last one parts it.
        let last = named.rfind('/').map_or(0, |slash| slash + 1);
        let (path, tag) = match named[last..].find(':') {
            Some(colon) => (&named[..last + colon], Some(&named[last + colon + 1..])),
            None => (named, None),
        };
        let well_formed = valid_domain(domain)
            && path.split('/').all(valid_component)
            && tag.is_none_or(valid_tag)
            && digest.is_none_or(shaped_like_digest);
        if !well_formed {
            return Err(InvalidReference::Format);
        }
        if path.len() > MAX_PATH {
            return Err(InvalidReference::TooLong);
        }
        Ok(Self {
            domain: domain.to_owned(),
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::parse).transpose()?,
        })
    }

    fn suffixed(&self, mut name: String) -> String {
        if let Some(tag) = &self.tag {
            name.push(':');
            name.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            name.push('@');
            name.push_str(digest.as_str());
        }
        name
    }
}

impl AnyReference {
    /// Takes digests and full ids for what they are, everything else for a name.
    pub fn parse(text: &str) -> Result<Self, InvalidReference> {
        if is_hex(text, 64) {
            return Ok(Self::Digest(format!("sha256:{text}").parse()?));
        }
        if let Ok(digest) = text.parse() {
            return Ok(Self::Digest(digest));
        }
        Reference::parse_normalized(text).map(Self::Named)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.suffixed(self.name()))
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        Self::parse_normalized(text)
    }
}

impl TryFrom<String> for Reference {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, InvalidReference> {
        Self::parse_canonical(&text)
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

/// Whether `tag` may stand after the colon of a reference.
pub fn valid_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = tag.as_bytes();
    bytes.first().is_some_and(|&b| word(b))
        && bytes.len() <= MAX_TAG
        && bytes.iter().all(|&b| word(b) || b == b'.' || b == b'-')
}

/// The first component is a domain if it cannot be anything else: it has a dot,
/// a colon or upper case, or is `localhost`.
fn split_domain(text: &str) -> (&str, String) {
    let Some((first, rest)) = text.split_once('/') else {
        return (DEFAULT_DOMAIN, format!("{OFFICIAL_PREFIX}{text}"));
    };
    let (domain, remote) = match first {
        LEGACY_DEFAULT_DOMAIN => (DEFAULT_DOMAIN, rest),
        "localhost" => (first, rest),
        _ if first.contains(['.', ':']) || first.chars().any(char::is_uppercase) => (first, rest),
        _ => (DEFAULT_DOMAIN, text),
    };
    if domain == DEFAULT_DOMAIN && !remote.contains('/') {
        (domain, format!("{OFFICIAL_PREFIX}{remote}"))
    } else {
        (domain, remote.to_owned())
    }
}

fn valid_domain(domain: &str) -> bool {
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = domain.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        return !address.is_empty()
            && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
            && (port.is_empty() || port.strip_prefix(':').is_some_and(digits));
    }
    let (host, port) = match domain.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (domain, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(label) && port.is_none_or(digits)
}

/// Alphanumeric runs joined by one dot, one or two underscores, or dashes.
fn valid_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut rest = component.as_bytes();
    loop {
        let run = rest.iter().take_while(|&&b| alphanumeric(b)).count();
        if run == 0 {
            return false;
        }
        rest = &rest[run..];
        if rest.is_empty() {
            return true;
        }
        let separator = rest.iter().take_while(|&&b| !alphanumeric(b)).count();
        let allowed = match &rest[..separator] {
            b"." | b"_" | b"__" => true,
            dashes => dashes.iter().all(|&b| b == b'-'),
        };
        if !allowed {
            return false;
        }
        rest = &rest[separator..];
    }
}

/// Looser than a digest: any algorithm, at least 128 bits.
fn shaped_like_digest(text: &str) -> bool {
    let Some((algorithm, digits)) = text.split_once(':') else {
        return false;
    };
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(word)
        && digits.len() >= 32
        && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUM: &str = "7cc4b5aefd1d0cadf8d97d4350462ba51c694ebca145b08d7d41b41acc8db5aa";

    fn check(input: &str, canonical: &str, familiar: &str) {
        let parsed = Reference::parse_normalized(input).unwrap_or_else(|e| panic!("{input}: {e}"));
        assert_eq!(parsed.to_string(), canonical, "{input}");
        assert_eq!(parsed.familiar(), familiar, "{input}");
        assert_eq!(Reference::parse_canonical(canonical), Ok(parsed));
    }

    fn refuse(input: &str, message: &str) {
        let error = Reference::parse_normalized(input).expect_err(input);
        assert_eq!(error.to_string(), message, "{input}");
    }

    #[test]
    fn names_are_normalized() {
        check("busybox", "docker.io/library/busybox", "busybox");
        check("busybox:1", "docker.io/library/busybox:1", "busybox:1");
        check("user/app", "docker.io/user/app", "user/app");
        check("docker.io/busybox", "docker.io/library/busybox", "busybox");
        check(
            "index.docker.io/busybox",
            "docker.io/library/busybox",
            "busybox",
        );
        check("index.docker.io/u/app", "docker.io/u/app", "u/app");
        check(
            "docker.io/library/a/b",
            "docker.io/library/a/b",
            "library/a/b",
        );
        check("localhost/app", "localhost/app", "localhost/app");
        check(
            "localhost:5000/app:v1",
            "localhost:5000/app:v1",
            "localhost:5000/app:v1",
        );
        check(
            "[fd00::1]:5000/app",
            "[fd00::1]:5000/app",
            "[fd00::1]:5000/app",
        );
        check("Host/app", "Host/app", "Host/app");
        check(
            "a__b/c--d/e.f_g",
            "docker.io/a__b/c--d/e.f_g",
            "a__b/c--d/e.f_g",
        );
        let pinned = format!("host.example:443/x/y:t@sha256:{SUM}");
        check(&pinned, &pinned, &pinned);
        let hub = format!("busybox@sha256:{SUM}");
        check(&hub, &format!("docker.io/library/{hub}"), &hub);
        check("localhost", "docker.io/library/localhost", "localhost");
    }

    #[test]
    fn bad_names_are_refused_in_docker_s_words() {
        const FORMAT: &str = "invalid reference format";
        for input in [
            "",
            ":tag",
            "a:",
            "a//b",
            "/a",
            "a/",
            "a..b",
            "a___b",
            "-a",
            "a-",
            "a b",
            "a@b",
            "a:t@",
            "[::1/a",
            "[]/a",
            "host:/a",
            "host:x/a",
            "a:-t",
            "a:b:c",
            "https://x/y",
            "é",
            "a@sha256:1234",
            "-x.y/a",
            "a_b.c/d",
        ] {
            refuse(input, FORMAT);
        }
        refuse(
            "Busybox",
            "invalid reference format: repository name (library/Busybox) must be lowercase",
        );
        refuse(
            "host:5000/Xy",
            "invalid reference format: repository name (Xy) must be lowercase",
        );
        refuse(
            SUM,
            &format!("invalid repository name ({SUM}), cannot specify 64-byte hexadecimal strings"),
        );
        refuse(
            &"a/".repeat(128).trim_end_matches('/').repeat(2),
            "repository name must not be more than 255 characters",
        );
        refuse(&format!("a:{}", "t".repeat(129)), FORMAT);
        refuse(&format!("a@sha512:{SUM}"), "unsupported digest algorithm");
        refuse(
            &format!("a@sha256:{}", &SUM[2..]),
            "invalid checksum digest length",
        );
    }

    #[test]
    fn tags_and_digests_replace_each_other() {
        let name = Reference::parse_normalized("a/b").unwrap();
        assert_eq!(name.clone().with_default_tag().familiar(), "a/b:latest");
        let tagged = name.with_tag("v1").unwrap();
        assert_eq!(tagged.clone().with_default_tag().tag(), Some("v1"));
        assert_eq!(name.with_tag("no/tag"), Err(InvalidReference::Tag));
        let digest: Digest = format!("sha256:{SUM}").parse().unwrap();
        let pinned = tagged.with_digest(digest.clone());
        assert_eq!((pinned.tag(), pinned.digest()), (None, Some(&digest)));
        assert_eq!(pinned.clone().with_default_tag(), pinned);
        assert_eq!(pinned.name_only(), name);
    }

    #[test]
    fn ids_and_digests_are_told_from_names() {
        let digest: Digest = format!("sha256:{SUM}").parse().unwrap();
        assert_eq!(
            AnyReference::parse(SUM),
            Ok(AnyReference::Digest(digest.clone()))
        );
        assert_eq!(
            AnyReference::parse(digest.as_str()),
            Ok(AnyReference::Digest(digest))
        );
        let named = Reference::parse_normalized("busybox").unwrap();
        assert_eq!(
            AnyReference::parse("busybox"),
            Ok(AnyReference::Named(named))
        );
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,80}") {
            let _ = Reference::parse_normalized(&text);
        }

        #[test]
        fn familiar_and_canonical_forms_read_back(
            domain in "(([a-z0-9]{1,5}\\.[a-z]{2,3}|localhost)(:[0-9]{1,5})?/)?",
            path in "[a-z0-9]{1,6}((_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,6}(\\.[a-z]{1,2})?){0,3}",
            tag in "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,12})?",
        ) {
            let text = format!("{domain}{path}{tag}");
            let parsed = Reference::parse_normalized(&text).unwrap();
            prop_assert_eq!(&Reference::parse_normalized(&parsed.familiar()).unwrap(), &parsed);
            prop_assert_eq!(&Reference::parse_normalized(&parsed.to_string()).unwrap(), &parsed);
            prop_assert_eq!(Reference::parse_canonical(&parsed.to_string()).unwrap(), parsed);
        }
    }
}
