//! Searching an index, by the first version of the registry protocol: no later
//! one has a search. Filters are the caller's business.

use reqwest::Url;
use serde::Deserialize;

use crate::client::Registry;
use crate::credentials::Credentials;
use crate::endpoint::Base;
use crate::error::Error;
use crate::failure::Failure;
use crate::repository::HUB;
use crate::transport::{Outgoing, redacted};

/// What an index found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SearchAnswer {
    /// How many there are altogether.
    pub num_results: i64,
    /// The first of them, best first.
    pub results: Vec<SearchItem>,
}

/// One repository found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SearchItem {
    /// Its name, without the Hub's domain.
    pub name: String,
    /// One line by its owner.
    pub description: String,
    /// How many people like it.
    pub star_count: i64,
    /// One of Docker's own.
    pub is_official: bool,
    /// Built by the Hub; always false nowadays.
    pub is_automated: bool,
}

const LIMIT: u64 = 8 * 1024 * 1024;
/// How many results come if the caller doesn't say.
const DEFAULT: i64 = 25;

impl Registry {
    /// Searches for `term`: a word, or `host/word` for another index than the
    /// Hub's. `limit` is between 1 and 100.
    pub async fn search(
        &self,
        term: &str,
        limit: Option<i64>,
        credentials: &Credentials,
    ) -> Result<SearchAnswer, Error> {
        if term.contains("://") {
            return Err(Error::SearchTerm);
        }
        let limit = limit.unwrap_or(DEFAULT);
        if !(1..=100).contains(&limit) {
            return Err(Error::SearchLimit(limit));
        }
        let (domain, word) = split(term);
        let transport = self.transport();
        let mut last = None;
        for base in self.index_bases(domain).await? {
            let mut url = base
                .url
                .join("search")
                .map_err(|_| Error::InvalidHost(base.host.clone()))?;
            url.query_pairs_mut()
                .append_pair("q", word)
                .append_pair("n", &limit.to_string());
            let mut outgoing = Outgoing::get(url.clone());
            if credentials.has_password() {
                outgoing.authorization = Some(credentials.basic());
            }
            let mut response = match transport.send(&base, outgoing).await {
                Ok(response) => response,
                Err(error) if error.is_transport() => {
                    last = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !response.status().is_success() {
                return Err(Error::SearchStatus(response.status().as_u16()));
            }
            let body = transport
                .body(&mut response, LIMIT, "search result")
                .await?;
            return serde_json::from_slice(&body).map_err(|_| Error::Request {
                method: "Get",
                url: redacted(&url),
                failure: Failure::Malformed("no search result"),
            });
        }
        Err(last.unwrap_or_else(|| Error::InvalidHost(domain.to_owned())))
    }

    async fn index_bases(&self, domain: &str) -> Result<Vec<Base>, Error> {
        if domain == HUB {
            let index = self.config().hub_index;
            let url = Url::parse(&index).map_err(|_| Error::InvalidHost(index))?;
            let transport = self.transport();
            return Ok(vec![transport.base_of(&url).await]);
        }
        let mut bases = self.upstream(domain).await?.bases;
        for base in &mut bases {
            base.url = base
                .url
                .join("v1/")
                .map_err(|_| Error::InvalidHost(base.host.clone()))?;
        }
        Ok(bases)
    }
}

/// The index and the word. What comes before the first slash is an index if it
/// looks like a host.
fn split(term: &str) -> (&str, &str) {
    match term.split_once('/') {
        Some((HUB | "index.docker.io", word)) => {
            (HUB, word.strip_prefix("library/").unwrap_or(word))
        }
        Some((host, word)) if host.contains(['.', ':']) || host == "localhost" => (host, word),
        _ => (HUB, term.strip_prefix("library/").unwrap_or(term)),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn terms_name_their_index() {
        let check = |term, expected| assert_eq!(split(term), expected);
        check("busybox", ("docker.io", "busybox"));
        check("library/busybox", ("docker.io", "busybox"));
        check("user/app", ("docker.io", "user/app"));
        check("docker.io/library/x", ("docker.io", "x"));
        check("localhost/x", ("localhost", "x"));
        check("host:5000/a/b", ("host:5000", "a/b"));
    }
}
