//! Who is measured: an engine, and the client that speaks to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dhow_testkit::{Dockerd, Engine, Image, Outcome, api, program};

use crate::sample::timed;

/// One column of the report.
pub struct Peer {
    pub name: &'static str,
    /// Its engine is measured by another client too, so what the client has
    /// no part in is measured there.
    pub shares_engine: bool,
    client: PathBuf,
    socket: PathBuf,
    settings: PathBuf,
    processes: Box<dyn Fn() -> Vec<i32>>,
}

impl Peer {
    pub fn docker(daemon: &Dockerd) -> Self {
        let footprint = daemon.footprint();
        Self {
            name: "dockerd",
            shares_engine: false,
            client: program::docker(),
            socket: daemon.socket(),
            settings: footprint.run.join("client"),
            processes: Box::new(move || footprint.processes()),
        }
    }

    pub fn dhow(engine: &Engine) -> Self {
        let footprint = engine.footprint().clone();
        Self {
            name: "dhowd",
            shares_engine: false,
            client: program::docker(),
            socket: engine.socket(),
            settings: footprint.run.join("client"),
            processes: Box::new(move || footprint.processes()),
        }
    }

    pub fn dhow_own_client(engine: &Engine) -> Self {
        Self {
            name: "dhowd, dhow",
            shares_engine: true,
            client: program::ours("dhow"),
            ..Self::dhow(engine)
        }
    }

    /// Runs the client to its end; it has to succeed.
    pub fn run(&self, arguments: &[&str]) -> String {
        Outcome::of(self.command(arguments), b"").ok()
    }

    /// How many milliseconds the client takes, with its output thrown away.
    pub fn time(&self, arguments: &[&str]) -> f64 {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let (took, output) = timed(|| command.output());
        let output = output.unwrap_or_else(|error| panic!("{}: cannot run: {error}", self.name));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{} {}: {said}",
            self.name,
            arguments.join(" ")
        );
        took.as_secs_f64() * 1000.0
    }

    /// How many milliseconds several commands take, one after another.
    pub fn time_all(&self, commands: &[&[&str]]) -> f64 {
        commands.iter().map(|arguments| self.time(arguments)).sum()
    }

    /// Where the API is, for asking it without any client.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    pub fn load(&self, image: &Image, reference: &str) {
        let archive = image.archive(reference);
        let answer = api::unix(&self.socket, "POST", "/images/load?quiet=1", Some(&archive));
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error:#}", self.name));
        assert_eq!(answer.status, 200, "{}: {}", self.name, answer.text());
    }

    /// Every process of this engine, containers' own among them.
    pub fn processes(&self) -> Vec<i32> {
        (self.processes)()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command
            .args(arguments)
            .env("DOCKER_HOST", format!("unix://{}", self.socket.display()))
            .env("DOCKER_CONFIG", &self.settings)
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DOCKER_API_VERSION");
        command
    }
}
