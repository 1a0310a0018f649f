//! The registry client: one for the whole engine, shared by all operations.

use std::sync::{Arc, PoisonError, RwLock};

use reqwest::Url;

use crate::address::resolve;
use crate::auth::Tokens;
use crate::config::{Config, ConfigError};
use crate::credentials::Credentials;
use crate::endpoint::{self, Endpoint};
use crate::error::Error;
use crate::remote::{Access, Remote};
use crate::repository::{HUB, Repository};
use crate::transport::Transport;

/// The client. Cheap to clone; clones share connections and tokens.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    /// Replaced as a whole when the configuration is reloaded; operations
    /// under way go on with what they began with.
    transport: RwLock<Arc<Transport>>,
    tokens: Arc<Tokens>,
}

impl Registry {
    /// A client with `config`. Nothing is connected to yet.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        Ok(Self {
            shared: Arc::new(Shared {
                transport: RwLock::new(Arc::new(Transport::new(config)?)),
                tokens: Arc::default(),
            }),
        })
    }

    /// Uses `config` for every operation begun from now on.
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        let transport = Arc::new(Transport::new(config)?);
        let mut current = self
            .shared
            .transport
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = transport;
        Ok(())
    }

    /// The configuration in force.
    pub fn config(&self) -> Config {
        self.transport().config().clone()
    }

    /// A handle on `repository`, for one operation of one person. Connects
    /// only when used.
    pub async fn remote(
        &self,
        repository: Repository,
        credentials: Credentials,
        access: Access,
    ) -> Result<Remote, Error> {
        let transport = self.transport();
        let domain = repository.domain();
        let mut endpoints = Vec::new();
        // What is pushed goes to the registry itself: mirrors are for reading.
        if access == Access::Pull {
            for url in endpoint::mirrors(transport.config(), domain) {
                let Ok(url) = Url::parse(url) else { continue };
                let addresses = resolve(&endpoint::host_port(&url)).await;
                endpoints.push(endpoint::mirror(url, transport.config(), &addresses));
            }
        }
        endpoints.push(self.upstream(domain).await?);
        Ok(Remote::new(
            transport,
            self.shared.tokens.clone(),
            repository,
            credentials,
            access,
            endpoints,
        ))
    }

    pub(crate) async fn upstream(&self, domain: &str) -> Result<Endpoint, Error> {
        let transport = self.transport();
        // The Hub is never insecure, so its address need not be known.
        let addresses = if domain == HUB {
            Vec::new()
        } else {
            resolve(domain).await
        };
        endpoint::upstream(domain, transport.config(), &addresses)
    }

    pub(crate) fn transport(&self) -> Arc<Transport> {
        self.shared
            .transport
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.shared.tokens
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}
