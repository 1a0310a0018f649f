//! What concerns registries alone: trying credentials, searching, looking at
//! an image without fetching it; and how the engine is to reach registries.

use std::path::PathBuf;

use bollard_stubs::models::{
    DistributionInspect, ImageSearchResponseItem, OciDescriptor, OciPlatform,
};
use bollard_stubs::query_parameters::SearchImagesOptions;
use dhow_model::Filters;
use dhow_registry::{Access, Config, Descriptor, Platform, Proxies, Registry, Repository, Target};

use super::{AuthConfig, AuthStatus, RegistryAuth};
use crate::config::{ProxyAddress, RegistryOptions};
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// `POST /auth`: the status and token Docker answers.
    pub async fn auth(&self, auth: AuthConfig) -> Result<AuthStatus> {
        let login = self.shared.registry.login(&auth).await.map_err(Error::of)?;
        Ok(AuthStatus {
            status: login.status.to_owned(),
            identity_token: login.identity_token.expose().to_owned(),
        })
    }

    /// Searches the Hub, or the index that the term begins with.
    pub async fn search_images(
        &self,
        options: SearchImagesOptions,
        auth: RegistryAuth,
    ) -> Result<Vec<ImageSearchResponseItem>> {
        let filters = Filters::from_map(options.filters.unwrap_or_default());
        filters
            .validate(&["is-automated", "is-official", "stars"])
            .map_err(Error::of)?;
        let official = given(&filters, "is-official")?;
        let automated = given(&filters, "is-automated")?;
        let stars = least_stars(&filters)?;
        let limit = options.limit.filter(|&limit| limit != 0).map(i64::from);
        let answer = self
            .shared
            .registry
            .search(&options.term, limit, &auth.unwrap_or_default())
            .await
            .map_err(Error::of)?;
        let passes = |wanted: Option<bool>, actual| wanted.is_none_or(|wanted| wanted == actual);
        Ok(answer
            .results
            .into_iter()
            .filter(|item| {
                passes(official, item.is_official)
                    && passes(automated, item.is_automated)
                    && item.star_count >= stars
            })
            .map(|item| ImageSearchResponseItem {
                description: Some(item.description),
                is_official: Some(item.is_official),
                is_automated: Some(item.is_automated),
                name: Some(item.name),
                star_count: Some(item.star_count),
            })
            .collect())
    }

    /// What stands behind a name at its registry, and for which platforms.
    pub async fn inspect_registry_image(
        &self,
        name: &str,
        auth: RegistryAuth,
    ) -> Result<DistributionInspect> {
        let reference = super::pull::parse(name)?.with_default_tag();
        let Some(target) = Target::of(&reference) else {
            return Err(Error::invalid(format!(
                "unknown image reference format: {name}"
            )));
        };
        let remote = self
            .shared
            .registry
            .remote(
                Repository::of(&reference),
                auth.unwrap_or_default(),
                Access::Pull,
            )
            .await
            .map_err(Error::of)?;
        let found = remote.inspect(&target).await.map_err(Error::of)?;
        Ok(DistributionInspect {
            descriptor: descriptor(found.descriptor),
            platforms: found.platforms.into_iter().map(platform).collect(),
        })
    }
}

/// The registry client for `options`.
pub(crate) fn registry(options: &RegistryOptions) -> Result<Registry> {
    Registry::new(config(options)?).map_err(Error::of)
}

/// The client's configuration for `options`.
pub(crate) fn config(options: &RegistryOptions) -> Result<Config> {
    let mut config = Config::default();
    for (registry, urls) in &options.mirrors {
        for url in urls {
            config.add_mirror(Some(registry), url).map_err(Error::of)?;
        }
    }
    for entry in &options.insecure {
        config.add_insecure(entry).map_err(Error::of)?;
    }
    config.certs_dirs = options.certs_dir.iter().cloned().collect();
    config.certs_dirs.push(PathBuf::from("/etc/docker/certs.d"));
    let proxies = &options.proxies;
    let whole = |address: &Option<ProxyAddress>| Some(address.as_ref()?.expose().to_owned());
    config.proxies = Proxies {
        http: whole(&proxies.http),
        https: whole(&proxies.https),
        no_proxy: proxies.no_proxy.clone(),
    };
    if let Ok(attempts @ 1..) = u32::try_from(options.max_download_attempts) {
        config.retry.attempts = attempts;
    }
    Ok(config)
}

/// A yes-or-no filter that may be absent.
fn given(filters: &Filters, key: &str) -> Result<Option<bool>> {
    if !filters.contains(key) {
        return Ok(None);
    }
    filters.boolean(key, false).map(Some).map_err(Error::of)
}

/// The highest of the numbers that `stars` asks for.
fn least_stars(filters: &Filters) -> Result<i64> {
    filters
        .get("stars")
        .map(|text| {
            text.parse()
                .map_err(|_| Error::invalid(format!("invalid filter 'stars={text}'")))
        })
        .try_fold(0, |most: i64, stars: Result<i64>| Ok(most.max(stars?)))
}

fn descriptor(found: Descriptor) -> OciDescriptor {
    OciDescriptor {
        media_type: Some(found.media_type),
        digest: Some(found.digest.to_string()),
        size: i64::try_from(found.size).ok(),
        ..OciDescriptor::default()
    }
}

fn platform(found: Platform) -> OciPlatform {
    let some = |text: String| (!text.is_empty()).then_some(text);
    OciPlatform {
        architecture: some(found.architecture),
        os: some(found.os),
        os_version: some(found.os_version),
        os_features: (!found.os_features.is_empty()).then_some(found.os_features),
        variant: some(found.variant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_reach_the_client() {
        let options = RegistryOptions {
            mirrors: [("quay.io".to_owned(), vec!["http://m:5000".to_owned()])].into(),
            insecure: vec!["10.0.0.0/8".to_owned(), "old:5000".to_owned()],
            certs_dir: Some("/etc/dhow/certs.d".into()),
            max_download_attempts: 3,
            ..RegistryOptions::default()
        };
        let config = config(&options).unwrap();
        assert_eq!(config.mirrors["quay.io"], ["http://m:5000/"]);
        assert_eq!(config.insecure.len(), 2);
        assert_eq!(config.retry.attempts, 3);
        assert_eq!(
            config.certs_dirs,
            [
                PathBuf::from("/etc/dhow/certs.d"),
                PathBuf::from("/etc/docker/certs.d")
            ]
        );
        let wrong = RegistryOptions {
            insecure: vec!["a b".to_owned()],
            ..RegistryOptions::default()
        };
        assert!(registry(&wrong).is_err());
    }

    #[test]
    fn filters_of_a_search() {
        let filters = |key: &str, value: &str| {
            Filters::from_map([(key.to_owned(), vec![value.to_owned()])].into())
        };
        assert_eq!(
            given(&filters("is-official", "true"), "is-official"),
            Ok(Some(true))
        );
        assert_eq!(given(&Filters::default(), "is-official"), Ok(None));
        assert!(given(&filters("is-official", "perhaps"), "is-official").is_err());
        assert_eq!(least_stars(&filters("stars", "7")), Ok(7));
        assert_eq!(
            least_stars(&filters("stars", "many"))
                .unwrap_err()
                .to_string(),
            "invalid filter 'stars=many'"
        );
    }
}
