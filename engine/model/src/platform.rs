//! Platforms: `linux/arm64/v8` as people and manifests write it, and which
//! platform's programs run on which.
//!
//! Spellings and the order of preference are those of OCI tools (containerd's
//! platform rules). Emulators are not considered.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, HasKind};

/// An operating system, an architecture in Go's spelling, and its variant
/// (empty where the architecture's usual one is meant). Always normalized.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    os: String,
    architecture: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    variant: String,
}

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlatform {
    /// A lone word that is neither a system nor an architecture.
    #[error("{0:?}: unknown operating system or architecture: invalid argument")]
    Unknown(String),
    /// A component with characters no platform has.
    #[error(
        "{component:?} is an invalid component of {specifier:?}: platform specifier component must match \"^[A-Za-z0-9_.-]+$\": invalid argument"
    )]
    Component {
        /// The wrong part.
        component: String,
        /// The whole text.
        specifier: String,
    },
    /// More than three components, or a wildcard.
    #[error("{0:?}: cannot parse platform specifier: invalid argument")]
    Shape(String),
}

impl HasKind for InvalidPlatform {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Platform {
    /// The normalized platform of these words.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            "" => "linux".to_owned(),
            other => other.to_owned(),
        };
        let (architecture, variant) = normalize(
            &architecture.to_ascii_lowercase(),
            &variant.to_ascii_lowercase(),
        );
        Self {
            os,
            architecture,
            variant,
        }
    }

    /// The platform this program was built for. Containers are Linux, so the
    /// system is `linux` wherever the program itself runs.
    pub fn host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86" => "386",
            "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
            "loongarch64" => "loong64",
            other => other,
        };
        Self::new("linux", architecture, "")
    }

    /// `linux`, `windows`, …
    pub fn os(&self) -> &str {
        &self.os
    }

    /// `amd64`, `arm64`, …
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// `v7`, …, or empty.
    pub fn variant(&self) -> &str {
        &self.variant
    }

    /// How well `candidate`'s programs run here: 0 is best, `None` is not at
    /// all. An amd64 also runs 386 and lower levels, an arm64 also 32-bit arm.
    pub fn rank(&self, candidate: &Platform) -> Option<usize> {
        self.runs().iter().position(|runs| runs == candidate)
    }

    /// The index of the best of `candidates`; the first of equals.
    pub fn choose<'a>(&self, candidates: impl IntoIterator<Item = &'a Platform>) -> Option<usize> {
        let runs = self.runs();
        candidates
            .into_iter()
            .enumerate()
            .filter_map(|(index, candidate)| {
                let rank = runs.iter().position(|runs| runs == candidate)?;
                Some((rank, index))
            })
            .min()
            .map(|(_, index)| index)
    }

    /// All that runs here, best first.
    fn runs(&self) -> Vec<Platform> {
        let same_os = |architecture: &str, variant: &str| Self {
            os: self.os.clone(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        };
        let mut runs = vec![self.clone()];
        match self.architecture.as_str() {
            "amd64" => {
                let level = level_of(&self.variant).unwrap_or(1);
                runs.extend((2..level).rev().map(|v| same_os("amd64", &format!("v{v}"))));
                if level > 1 {
                    runs.push(same_os("amd64", ""));
                }
                runs.push(same_os("386", ""));
            }
            "arm" => {
                let level = level_of(&self.variant).unwrap_or(7);
                runs.extend((5..level).rev().map(|v| same_os("arm", &format!("v{v}"))));
            }
            "arm64" => {
                runs.extend(older_arm64(&self.variant).map(|v| same_os("arm64", &v)));
                if !self.variant.is_empty() {
                    runs.push(same_os("arm64", ""));
                }
                runs.extend((5..=8).rev().map(|v| same_os("arm", &format!("v{v}"))));
            }
            _ => {}
        }
        runs
    }
}

impl FromStr for Platform {
    type Err = InvalidPlatform;

    /// Reads `os`, `arch`, `os/arch` or `os/arch/variant`.
    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        let parts: Vec<&str> = text.split('/').collect();
        let valid = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        };
        if let Some(component) = parts.iter().find(|part| !valid(part)) {
            return Err(InvalidPlatform::Component {
                component: (*component).to_owned(),
                specifier: text.to_owned(),
            });
        }
        match parts[..] {
            [word] => {
                let as_os = Self::new(word, "", "");
                let as_architecture = Self::new("linux", word, "");
                if KNOWN_OS.contains(&as_os.os.as_str()) {
                    let host = Self::host();
                    Ok(Self::new(word, &host.architecture, &host.variant))
                } else if KNOWN_ARCHITECTURES.contains(&as_architecture.architecture.as_str()) {
                    Ok(as_architecture)
                } else {
                    Err(InvalidPlatform::Unknown(text.to_owned()))
                }
            }
            [os, architecture] => Ok(Self::new(os, architecture, "")),
            [os, architecture, variant] => Ok(Self::new(os, architecture, variant)),
            _ => Err(InvalidPlatform::Shape(text.to_owned())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

const KNOWN_OS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

const KNOWN_ARCHITECTURES: &[&str] = &[
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
    "ppc64le", "riscv64", "s390x", "wasm",
];

fn normalize(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match (architecture, variant) {
        ("i386" | "386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", other) => ("amd64", other),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", other) => ("arm64", other),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

fn level_of(variant: &str) -> Option<u32> {
    variant.strip_prefix('v')?.parse().ok()
}

/// The arm64 levels below `variant`, newest first, without plain v8. Each v9.n
/// includes v8.(n+5).
fn older_arm64(variant: &str) -> impl Iterator<Item = String> + use<> {
    let (major, minor) = match variant.strip_prefix('v').unwrap_or_default() {
        "" => (8, 0),
        level => {
            let (major, minor) = level.split_once('.').unwrap_or((level, "0"));
            (major.parse().unwrap_or(8u32), minor.parse().unwrap_or(0u32))
        }
    };
    let (nines, eights) = match major {
        9 => (0..minor, 1..(minor + 6).min(10)),
        _ => (0..0, 1..minor),
    };
    let name = |major: u32| {
        move |minor: u32| match minor {
            0 => format!("v{major}"),
            _ => format!("v{major}.{minor}"),
        }
    };
    nines.rev().map(name(9)).chain(eights.rev().map(name(8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        let parsed: Platform = input.parse().unwrap_or_else(|e| panic!("{input}: {e}"));
        assert_eq!(parsed.to_string(), expected, "{input}");
    }

    #[test]
    fn spellings_are_normalized() {
        check("linux/amd64", "linux/amd64");
        check("linux/x86_64", "linux/amd64");
        check("Linux/AMD64/v1", "linux/amd64");
        check("linux/amd64/v3", "linux/amd64/v3");
        check("linux/arm64/v8", "linux/arm64");
        check("linux/aarch64", "linux/arm64");
        check("linux/arm", "linux/arm/v7");
        check("linux/armel", "linux/arm/v6");
        check("linux/i386", "linux/386");
        check("macos/arm64", "darwin/arm64");
        check("arm64", "linux/arm64");
        check("linux", &Platform::host().to_string());
    }

    #[test]
    fn other_texts_are_refused() {
        let refuse = |input: &str, part: &str| {
            let error = input.parse::<Platform>().expect_err(input).to_string();
            assert!(error.contains(part), "{error}");
        };
        refuse("foo", "\"foo\": unknown operating system or architecture");
        refuse("linux/", "\"\" is an invalid component of \"linux/\"");
        refuse("linux/amd*", "\"amd*\" is an invalid component");
        refuse("a/b/c/d", "\"a/b/c/d\": cannot parse platform specifier");
        refuse("", "invalid component");
    }

    #[test]
    fn the_best_candidate_is_chosen() {
        let choose = |host: &str, candidates: &[&str]| {
            let candidates: Vec<Platform> = candidates
                .iter()
                .map(|text| text.parse().unwrap())
                .collect();
            let host: Platform = host.parse().unwrap();
            host.choose(&candidates).map(|i| candidates[i].to_string())
        };
        let all = &[
            "linux/386",
            "linux/arm/v6",
            "linux/amd64",
            "linux/arm64",
            "windows/amd64",
        ];
        assert_eq!(choose("linux/amd64", all).unwrap(), "linux/amd64");
        assert_eq!(choose("linux/arm64", all).unwrap(), "linux/arm64");
        assert_eq!(choose("linux/arm", all).unwrap(), "linux/arm/v6");
        assert_eq!(choose("linux/amd64", &["linux/386"]).unwrap(), "linux/386");
        assert_eq!(
            choose("linux/arm64", &["linux/arm"]).unwrap(),
            "linux/arm/v7"
        );
        assert_eq!(choose("linux/amd64", &["linux/amd64/v2"]), None);
        assert_eq!(
            choose("linux/amd64/v3", &["linux/amd64", "linux/amd64/v2"]).unwrap(),
            "linux/amd64/v2"
        );
        assert_eq!(
            choose(
                "linux/arm64/v9",
                &["linux/arm64", "linux/arm64/v8.5", "linux/arm64/v8.6"]
            ),
            Some("linux/arm64/v8.5".to_owned())
        );
        assert_eq!(choose("linux/s390x", all), None);
    }
}
