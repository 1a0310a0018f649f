//! One repository as one operation sees it: its endpoints, the connection to
//! each, and authenticated requests with a fallback from mirror to registry.

use std::sync::Arc;

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use reqwest::{Response, Url};
use tokio::sync::{Mutex, OnceCell};

use crate::auth::{self, Tokens};
use crate::blob::jittered;
use crate::challenge::{Challenge, challenges};
use crate::credentials::Credentials;
use crate::endpoint::{Base, Endpoint};
use crate::error::Error;
use crate::repository::{Repository, Target};
use crate::secret::Secret;
use crate::transport::{Body, Outgoing, Transport, redacted};

/// What an operation means to do, and so which scope it asks a token for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading, also from mirrors.
    Pull,
    /// Reading and writing.
    Push,
}

/// Tries of a short request, the first among them.
const HICCUPS: u32 = 3;

/// A repository of a registry. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Remote {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Arc<Transport>,
    tokens: Arc<Tokens>,
    repository: Repository,
    credentials: Credentials,
    access: Access,
    sources: Vec<Source>,
}

/// An endpoint and, once it was reached, how.
struct Source {
    endpoint: Endpoint,
    session: OnceCell<Session>,
}

struct Session {
    base: Base,
    /// What the server last wanted. Locked while a token is fetched, so that
    /// ten layers starting at once ask for one token.
    challenges: Mutex<Vec<Challenge>>,
}

impl Remote {
    pub(crate) fn new(
        transport: Arc<Transport>,
        tokens: Arc<Tokens>,
        repository: Repository,
        credentials: Credentials,
        access: Access,
        endpoints: Vec<Endpoint>,
    ) -> Self {
        let sources = endpoints
            .into_iter()
            .map(|endpoint| Source {
                endpoint,
                session: OnceCell::new(),
            })
            .collect();
        Self {
            shared: Arc::new(Shared {
                transport,
                tokens,
                repository,
                credentials,
                access,
                sources,
            }),
        }
    }

    /// Which repository this is.
    pub fn repository(&self) -> &Repository {
        &self.shared.repository
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    /// How many endpoints there are; the last is the registry itself.
    pub(crate) fn sources(&self) -> usize {
        self.shared.sources.len()
    }

    /// Tries `attempt` on each endpoint in turn, until one succeeds. The error
    /// is that of the last, which is the registry itself and gets more than one
    /// try where its failure looks like a hiccup.
    pub(crate) async fn each<T, F>(&self, attempt: impl Fn(usize) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let last = self.sources() - 1;
        for source in 0..last {
            match attempt(source).await {
                Ok(value) => return Ok(value),
                Err(error) => {
                    let mirror = &self.shared.sources[source].endpoint.bases[0].host;
                    tracing::info!(
                        mirror,
                        error = dhow_model::error::chain(&error),
                        "mirror failed, trying the next endpoint"
                    );
                }
            }
        }
        let retry = &self.transport().config().retry;
        let mut tries = 1;
        loop {
            match attempt(last).await {
                Err(error) if error.is_hiccup() && tries < retry.attempts.min(HICCUPS) => {
                    tokio::time::sleep(jittered(retry.base * tries)).await;
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    /// Sends what `build` makes of the address `path` (after `/v2/`) to the
    /// endpoint `source`, authenticated.
    pub(crate) async fn call(
        &self,
        source: usize,
        path: &str,
        build: impl Fn(Url) -> Outgoing,
    ) -> Result<Response, Error> {
        let session = self.session(source).await?;
        let url = session
            .base
            .url
            .join(&format!("v2/{path}"))
            .map_err(|_| Error::InvalidHost(session.base.host.clone()))?;
        self.call_url(source, || build(url.clone()), &[]).await
    }

    /// Like [`Self::call`] for an address the registry gave. `more` are scopes
    /// beyond the repository's own.
    pub(crate) async fn call_url(
        &self,
        source: usize,
        build: impl Fn() -> Outgoing,
        more: &[String],
    ) -> Result<Response, Error> {
        let session = self.session(source).await?;
        let mut scopes = vec![self.scope()];
        scopes.extend_from_slice(more);
        let mut outgoing = build();
        let (header, known) = self
            .authorize(source, session, &scopes, None, &outgoing)
            .await?;
        outgoing.authorization = header.clone();
        let once = matches!(outgoing.body, Body::Stream { .. });
        let response = self.transport().send(&session.base, outgoing).await?;
        // One more attempt, if the answer may change: a token can run out, or
        // the server asks only now.
        if response.status() != StatusCode::UNAUTHORIZED
            || once
            || !response.headers().contains_key(WWW_AUTHENTICATE)
            || (known && !is_bearer(header.as_ref()))
        {
            return Ok(response);
        }
        let asked = challenges(response.headers());
        for challenge in &asked {
            let wanted = challenge.get("scope").unwrap_or_default();
            for scope in wanted.split_ascii_whitespace() {
                merge_scope(&mut scopes, scope);
            }
        }
        drop(response);
        let mut outgoing = build();
        let (header, _) = self
            .authorize(source, session, &scopes, Some(asked), &outgoing)
            .await?;
        outgoing.authorization = header;
        self.transport().send(&session.base, outgoing).await
    }

    /// The header for the next request, and whether the server was known to
    /// want one. `asked` are new challenges, after a refusal.
    async fn authorize(
        &self,
        source: usize,
        session: &Session,
        scopes: &[String],
        asked: Option<Vec<Challenge>>,
        outgoing: &Outgoing,
    ) -> Result<(Option<Secret>, bool), Error> {
        let nobody = Credentials::default();
        let shared = &self.shared;
        // A mirror is another host than the one the credentials are for.
        let credentials = if shared.sources[source].endpoint.mirror {
            &nobody
        } else {
            &shared.credentials
        };
        let mut current = session.challenges.lock().await;
        let fresh = asked.is_some();
        if let Some(asked) = asked {
            *current = asked;
        }
        let request = auth::Request {
            challenges: &current,
            base: &session.base,
            credentials,
            scopes,
            fresh,
            offline: false,
        };
        let granted = shared.tokens.authorize(&shared.transport, &request).await;
        let known = !current.is_empty();
        match granted {
            Ok(grant) => Ok((grant.header, known)),
            // Docker names the request that could not be made, not the one to
            // the token server.
            Err(Error::Request { failure, .. }) if !failure.is_transport() => Err(Error::Request {
                method: outgoing.go_method(),
                url: redacted(&outgoing.url),
                failure,
            }),
            Err(error) => Err(error),
        }
    }

    /// The connection to endpoint `source`, made on first use: the first base
    /// address that speaks HTTP is it.
    async fn session(&self, source: usize) -> Result<&Session, Error> {
        let source = &self.shared.sources[source];
        source
            .session
            .get_or_try_init(|| async {
                let (base, challenges) = ping(&self.shared.transport, &source.endpoint).await?;
                Ok(Session {
                    base,
                    challenges: Mutex::new(challenges),
                })
            })
            .await
    }

    /// The address at which endpoint `source` is spoken to.
    pub(crate) async fn base(&self, source: usize) -> Result<&Base, Error> {
        Ok(&self.session(source).await?.base)
    }

    fn scope(&self) -> String {
        let actions = match self.shared.access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        format!("repository:{}:{actions}", self.shared.repository.path())
    }

    /// Says of a refusal what it means for `target`, as Docker does.
    pub(crate) fn pull_error(&self, error: Error, target: &Target) -> Error {
        let refusal = match error {
            Error::Refused(refusal) => refusal,
            other => return other,
        };
        let repository = &self.shared.repository;
        match refusal.code() {
            Some("DENIED") => Error::PullDenied {
                name: repository.familiar(),
                refusal: refusal.first(),
            },
            Some("MANIFEST_UNKNOWN") => Error::ManifestUnknown {
                reference: repository.familiar_with(target),
                refusal: refusal.first(),
            },
            Some("NAME_UNKNOWN") => Error::NameUnknown {
                name: repository.familiar(),
                refusal: refusal.first(),
            },
            _ => Error::Refused(refusal),
        }
    }
}

/// Asks each base address of `endpoint` for `/v2/`. Only where nothing speaks
/// HTTP is the next one tried: an insecure registry with TLS stays with TLS.
pub(crate) async fn ping(
    transport: &Transport,
    endpoint: &Endpoint,
) -> Result<(Base, Vec<Challenge>), Error> {
    let mut last = None;
    for base in &endpoint.bases {
        let url = base
            .url
            .join("v2/")
            .map_err(|_| Error::InvalidHost(base.host.clone()))?;
        match transport.send(base, Outgoing::get(url)).await {
            Ok(response) => {
                let challenges = match response.status() {
                    StatusCode::UNAUTHORIZED => challenges(response.headers()),
                    _ => Vec::new(),
                };
                return Ok((base.clone(), challenges));
            }
            Err(error) if error.is_transport() => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| Error::InvalidHost(String::new())))
}

/// Adds `scope` to `scopes`. Actions on what is there already are joined with
/// its own in a settled order, so that tokens are found again.
fn merge_scope(scopes: &mut Vec<String>, scope: &str) {
    let Some((resource, actions)) = scope.rsplit_once(':') else {
        return;
    };
    let same = scopes.iter_mut().find(|known| {
        known
            .rsplit_once(':')
            .is_some_and(|(known, _)| known == resource)
    });
    let Some(known) = same else {
        scopes.push(scope.to_owned());
        return;
    };
    let mut all: Vec<&str> = known[resource.len() + 1..]
        .split(',')
        .chain(actions.split(','))
        .collect();
    all.sort_unstable();
    all.dedup();
    *known = format!("{resource}:{}", all.join(","));
}

fn is_bearer(header: Option<&Secret>) -> bool {
    header.is_some_and(|header| header.expose().starts_with("Bearer "))
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote")
            .field("repository", &self.shared.repository)
            .field("access", &self.shared.access)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::merge_scope;

    #[test]
    fn scopes_are_joined_by_resource() {
        let mut scopes = vec!["repository:a/b:pull".to_owned()];
        for scope in [
            "repository:a/b:push,pull",
            "repository:a/b:pull",
            "repository:c:pull",
            "nonsense",
        ] {
            merge_scope(&mut scopes, scope);
        }
        assert_eq!(scopes, ["repository:a/b:pull,push", "repository:c:pull"]);
    }
}
