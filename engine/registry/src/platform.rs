//! Choosing the entry of an index that fits a platform. Pure.

use dhow_model::platform::Platform;

use crate::error::Error;
use crate::manifest::{Descriptor, Index};

/// The entry of `index` that fits `wanted` best; of equals, the first.
pub fn choose<'a>(index: &'a Index, wanted: &Platform) -> Result<&'a Descriptor, Error> {
    index
        .manifests
        .iter()
        .filter_map(|entry| {
            // Indexes of one image sometimes don't say what it is for.
            let rank = match &entry.platform {
                Some(platform) => wanted.rank(&platform.normalized())?,
                None => usize::MAX,
            };
            Some((rank, entry))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, entry)| entry)
        .ok_or_else(|| Error::NoMatchingPlatform {
            platform: wanted.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index of the platforms listed; the digest tells which was chosen.
    fn chosen(offered: &[&str], wanted: &str) -> Result<usize, String> {
        let manifests = offered.iter().enumerate().map(|(number, text)| {
            let mut parts = text.split('/').map(str::to_owned);
            let digest = format!("sha256:{number:064x}").parse().unwrap();
            let mut descriptor = Descriptor::new("", digest, 0);
            descriptor.platform = (!text.is_empty()).then(|| crate::manifest::Platform {
                os: parts.next().unwrap_or_default(),
                architecture: parts.next().unwrap_or_default(),
                variant: parts.next().unwrap_or_default(),
                ..Default::default()
            });
            descriptor
        });
        let index = Index {
            schema_version: 2,
            media_type: None,
            manifests: manifests.collect(),
        };
        choose(&index, &wanted.parse().unwrap())
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
        assert_eq!(chosen(&all, "linux/amd64"), Ok(4));
        assert_eq!(chosen(&all, "linux/arm64"), Ok(3));
        assert_eq!(chosen(&all, "linux/arm/v6"), Ok(1));
    }

    #[test]
    fn docker_says_what_is_missing() {
        let error = "no matching manifest for linux/arm/v7 in the manifest list entries";
        assert_eq!(
            chosen(&["linux/amd64", "unknown/unknown"], "linux/arm/v7"),
            Err(error.to_owned())
        );
    }

    #[test]
    fn an_entry_without_platform_is_the_last_resort() {
        assert_eq!(chosen(&["", "linux/amd64"], "linux/amd64"), Ok(1));
        assert_eq!(chosen(&["", "linux/s390x"], "linux/amd64"), Ok(0));
    }
}
