//! Registry credentials: looked up, stored and erased in the configuration
//! file or through a `docker-credential-…` helper program, and put into the
//! header the engine expects.
//!
//! A secret never appears in an error or a `Debug` text.

use std::collections::BTreeMap;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::config::ConfigFile;
use crate::error::Error;

/// The key under which Docker Hub's credentials are kept.
pub const HUB: &str = "https://index.docker.io/v1/";

/// What a registry is shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Credentials {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// A token that stands for user and password.
    #[serde(rename = "identitytoken", skip_serializing_if = "String::is_empty")]
    pub identity_token: String,
    /// A token for the registry itself.
    #[serde(rename = "registrytoken", skip_serializing_if = "String::is_empty")]
    pub registry_token: String,
    #[serde(rename = "serveraddress", skip_serializing_if = "String::is_empty")]
    pub server_address: String,
}

impl Credentials {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.username.is_empty()
            && self.password.is_empty()
            && self.identity_token.is_empty()
            && self.registry_token.is_empty()
    }

    /// The value of `X-Registry-Auth`.
    pub fn header(&self) -> String {
        // A struct of strings always serialises.
        let json = serde_json::to_vec(self).unwrap_or_default();
        URL_SAFE.encode(json)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("server_address", &self.server_address)
            .finish_non_exhaustive()
    }
}

/// The key under which the credentials of a reference's domain are kept.
pub fn registry_key(domain: &str) -> &str {
    match domain {
        "" | "docker.io" | "index.docker.io" | "registry-1.docker.io" => HUB,
        other => other,
    }
}

/// The key for a server as a person writes it: with a scheme or a path, or as
/// one of the names of Docker Hub.
pub fn key_of(server: &str) -> String {
    registry_key(host(server)).to_owned()
}

/// An entry of the store, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The key under which it is kept.
    pub registry: String,
    /// The user; empty where only a token is kept.
    pub username: String,
    /// The helper that keeps it, if the file itself does not.
    pub helper: Option<String>,
}

/// Every entry there is. Helpers are asked for their lists, never for secrets,
/// which some of them would fetch from elsewhere.
pub async fn stored(config: &ConfigFile) -> Result<Vec<Stored>, Error> {
    let mut found = Vec::new();
    for (registry, _) in config.auths() {
        let entry = from_file(config, registry).unwrap_or_default();
        if config.credential_helper(registry).is_none() && !entry.is_empty() {
            found.push(Stored {
                registry: registry.to_owned(),
                username: entry.username,
                helper: None,
            });
        }
    }
    for helper in config.credential_helpers() {
        let output = helper_call(helper, "list", "").await?;
        let listed: BTreeMap<String, String> =
            serde_json::from_slice(&output).map_err(|_| nonsense(helper))?;
        for (registry, username) in listed {
            // Hub's tokens lie beside its entry, in entries of their own.
            let of_hub = registry.len() > HUB.len() && registry.starts_with(HUB);
            if of_hub || config.credential_helper(&registry) != Some(helper) {
                continue;
            }
            found.push(Stored {
                registry,
                username: if username == TOKEN_USER {
                    String::new()
                } else {
                    username
                },
                helper: Some(helper.to_owned()),
            });
        }
    }
    Ok(found)
}

/// What is stored for `registry`; empty where nothing is.
pub async fn lookup(config: &ConfigFile, registry: &str) -> Result<Credentials, Error> {
    let mut found = match config.credential_helper(registry) {
        Some(helper) => from_helper(helper, registry).await?.unwrap_or_default(),
        None => from_file(config, registry).unwrap_or_default(),
    };
    found.server_address = registry.to_owned();
    Ok(found)
}

/// Every credential, for commands that send them all.
pub async fn all(config: &ConfigFile) -> Result<Vec<(String, Credentials)>, Error> {
    let mut found = Vec::new();
    let names: Vec<String> = config.auths().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let credentials = lookup(config, &name).await?;
        if !credentials.is_empty() {
            found.push((name, credentials));
        }
    }
    Ok(found)
}

/// Keeps `credentials`, in the helper where one is configured.
pub async fn store(config: &mut ConfigFile, credentials: &Credentials) -> Result<(), Error> {
    let registry = credentials.server_address.clone();
    if let Some(helper) = config.credential_helper(&registry).map(str::to_owned) {
        let (username, secret) = if credentials.identity_token.is_empty() {
            (credentials.username.as_str(), &credentials.password)
        } else {
            (TOKEN_USER, &credentials.identity_token)
        };
        let entry = json!({"ServerURL": registry, "Username": username, "Secret": secret});
        helper_call(&helper, "store", &entry.to_string()).await?;
        // The empty entry is how other clients know that a helper has one.
        config.set_auth(&registry, Some(json!({})));
        return config.save();
    }
    let joined = format!("{}:{}", credentials.username, credentials.password);
    let mut entry = serde_json::Map::new();
    if !credentials.username.is_empty() || !credentials.password.is_empty() {
        entry.insert("auth".into(), STANDARD.encode(joined).into());
    }
    if !credentials.identity_token.is_empty() {
        entry.insert(
            "identitytoken".into(),
            credentials.identity_token.clone().into(),
        );
    }
    config.set_auth(&registry, Some(entry.into()));
    config.save()
}

/// Forgets what is stored for `registry`. Answers whether anything was.
pub async fn erase(config: &mut ConfigFile, registry: &str) -> Result<bool, Error> {
    let known = config.auths().any(|(name, _)| same_host(name, registry));
    if let Some(helper) = config.credential_helper(registry).map(str::to_owned) {
        match helper_call(&helper, "erase", registry).await {
            Ok(_) => {}
            Err(Error::CredentialHelper { message, .. }) if absent(&message) => {}
            Err(error) => return Err(error),
        }
    }
    let names: Vec<String> = config
        .auths()
        .map(|(name, _)| name.to_owned())
        .filter(|name| same_host(name, registry))
        .collect();
    for name in &names {
        config.set_auth(name, None);
    }
    if !names.is_empty() {
        config.save()?;
    }
    Ok(known)
}

const TOKEN_USER: &str = "<token>";

fn from_file(config: &ConfigFile, registry: &str) -> Option<Credentials> {
    let entry = config
        .auths()
        .find(|(name, _)| *name == registry)
        .or_else(|| config.auths().find(|(name, _)| same_host(name, registry)))?
        .1;
    let text = |key: &str| entry.get(key).and_then(|v| v.as_str()).unwrap_or_default();
    let mut credentials = Credentials {
        username: text("username").to_owned(),
        password: text("password").to_owned(),
        identity_token: text("identitytoken").to_owned(),
        registry_token: text("registrytoken").to_owned(),
        server_address: String::new(),
    };
    if let Some((username, password)) = decode(text("auth")) {
        credentials.username = username;
        credentials.password = password;
    }
    Some(credentials)
}

fn decode(auth: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(auth).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    Some((
        username.to_owned(),
        password.trim_end_matches('\0').to_owned(),
    ))
}

/// Older clients wrote `https://host/v1/`: the host is what counts.
fn same_host(left: &str, right: &str) -> bool {
    host(left) == host(right)
}

fn host(text: &str) -> &str {
    let text = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or(text);
    text.split('/').next().unwrap_or_default()
}

async fn from_helper(helper: &str, registry: &str) -> Result<Option<Credentials>, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: String,
    }
    let output = match helper_call(helper, "get", registry).await {
        Ok(output) => output,
        Err(Error::CredentialHelper { message, .. }) if absent(&message) => return Ok(None),
        Err(error) => return Err(error),
    };
    let answer: Answer = serde_json::from_slice(&output).map_err(|_| nonsense(helper))?;
    Ok(Some(if answer.username == TOKEN_USER {
        Credentials {
            identity_token: answer.secret,
            ..Credentials::default()
        }
    } else {
        Credentials {
            username: answer.username,
            password: answer.secret,
            ..Credentials::default()
        }
    }))
}

/// How helpers say that they have nothing (there is no exit code for it).
fn absent(message: &str) -> bool {
    message.contains("credentials not found")
}

fn nonsense(helper: &str) -> Error {
    Error::CredentialHelper {
        program: program(helper),
        message: "its answer is not what the protocol says".to_owned(),
    }
}

fn program(helper: &str) -> String {
    format!("docker-credential-{helper}")
}

async fn helper_call(helper: &str, verb: &str, input: &str) -> Result<Vec<u8>, Error> {
    let program = program(helper);
    let failed = |message: String| Error::CredentialHelper {
        program: program.clone(),
        message,
    };
    let mut child = Command::new(&program)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input says why by its exit status.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output = child
        .wait_with_output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    // Only what a failed call printed is shown: it holds no secret.
    Err(failed(
        String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> (ConfigFile, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.json"), text).unwrap();
        (ConfigFile::load(directory.path()).unwrap(), directory)
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn an_entry_is_found_by_its_host() {
        let (config, _directory) =
            config(r#"{"auths":{"https://r.example:5000/v2/":{"auth":"bWU6c2VjOnJldA=="}}}"#);
        let found = run(lookup(&config, "r.example:5000")).unwrap();
        assert_eq!(found.username, "me");
        assert_eq!(found.password, "sec:ret");
        assert_eq!(found.server_address, "r.example:5000");
        assert!(!format!("{found:?}").contains("ret\""));
    }

    #[test]
    fn what_is_stored_is_found_and_what_is_erased_is_not() {
        let (mut config, _directory) = config("{}");
        let mine = Credentials {
            username: "me".into(),
            password: "p".into(),
            server_address: "r".into(),
            ..Credentials::default()
        };
        run(store(&mut config, &mine)).unwrap();
        assert_eq!(run(lookup(&config, "r")).unwrap(), mine);
        assert!(run(erase(&mut config, "r")).unwrap());
        assert!(run(lookup(&config, "r")).unwrap().is_empty());
        assert!(!run(erase(&mut config, "r")).unwrap());
    }

    #[test]
    fn servers_are_known_by_their_host() {
        for hub in ["docker.io", "index.docker.io", HUB, ""] {
            assert_eq!(key_of(hub), HUB, "{hub}");
        }
        assert_eq!(key_of("https://r.example:5000/v2/"), "r.example:5000");
    }

    #[test]
    fn entries_are_listed_without_secrets() {
        let (config, _directory) = config(
            r#"{"auths":{"r":{"auth":"bWU6c2VjOnJldA=="},"empty":{},"t":{"identitytoken":"x"}}}"#,
        );
        let found = run(stored(&config)).unwrap();
        let seen: Vec<_> = found
            .iter()
            .map(|one| (one.registry.as_str(), one.username.as_str()))
            .collect();
        assert_eq!(seen, [("r", "me"), ("t", "")]);
        assert!(found.iter().all(|one| one.helper.is_none()));
    }

    #[test]
    fn a_helper_that_is_not_there_is_named() {
        let (config, _directory) = config(r#"{"credsStore":"of-nobody"}"#);
        let error = run(lookup(&config, "r")).unwrap_err().to_string();
        assert!(error.contains("docker-credential-of-nobody"), "{error}");
    }

    #[test]
    fn the_header_is_url_safe_json() {
        let mine = Credentials {
            username: "me??".into(),
            password: "~~~>".into(),
            ..Credentials::default()
        };
        let bytes = URL_SAFE.decode(mine.header()).unwrap();
        assert_eq!(serde_json::from_slice::<Credentials>(&bytes).unwrap(), mine);
    }
}
