//! Which engine is meant: flags first, then environment, then the current
//! context, then the sockets an engine usually listens on.
//!
//! The environment is an argument ([`Environment`]), so that the choice can be
//! tested; only [`Environment::of_process`] and the existence of sockets and
//! context files are looked up in the world.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::ConfigFile;
use crate::context::{self, Store};
use crate::endpoint::{Endpoint, TlsFiles};
use crate::error::Error;

/// What the caller said on the command line.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Every `-H`.
    pub hosts: Vec<String>,
    /// `--context`.
    pub context: Option<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--tls`.
    pub tls: bool,
    /// `--tlsverify`, where given.
    pub tls_verify: Option<bool>,
    /// `--tlscacert`.
    pub tls_ca: Option<PathBuf>,
    /// `--tlscert`.
    pub tls_cert: Option<PathBuf>,
    /// `--tlskey`.
    pub tls_key: Option<PathBuf>,
}

/// The parts of a process's surroundings that decide.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// Dhow's own configuration directory.
    pub own_config: Option<PathBuf>,
    /// Sockets to try, best first.
    pub sockets: Vec<PathBuf>,
}

/// The engine that was chosen.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The context's name; `default` unless one was chosen.
    pub context: String,
    /// The client's configuration file.
    pub config: ConfigFile,
    /// The API version the environment insists on.
    pub pinned_version: Option<String>,
}

impl Environment {
    /// The surroundings of this process.
    pub fn of_process() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let directories = directories::BaseDirs::new();
        let home = directories.as_ref().map(|d| d.home_dir().to_owned());
        let own_config = directories::ProjectDirs::from("", "", "dhow")
            .map(|directories| directories.config_dir().to_owned());
        let sockets = sockets(variables.get("XDG_RUNTIME_DIR"), home.as_deref());
        Self {
            variables,
            home,
            own_config,
            sockets,
        }
    }

    /// A variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The directory of Docker's client configuration.
    pub fn docker_config(&self, choice: &Choice) -> PathBuf {
        choice
            .config
            .clone()
            .or_else(|| self.variable("DOCKER_CONFIG").map(PathBuf::from))
            .unwrap_or_else(|| self.home.clone().unwrap_or_default().join(".docker"))
    }

    /// The host the environment names, ours before Docker's.
    pub fn host(&self) -> Option<&str> {
        self.variable("DHOW_HOST")
            .or_else(|| self.variable("DOCKER_HOST"))
    }
}

/// Decides which engine is meant.
pub fn discover(choice: &Choice, environment: &Environment) -> Result<Target, Error> {
    let config = ConfigFile::load(&environment.docker_config(choice))?;
    let context = context_name(choice, environment, &config)?;
    let endpoint = if context == context::DEFAULT {
        default_endpoint(choice, environment, config.directory())?
    } else {
        let store = Store::under(config.directory());
        store
            .endpoint(&context)?
            .unwrap_or_else(|| Endpoint::Unix(usual_socket(&environment.sockets)))
    };
    Ok(Target {
        endpoint,
        context,
        config,
        pinned_version: environment
            .variable("DOCKER_API_VERSION")
            .map(str::to_owned),
    })
}

/// The name of the context in force.
pub fn context_name(
    choice: &Choice,
    environment: &Environment,
    config: &ConfigFile,
) -> Result<String, Error> {
    if let Some(context) = &choice.context {
        if !choice.hosts.is_empty() {
            return Err(Error::HostAndContext);
        }
        return Ok(context.clone());
    }
    if !choice.hosts.is_empty() || environment.host().is_some() {
        return Ok(context::DEFAULT.to_owned());
    }
    Ok(environment
        .variable("DHOW_CONTEXT")
        .or_else(|| environment.variable("DOCKER_CONTEXT"))
        .map(str::to_owned)
        .or_else(|| own_current_context(environment))
        .or_else(|| config.text("currentContext").map(str::to_owned))
        .unwrap_or_else(|| context::DEFAULT.to_owned()))
}

/// The context that `dhow context use` chose: kept apart from Docker's own
/// choice, so that neither client changes what the other talks to.
pub fn own_current_context(environment: &Environment) -> Option<String> {
    let file = ConfigFile::load(environment.own_config.as_deref()?).ok()?;
    file.text("currentContext").map(str::to_owned)
}

/// The endpoint of the context `default`.
pub fn default_endpoint(
    choice: &Choice,
    environment: &Environment,
    config: &Path,
) -> Result<Endpoint, Error> {
    let host = match choice.hosts.as_slice() {
        [] => environment.host(),
        [host] => Some(host.as_str()),
        _ => return Err(Error::SeveralHosts),
    };
    let Some(host) = host else {
        return Ok(Endpoint::Unix(usual_socket(&environment.sockets)));
    };
    let endpoint: Endpoint = host.parse()?;
    Ok(match tls(choice, environment, config) {
        Some(files) => endpoint.with_tls(files),
        None => endpoint,
    })
}

fn usual_socket(sockets: &[PathBuf]) -> PathBuf {
    sockets
        .iter()
        .find(|path| path.exists())
        .or_else(|| sockets.first())
        .cloned()
        .unwrap_or_else(|| PathBuf::from(SYSTEM_SOCKET))
}

const SYSTEM_SOCKET: &str = "/run/dhow.sock";

fn sockets(runtime_directory: Option<&String>, home: Option<&Path>) -> Vec<PathBuf> {
    let mut sockets = vec![PathBuf::from(SYSTEM_SOCKET)];
    sockets.extend(runtime_directory.map(|directory| Path::new(directory).join("dhow.sock")));
    sockets.extend(home.map(|home| home.join(".dhow/run/dhow.sock")));
    sockets
}

fn tls(choice: &Choice, environment: &Environment, config: &Path) -> Option<TlsFiles> {
    let verify = choice
        .tls_verify
        .unwrap_or_else(|| environment.variable("DOCKER_TLS_VERIFY").is_some());
    // Whoever says that nothing is to be verified speaks of TLS all the same.
    let spoken_of = choice.tls || choice.tls_verify.is_some();
    let wanted = spoken_of || verify || environment.variable("DOCKER_TLS").is_some();
    if !wanted {
        return None;
    }
    let directory = environment
        .variable("DOCKER_CERT_PATH")
        .map_or_else(|| config.to_owned(), PathBuf::from);
    // A file the person named must be there; one of the usual names may not.
    let file = |named: &Option<PathBuf>, usual: &str| {
        named
            .clone()
            .or_else(|| Some(directory.join(usual)).filter(|path| path.exists()))
    };
    Some(TlsFiles {
        ca: file(&choice.tls_ca, "ca.pem"),
        cert: file(&choice.tls_cert, "cert.pem"),
        key: file(&choice.tls_key, "key.pem"),
        skip_verify: !verify,
        server_name: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> (Environment, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment {
            variables: variables
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            home: Some(home.path().to_owned()),
            own_config: Some(home.path().join("own")),
            sockets: vec!["/nowhere/dhow.sock".into(), "/nowhere/else.sock".into()],
        };
        (environment, home)
    }

    #[track_caller]
    fn check(choice: Choice, variables: &[(&str, &str)], expected: &str) {
        let (environment, _home) = environment(variables);
        let target = discover(&choice, &environment).unwrap();
        assert_eq!(target.endpoint.to_string(), expected);
    }

    fn host(text: &str) -> Choice {
        Choice {
            hosts: vec![text.to_owned()],
            ..Choice::default()
        }
    }

    #[test]
    fn flags_come_before_environment_and_environment_before_defaults() {
        let variables = [("DOCKER_HOST", "tcp://d:1"), ("DHOW_HOST", "tcp://o:1")];
        check(host("tcp://f:1"), &variables, "tcp://f:1");
        check(Choice::default(), &variables, "tcp://o:1");
        check(Choice::default(), &variables[..1], "tcp://d:1");
        check(Choice::default(), &[], "unix:///nowhere/dhow.sock");
        check(
            Choice::default(),
            &[("DOCKER_HOST", "")],
            "unix:///nowhere/dhow.sock",
        );
    }

    #[test]
    fn the_first_socket_that_exists_is_taken() {
        let (mut environment, home) = environment(&[]);
        let socket = home.path().join("dhow.sock");
        std::fs::write(&socket, "").unwrap();
        environment.sockets.push(socket.clone());
        let target = discover(&Choice::default(), &environment).unwrap();
        assert_eq!(target.endpoint, Endpoint::Unix(socket));
    }

    #[test]
    fn tls_is_asked_for_by_flag_or_environment() {
        let (environment, home) = environment(&[("DOCKER_TLS_VERIFY", "1")]);
        std::fs::create_dir(home.path().join(".docker")).unwrap();
        std::fs::write(home.path().join(".docker/ca.pem"), "").unwrap();
        let target = discover(&host("tcp://f:1"), &environment).unwrap();
        let Endpoint::Tls { files, .. } = target.endpoint else {
            panic!("not TLS");
        };
        assert!(!files.skip_verify && files.ca.is_some() && files.cert.is_none());
    }

    #[test]
    fn the_current_context_counts_unless_a_host_is_named() {
        let (environment, home) = environment(&[]);
        let meta = home
            .path()
            .join(".docker/contexts/meta")
            .join("512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868");
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"far","Endpoints":{"docker":{"Host":"tcp://far:1"}}}"#,
        )
        .unwrap();
        std::fs::write(
            home.path().join(".docker/config.json"),
            r#"{"currentContext":"far"}"#,
        )
        .unwrap();
        let endpoint = |choice: &Choice| {
            let target = discover(choice, &environment).unwrap();
            (target.context, target.endpoint.to_string())
        };
        assert_eq!(
            endpoint(&Choice::default()),
            ("far".into(), "tcp://far:1".into())
        );
        assert_eq!(
            endpoint(&host("tcp://f:1")),
            ("default".into(), "tcp://f:1".into())
        );
        let both = Choice {
            context: Some("far".into()),
            ..host("tcp://f:1")
        };
        assert!(matches!(
            discover(&both, &environment),
            Err(Error::HostAndContext)
        ));
    }
}
