//! Meeting a registry's challenge: basic authentication and bearer tokens, and
//! remembering the tokens.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use reqwest::Url;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::challenge::Challenge;
use crate::credentials::Credentials;
use crate::endpoint::Base;
use crate::error::Error;
use crate::failure::Failure;
use crate::secret::Secret;
use crate::transport::{Body, Outgoing, Transport};

/// Tokens that were granted, until shortly before they run out.
#[derive(Default)]
pub(crate) struct Tokens {
    held: Mutex<HashMap<[u8; 32], (Secret, Instant)>>,
}

/// What is asked of a token server, and for whom.
pub(crate) struct Request<'a> {
    pub(crate) challenges: &'a [Challenge],
    pub(crate) base: &'a Base,
    pub(crate) credentials: &'a Credentials,
    pub(crate) scopes: &'a [String],
    /// Ask anew even if a token is held: the one held was refused.
    pub(crate) fresh: bool,
    /// Login: ask for a refresh token too.
    pub(crate) offline: bool,
}

/// The answer to a challenge.
#[derive(Debug, Default)]
pub(crate) struct Grant {
    /// The value of `Authorization`, if one is to be sent.
    pub(crate) header: Option<Secret>,
    /// A refresh token, if one was asked for and given.
    pub(crate) refresh: Secret,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct TokenAnswer {
    token: Option<Secret>,
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
    expires_in: Option<u64>,
}

const CLIENT_ID: &str = "docker";
/// What the protocol promises for a token that doesn't say.
const LEAST_LIFE: u64 = 60;
const MARGIN: Duration = Duration::from_secs(10);
const TOKEN_ANSWER: u64 = 1024 * 1024;

impl Tokens {
    /// What to send in answer to the challenges. No challenge, or none that is
    /// known, means to send nothing.
    pub(crate) async fn authorize(
        &self,
        transport: &Transport,
        request: &Request<'_>,
    ) -> Result<Grant, Error> {
        let find = |scheme| request.challenges.iter().find(|c| c.scheme == scheme);
        let credentials = request.credentials;
        if !request.challenges.is_empty() && !credentials.registry_token.is_empty() {
            return Ok(Grant {
                header: Some(bearer(&credentials.registry_token)),
                ..Grant::default()
            });
        }
        if let Some(challenge) = find("bearer") {
            return self.token(transport, request, challenge).await;
        }
        if find("basic").is_some() {
            if !credentials.has_password() {
                return Err(failed(&request.base.url, Failure::NoCredentials));
            }
            return Ok(Grant {
                header: Some(credentials.basic()),
                ..Grant::default()
            });
        }
        Ok(Grant::default())
    }

    async fn token(
        &self,
        transport: &Transport,
        request: &Request<'_>,
        challenge: &Challenge,
    ) -> Result<Grant, Error> {
        let base = request.base;
        let realm = challenge
            .get("realm")
            .and_then(|realm| Url::parse(realm).ok())
            .filter(|realm| matches!(realm.scheme(), "http" | "https"))
            .ok_or_else(|| {
                failed(
                    &base.url,
                    Failure::Challenge("no realm in the challenge of the registry"),
                )
            })?;
        let server = transport.base_of(&realm).await;
        if base.url.scheme() == "https" && realm.scheme() == "http" && !server.insecure {
            return Err(failed(
                &base.url,
                Failure::Challenge("the registry's token server has no TLS"),
            ));
        }
        let service = challenge.get("service").unwrap_or_default();
        let key = key(&realm, service, request);
        if !request.fresh
            && !request.offline
            && let Some(header) = self.held(&key)
        {
            return Ok(Grant {
                header: Some(header),
                ..Grant::default()
            });
        }
        let outgoing = if request.credentials.identity_token.is_empty() {
            with_basic(realm.clone(), service, request)
        } else {
            with_refresh_token(realm.clone(), service, request)
        };
        let answer = fetch(transport, &server, outgoing).await?;
        let token = [answer.token, answer.access_token]
            .into_iter()
            .flatten()
            .find(|token| !token.is_empty())
            .ok_or_else(|| failed(&realm, Failure::NoToken))?;
        let header = bearer(&token);
        let life = Duration::from_secs(answer.expires_in.unwrap_or(0).max(LEAST_LIFE));
        self.hold(key, header.clone(), life - MARGIN);
        Ok(Grant {
            header: Some(header),
            refresh: answer.refresh_token.unwrap_or_default(),
        })
    }

    fn held(&self, key: &[u8; 32]) -> Option<Secret> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (header, until) = held.get(key)?;
        (Instant::now() < *until).then(|| header.clone())
    }

    fn hold(&self, key: [u8; 32], header: Secret, life: Duration) {
        let now = Instant::now();
        // A server may promise centuries; nobody needs more than a day.
        let until = now + life.min(Duration::from_secs(86_400));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (_, until)| now < *until);
        held.insert(key, (header, until));
    }
}

fn with_basic(mut url: Url, service: &str, request: &Request<'_>) -> Outgoing {
    let credentials = request.credentials;
    {
        let mut query = url.query_pairs_mut();
        if !service.is_empty() {
            query.append_pair("service", service);
        }
        for scope in request.scopes {
            query.append_pair("scope", scope);
        }
        if request.offline {
            query.append_pair("offline_token", "true");
            query.append_pair("client_id", CLIENT_ID);
        }
        if credentials.has_password() {
            query.append_pair("account", &credentials.username);
        }
    }
    let mut outgoing = Outgoing::get(url);
    if credentials.has_password() {
        outgoing.authorization = Some(credentials.basic());
    }
    outgoing
}

fn with_refresh_token(url: Url, service: &str, request: &Request<'_>) -> Outgoing {
    // The form encoding is that of a query.
    let mut form = url.clone();
    form.set_query(None);
    {
        let mut pairs = form.query_pairs_mut();
        pairs.append_pair("grant_type", "refresh_token");
        pairs.append_pair("service", service);
        pairs.append_pair("client_id", CLIENT_ID);
        if !request.scopes.is_empty() {
            pairs.append_pair("scope", &request.scopes.join(" "));
        }
        pairs.append_pair("refresh_token", request.credentials.identity_token.expose());
    }
    let body = form.query().unwrap_or_default().to_owned();
    let mut outgoing =
        Outgoing::new(Method::POST, url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    outgoing.body = Body::Bytes(Bytes::from(body));
    outgoing
}

async fn fetch(
    transport: &Transport,
    server: &Base,
    outgoing: Outgoing,
) -> Result<TokenAnswer, Error> {
    let url = outgoing.url.clone();
    let mut response = transport.send(server, outgoing).await?;
    if !response.status().is_success() {
        let refusal = transport.refusal(&mut response).await;
        return Err(failed(&url, Failure::Refused(refusal)));
    }
    let body = transport.body(&mut response, TOKEN_ANSWER, "token").await?;
    // serde's own error would quote the answer.
    serde_json::from_slice(&body)
        .map_err(|_| failed(&url, Failure::Malformed("no JSON from the token server")))
}

fn failed(url: &Url, failure: Failure) -> Error {
    Error::Request {
        method: "Get",
        url: crate::transport::redacted(url),
        failure,
    }
}

fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.expose()))
}

/// One token per server, service, scopes and person. Hashed, so that no
/// password lies about in a map's keys.
fn key(realm: &Url, service: &str, request: &Request<'_>) -> [u8; 32] {
    let credentials = request.credentials;
    let mut parts = vec![
        realm.as_str(),
        service,
        &credentials.username,
        credentials.password.expose(),
        credentials.identity_token.expose(),
    ];
    parts.extend(request.scopes.iter().map(String::as_str));
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
