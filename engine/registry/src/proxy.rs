//! Which proxies are used: the configuration's, else the environment's. This
//! machine itself is never reached through one, as with Go's programs.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{NoProxy, Proxy, Url};

use crate::config::{ConfigError, Proxies};

/// The proxies in force.
pub(crate) struct ProxyChoice {
    proxies: Vec<Proxy>,
    /// Knows which of them concerns what, which the others don't tell.
    matcher: Matcher,
}

impl ProxyChoice {
    pub(crate) fn new(configured: &Proxies) -> Result<Self, ConfigError> {
        let http = setting(&configured.http, ["HTTP_PROXY", "http_proxy"]).map(with_scheme);
        let https = setting(&configured.https, ["HTTPS_PROXY", "https_proxy"]).map(with_scheme);
        let exceptions = setting(&configured.no_proxy, ["NO_PROXY", "no_proxy"]);
        let no_proxy = exceptions.as_deref().and_then(NoProxy::from_string);
        let mut proxies = Vec::new();
        if let Some(url) = &http {
            let proxy = Proxy::http(url).map_err(|_| ConfigError::Proxy("HTTP_PROXY"))?;
            proxies.push(proxy.no_proxy(no_proxy.clone()));
        }
        if let Some(url) = &https {
            let proxy = Proxy::https(url).map_err(|_| ConfigError::Proxy("HTTPS_PROXY"))?;
            proxies.push(proxy.no_proxy(no_proxy));
        }
        let matcher = Matcher::builder()
            .http(http.unwrap_or_default())
            .https(https.unwrap_or_default())
            .no(exceptions.unwrap_or_default())
            .build();
        Ok(Self { proxies, matcher })
    }

    pub(crate) fn all(&self) -> &[Proxy] {
        &self.proxies
    }

    /// Whether `url` is reached through one of them.
    pub(crate) fn concern(&self, url: &Url) -> bool {
        let uri = url.as_str().parse();
        uri.is_ok_and(|uri| self.matcher.intercept(&uri).is_some())
    }
}

fn setting(configured: &Option<String>, names: [&str; 2]) -> Option<String> {
    let variables = names.iter().map(std::env::var).filter_map(Result::ok);
    configured
        .clone()
        .into_iter()
        .chain(variables)
        .find(|value| !value.is_empty())
}

/// A bare `host:port` is an HTTP proxy.
fn with_scheme(url: String) -> String {
    if url.contains("://") {
        url
    } else {
        format!("http://{url}")
    }
}
