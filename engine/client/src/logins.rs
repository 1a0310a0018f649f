//! Registry logins as hosts of a page offer them: which there are, a new one,
//! which the engine checks before it is kept, and the header by which a
//! request shows one.
//!
//! They are kept where the command line keeps them ([`credentials`]), read
//! anew each time, so that either sees what the other did. A secret comes in
//! once and goes to nobody but the engine.

use std::path::PathBuf;

use ::http::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::config::ConfigFile;
use crate::credentials::{self, Credentials, HUB};
use crate::error::Error;
use crate::http::Client;
use crate::request::Request;

/// The header in which a page names the registry whose login a request is to
/// show.
pub const REGISTRY: HeaderName = HeaderName::from_static("dhow-registry");

const AUTH: HeaderName = HeaderName::from_static("x-registry-auth");

/// The logins of one person.
pub struct Logins {
    folder: PathBuf,
    /// The file is read, changed and written by one at a time.
    changing: Mutex<()>,
}

/// A registry that somebody is logged in to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Login {
    /// `docker.io`, `localhost:5000`.
    pub server: String,
    /// Empty where only a token is kept.
    pub user: String,
    /// `file`, or the name of the helper that keeps it.
    pub store: String,
}

/// Why a login could not be listed, kept, forgotten or shown.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// A server that none can be called.
    #[error("{0:?} is no registry: a name is needed, with a port perhaps, like localhost:5000")]
    Server(String),
    /// Something is missing.
    #[error("a user and a password are needed")]
    Incomplete,
    /// The engine or the store said no.
    #[error(transparent)]
    Client(#[from] Error),
}

impl Logins {
    /// Those that are kept in `folder`, Docker's client configuration.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            changing: Mutex::default(),
        }
    }

    /// Which there are, by server.
    pub async fn list(&self) -> Result<Vec<Login>, LoginError> {
        let stored = credentials::stored(&self.config()?).await?;
        let mut logins: Vec<Login> = stored
            .into_iter()
            .map(|one| Login {
                server: name_of(&one.registry),
                user: one.username,
                store: one.helper.unwrap_or_else(|| "file".to_owned()),
            })
            .collect();
        logins.sort_by(|a, b| (&a.server, &a.store).cmp(&(&b.server, &b.store)));
        logins.dedup_by(|a, b| a.server == b.server);
        Ok(logins)
    }

    /// Keeps a login, once the engine behind `client` found that it is good.
    /// Answers what the engine said of it.
    pub async fn log_in(
        &self,
        client: &Client,
        server: &str,
        user: &str,
        secret: &str,
    ) -> Result<String, LoginError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        #[derive(Default)]
        struct Answer {
            status: String,
            identity_token: String,
        }
        let mut credentials = Credentials {
            username: user.to_owned(),
            password: secret.to_owned(),
            server_address: key(server)?,
            ..Credentials::default()
        };
        if user.is_empty() || secret.is_empty() {
            return Err(LoginError::Incomplete);
        }
        let question = Request::post("/auth").json(&credentials);
        let answer: Answer = client.json(question).await?;
        if !answer.identity_token.is_empty() {
            credentials.password.clear();
            credentials.identity_token = answer.identity_token;
        }
        let _one_at_a_time = self.changing.lock().await;
        credentials::store(&mut self.config()?, &credentials).await?;
        Ok(answer.status)
    }

    /// Forgets a login; one that there is not is no error.
    pub async fn log_out(&self, server: &str) -> Result<(), LoginError> {
        let key = key(server)?;
        let _one_at_a_time = self.changing.lock().await;
        credentials::erase(&mut self.config()?, &key).await?;
        Ok(())
    }

    /// Puts the login for the registry that `headers` name in that name's
    /// place. Where there is none, whatever the page itself shows stays.
    pub async fn show(&self, headers: &mut HeaderMap) -> Result<(), LoginError> {
        let Some(named) = headers.remove(REGISTRY) else {
            return Ok(());
        };
        let server = String::from_utf8_lossy(named.as_bytes()).into_owned();
        let found = credentials::lookup(&self.config()?, &key(&server)?).await?;
        // What is encoded is always a header's value.
        if let (false, Ok(mut value)) = (found.is_empty(), HeaderValue::try_from(found.header())) {
            value.set_sensitive(true);
            headers.insert(AUTH, value);
        }
        Ok(())
    }

    fn config(&self) -> Result<ConfigFile, Error> {
        ConfigFile::load(&self.folder)
    }
}

/// The key of a server that a page names.
fn key(server: &str) -> Result<String, LoginError> {
    let key = credentials::key_of(server.trim());
    let odd =
        |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if server.trim().is_empty() || (key != HUB && key.contains(odd)) {
        return Err(LoginError::Server(server.to_owned()));
    }
    Ok(key)
}

/// How people call the registry under a key.
fn name_of(key: &str) -> String {
    match credentials::key_of(key).as_str() {
        HUB => "docker.io".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn logins(text: &str) -> (Logins, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        (Logins::in_folder(folder.path().to_owned()), folder)
    }

    /// `me:secret` at Hub and at a registry.
    const TWO: &str = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6c2VjcmV0"},
        "localhost:5000":{"auth":"bWU6c2VjcmV0"}}}"#;

    #[test]
    fn they_are_listed_by_the_names_that_people_use() {
        let (logins, _folder) = logins(TWO);
        let login = |server: &str| Login {
            server: server.to_owned(),
            user: "me".to_owned(),
            store: "file".to_owned(),
        };
        let expected = [login("docker.io"), login("localhost:5000")];
        assert_eq!(run(logins.list()).unwrap(), expected);
        run(logins.log_out("docker.io")).unwrap();
        run(logins.log_out("nowhere.example")).unwrap();
        assert_eq!(run(logins.list()).unwrap(), expected[1..]);
    }

    #[track_caller]
    fn shows(logins: &Logins, named: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(REGISTRY, named.parse().unwrap());
        run(logins.show(&mut headers)).unwrap();
        assert!(!headers.contains_key(REGISTRY));
        let user = headers.get(AUTH).map(|value| {
            use base64::Engine as _;
            assert!(value.is_sensitive());
            let bytes = base64::engine::general_purpose::URL_SAFE.decode(value);
            let found: Credentials = serde_json::from_slice(&bytes.unwrap()).unwrap();
            assert_eq!(found.password, "secret");
            found.server_address
        });
        assert_eq!(user.as_deref(), expected, "{named}");
    }

    #[test]
    fn a_request_shows_the_login_of_the_registry_that_it_names() {
        let (logins, _folder) = logins(TWO);
        shows(&logins, "docker.io", Some(HUB));
        shows(&logins, "localhost:5000", Some("localhost:5000"));
        shows(&logins, "localhost:5001", None);
        let mut headers = HeaderMap::new();
        headers.insert(AUTH, "e30=".parse().unwrap());
        run(logins.show(&mut headers)).unwrap();
        assert_eq!(
            headers[AUTH], "e30=",
            "what names no registry is left alone"
        );
        headers.insert(REGISTRY, "a b".parse().unwrap());
        assert!(run(logins.show(&mut headers)).is_err());
    }

    #[test]
    fn what_is_no_registry_is_refused() {
        for server in ["", " ", "a b", "a\nb", "a\"b", "r\u{e9}.example"] {
            assert!(key(server).is_err(), "{server:?}");
        }
        for server in [
            "docker.io",
            "[::1]:5000",
            "https://r.example/v2/",
            " r.example ",
        ] {
            assert!(key(server).is_ok(), "{server:?}");
        }
    }
}
