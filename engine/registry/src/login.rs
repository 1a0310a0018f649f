//! Trying credentials at a registry, for `docker login`.

use http::StatusCode;

use crate::auth::Request;
use crate::client::Registry;
use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::remote::ping;
use crate::repository::HUB;
use crate::secret::Secret;
use crate::transport::Outgoing;

/// Credentials that were accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Docker's sentence.
    pub status: &'static str,
    /// A refresh token to keep instead of the password, if the registry gave one.
    pub identity_token: Secret,
}

impl Registry {
    /// Tries `credentials` at the registry they name, the Hub by default.
    pub async fn login(&self, credentials: &Credentials) -> Result<Login, Error> {
        let domain = domain(&credentials.server_address);
        let endpoint = self.upstream(&domain).await?;
        let mut last = None;
        for base in endpoint.bases {
            let one = Endpoint {
                bases: vec![base],
                mirror: false,
            };
            match self.login_at(&one, credentials).await {
                Ok(login) => return Ok(login),
                // Only what never spoke HTTP is worth another scheme.
                Err(error) if error.is_transport() => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or(Error::InvalidHost(domain)))
    }

    async fn login_at(
        &self,
        endpoint: &Endpoint,
        credentials: &Credentials,
    ) -> Result<Login, Error> {
        let transport = self.transport();
        let (base, challenges) = ping(&transport, endpoint).await?;
        let request = Request {
            challenges: &challenges,
            base: &base,
            credentials,
            scopes: &[],
            fresh: true,
            offline: true,
        };
        let grant = self.tokens().authorize(&transport, &request).await?;
        let url = base
            .url
            .join("v2/")
            .map_err(|_| Error::InvalidHost(base.host.clone()))?;
        let address = url.to_string();
        let mut outgoing = Outgoing::get(url);
        outgoing.authorization = grant.header;
        let response = transport.send(&base, outgoing).await?;
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(Login {
                status: "Login Succeeded",
                identity_token: grant.refresh,
            });
        }
        Err(Error::Login {
            url: address,
            status: status.to_string(),
            denied: matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
        })
    }
}

/// The registry in an address as clients write it: `https://index.docker.io/v1/`,
/// `https://host:5000/`, `host`.
fn domain(address: &str) -> String {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))
        .unwrap_or(address);
    let host = rest.split('/').next().unwrap_or_default();
    match host {
        "" | "index.docker.io" | "registry-1.docker.io" => HUB.to_owned(),
        host => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::domain;

    #[test]
    fn addresses_as_clients_write_them() {
        let check = |address, expected: &str| assert_eq!(domain(address), expected);
        check("", "docker.io");
        check("https://index.docker.io/v1/", "docker.io");
        check("docker.io", "docker.io");
        check("http://localhost:5000/", "localhost:5000");
        check("quay.io", "quay.io");
    }
}
