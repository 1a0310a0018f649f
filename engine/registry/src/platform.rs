//! Choosing the entry of an index that fits a platform. Pure.

use crate::error::Error;
use crate::manifest::{Descriptor, Index, Platform};

/// What is wanted, and what may stand in for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformChoice {
    wanted: Platform,
}

impl PlatformChoice {
    /// Exactly what a person asked for.
    pub fn of(os: &str, architecture: &str, variant: &str) -> Self {
        Self {
            wanted: normalised(&Platform {
                os: os.to_owned(),
                architecture: architecture.to_owned(),
                variant: variant.to_owned(),
                ..Platform::default()
            }),
        }
    }

    /// Linux on the processor this was built for.
    pub fn host() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", ""),
            "aarch64" => ("arm64", ""),
            "x86" => ("386", ""),
            "arm" => ("arm", "v7"),
            "powerpc64" if cfg!(target_endian = "little") => ("ppc64le", ""),
            "loongarch64" => ("loong64", ""),
            other => (other, ""),
        };
        Self::of("linux", architecture, variant)
    }

    /// What is wanted, normalised.
    pub fn platform(&self) -> &Platform {
        &self.wanted
    }

    /// How well `offered` fits: 0 is best, `None` is not at all.
    pub fn rank(&self, offered: &Platform) -> Option<u32> {
        let offered = normalised(offered);
        let wanted = &self.wanted;
        if offered.os != wanted.os || offered.architecture != wanted.architecture {
            return None;
        }
        if offered.variant == wanted.variant {
            return Some(0);
        }
        // A processor runs what was built for its forerunners.
        let level = |platform: &Platform| -> Option<u32> {
            let least = match platform.architecture.as_str() {
                "amd64" => 1,
                "arm64" => 8,
                "arm" => 5,
                _ => return None,
            };
            match platform.variant.as_str() {
                "" if platform.architecture != "arm" => Some(least),
                variant => variant.strip_prefix('v')?.parse().ok(),
            }
        };
        let (wanted, offered) = (level(wanted)?, level(&offered)?);
        wanted.checked_sub(offered)
    }
}

impl std::fmt::Display for PlatformChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Platform {
            os,
            architecture,
            variant,
            ..
        } = &self.wanted;
        write!(f, "{os}/{architecture}")?;
        if variant.is_empty() {
            return Ok(());
        }
        write!(f, "/{variant}")
    }
}

/// The entry of `index` that fits best; of equals, the first.
pub fn choose<'a>(index: &'a Index, choice: &PlatformChoice) -> Result<&'a Descriptor, Error> {
    index
        .manifests
        .iter()
        .filter_map(|entry| {
            // Indexes of one image sometimes don't say what it is for.
            let rank = match &entry.platform {
                Some(platform) => choice.rank(platform)?,
                None => u32::MAX,
            };
            Some((rank, entry))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, entry)| entry)
        .ok_or_else(|| Error::NoMatchingPlatform {
            platform: choice.to_string(),
        })
}

/// One spelling for each platform.
fn normalised(platform: &Platform) -> Platform {
    let mut platform = platform.clone();
    platform.os.make_ascii_lowercase();
    let architecture = platform.architecture.to_ascii_lowercase();
    let variant = platform.variant.to_ascii_lowercase();
    let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("amd64", "v1") => ("amd64", ""),
        ("i386" | "i686", _) => ("386", ""),
        ("aarch64" | "arm64", "8" | "v8") => ("arm64", ""),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    let (architecture, variant) = (architecture.to_owned(), variant.to_owned());
    platform.architecture = architecture;
    platform.variant = variant;
    platform
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index of the platforms listed; the digest tells which was chosen.
    fn chosen(offered: &[&str], wanted: (&str, &str, &str)) -> Result<usize, String> {
        let manifests = offered.iter().enumerate().map(|(number, text)| {
            let mut parts = text.split('/').map(str::to_owned);
            let mut descriptor =
                Descriptor::new("", format!("sha256:{number:064x}").parse().unwrap(), 0);
            descriptor.platform = (!text.is_empty()).then(|| Platform {
                os: parts.next().unwrap_or_default(),
                architecture: parts.next().unwrap_or_default(),
                variant: parts.next().unwrap_or_default(),
                ..Platform::default()
            });
            descriptor
        });
        let index = Index {
            schema_version: 2,
            media_type: None,
            manifests: manifests.collect(),
        };
        let (os, architecture, variant) = wanted;
        choose(&index, &PlatformChoice::of(os, architecture, variant))
            .map(|found| usize::from_str_radix(found.digest.hex(), 16).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_best_fit_is_chosen() {
        let all = [
            "unknown/unknown",
            "linux/arm/v5",
            "linux/arm/v7",
            "linux/arm64/v8",
            "linux/amd64",
            "windows/amd64",
        ];
        assert_eq!(chosen(&all, ("linux", "amd64", "")), Ok(4));
        assert_eq!(chosen(&all, ("linux", "x86_64", "v3")), Ok(4));
        assert_eq!(chosen(&all, ("linux", "arm64", "")), Ok(3));
        assert_eq!(chosen(&all, ("linux", "arm", "v7")), Ok(2));
        assert_eq!(chosen(&all, ("linux", "arm", "v6")), Ok(1));
        assert_eq!(chosen(&all, ("windows", "amd64", "")), Ok(5));
    }

    #[test]
    fn newer_processors_than_wanted_are_not_chosen() {
        let error = "no matching manifest for linux/arm/v6 in the manifest list entries";
        assert_eq!(
            chosen(&["linux/arm/v7"], ("linux", "arm", "v6")),
            Err(error.to_owned())
        );
        assert_eq!(
            chosen(
                &["linux/amd64/v3", "linux/amd64/v2"],
                ("linux", "amd64", "v2")
            ),
            Ok(1)
        );
    }

    #[test]
    fn an_entry_without_platform_is_the_last_resort() {
        assert_eq!(chosen(&["", "linux/amd64"], ("linux", "amd64", "")), Ok(1));
        assert_eq!(chosen(&["", "linux/arm64"], ("linux", "amd64", "")), Ok(0));
    }
}
