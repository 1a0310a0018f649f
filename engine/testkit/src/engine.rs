//! A throwaway engine: the real `dhowd`, alone with itself.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::api::{self, Response};
use crate::footprint::Footprint;
use crate::image::Image;
use crate::outcome::Outcome;
use crate::registry::last_lines;
use crate::slot::Slot;
use crate::wait::{PATIENCE, within};
use crate::{fixture, program};

/// A running engine; everything of it goes when this is dropped.
pub struct Engine {
    slot: Slot,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    daemon: Option<Child>,
}

/// What an engine is to be started with.
#[derive(Default)]
pub struct Options {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    configuration: Option<Value>,
    log_level: Option<String>,
}

impl Options {
    /// One more argument for `dhowd`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// One more variable for `dhowd`.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How much `dhowd` logs; `debug` unless told otherwise.
    #[must_use]
    pub fn log_level(mut self, level: &str) -> Self {
        self.log_level = Some(level.to_owned());
        self
    }

    /// The contents of `daemon.json`.
    #[must_use]
    pub fn configuration(mut self, value: Value) -> Self {
        self.configuration = Some(value);
        self
    }

    /// # Panics
    /// When the engine does not come up; its log is in the message.
    #[track_caller]
    pub fn start(self) -> Engine {
        let slot = Slot::take().unwrap_or_else(|error| panic!("no place for an engine: {error:#}"));
        for folder in [slot.run(), slot.data()] {
            std::fs::create_dir_all(folder).expect("root can make folders");
        }
        let mut engine = Engine {
            arguments: Vec::new(),
            environment: self.environment,
            daemon: None,
            slot,
        };
        engine.arguments = engine.own_arguments();
        let level = self.log_level.as_deref().unwrap_or("debug");
        engine.arguments.push(format!("--log-level={level}"));
        engine.arguments.extend(self.arguments);
        // Always there, so that nothing of the machine's own is read.
        let configuration = self.configuration.unwrap_or_else(|| serde_json::json!({}));
        engine.configure(&configuration);
        engine.start_again();
        engine
    }
}

impl Engine {
    /// An engine with nothing in it.
    #[track_caller]
    pub fn start() -> Self {
        Options::default().start()
    }

    /// An engine with the image `busybox` in it.
    #[track_caller]
    pub fn with_busybox() -> Self {
        let engine = Self::start();
        engine.load(&fixture::busybox(), "busybox:latest");
        engine
    }

    pub fn options() -> Options {
        Options::default()
    }

    /// Runs the real `docker` client against this engine.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> Outcome {
        self.docker_fed(arguments, b"")
    }

    /// The same, with something on stdin.
    #[track_caller]
    pub fn docker_fed(&self, arguments: &[&str], stdin: &[u8]) -> Outcome {
        Outcome::of(self.docker_command(arguments), stdin)
    }

    /// Runs our own client against this engine.
    #[track_caller]
    pub fn dhow(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.dhow_command(arguments), b"")
    }

    /// The `docker` client, for tests that keep it running.
    pub fn docker_command(&self, arguments: &[&str]) -> Command {
        self.client(&program::docker(), arguments)
    }

    /// Our own client, for tests that keep it running.
    #[track_caller]
    pub fn dhow_command(&self, arguments: &[&str]) -> Command {
        self.client(&program::ours("dhow"), arguments)
    }

    /// Loads `image` under the name `reference`.
    #[track_caller]
    pub fn load(&self, image: &Image, reference: &str) {
        let response = self.send("POST", "/images/load?quiet=1", &image.archive(reference));
        assert_eq!(
            response.status,
            200,
            "cannot load {reference}: {}",
            response.text()
        );
    }

    /// Asks the API itself.
    #[track_caller]
    pub fn get(&self, target: &str) -> Response {
        self.ask("GET", target, None)
    }

    /// Asks the API itself with a JSON body.
    #[track_caller]
    pub fn post(&self, target: &str, body: &Value) -> Response {
        self.send("POST", target, body.to_string().as_bytes())
    }

    /// Asks the API itself with any method and body.
    #[track_caller]
    pub fn send(&self, method: &str, target: &str, body: &[u8]) -> Response {
        self.ask(method, target, Some(body))
    }

    #[track_caller]
    fn ask(&self, method: &str, target: &str, body: Option<&[u8]>) -> Response {
        api::unix(&self.socket(), method, target, body)
            .unwrap_or_else(|error| panic!("{method} {target}: {error:#}"))
    }

    pub fn socket(&self) -> PathBuf {
        self.slot.run().join("dhow.sock")
    }

    /// `unix://` and the socket, as clients want it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub fn data_root(&self) -> PathBuf {
        self.slot.data().join("root")
    }

    pub fn exec_root(&self) -> PathBuf {
        self.slot.run().join("exec")
    }

    /// A folder for the test's own files, gone with the engine.
    pub fn scratch(&self) -> PathBuf {
        let folder = self.slot.data().join("scratch");
        std::fs::create_dir_all(&folder).expect("root can make folders");
        folder
    }

    pub fn bridge(&self) -> &str {
        &self.slot.footprint.bridge
    }

    /// The bridge's own address.
    pub fn gateway(&self) -> &str {
        self.slot.subnet.split('/').next().unwrap_or_default()
    }

    /// Everything that this engine may leave on the machine.
    pub fn footprint(&self) -> &Footprint {
        &self.slot.footprint
    }

    /// The processes that belong to this engine, the daemon's first.
    pub fn processes(&self) -> Vec<i32> {
        self.slot.footprint.processes()
    }

    /// The daemon's process.
    ///
    /// # Panics
    /// When it does not run.
    pub fn daemon(&self) -> i32 {
        let daemon = self.daemon.as_ref().expect("the daemon runs");
        i32::try_from(daemon.id()).expect("a process id fits")
    }

    /// Writes `daemon.json`; a running daemon is not told.
    pub fn configure(&self, configuration: &Value) {
        std::fs::write(self.configuration_file(), configuration.to_string())
            .expect("a temporary file can be written");
    }

    /// What the daemon logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Sends the daemon a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.daemon()), signal).expect("a running child takes signals");
    }

    /// Kills the daemon as a crash would; its containers go on.
    pub fn crash(&mut self) {
        let mut daemon = self.daemon.take().expect("the daemon runs");
        daemon.kill().expect("a running child can be killed");
        daemon.wait().expect("a killed child can be waited for");
    }

    /// Asks the daemon to end, and waits until it has.
    #[track_caller]
    pub fn stop(&mut self) -> std::process::ExitStatus {
        self.signal(Signal::SIGTERM);
        let mut daemon = self.daemon.take().expect("the daemon runs");
        match within(PATIENCE, || daemon.try_wait().ok().flatten()) {
            Some(status) => status,
            None => {
                self.daemon = Some(daemon);
                panic!("the daemon does not end on SIGTERM");
            }
        }
    }

    /// Starts the daemon (again) on the same roots and waits until it
    /// answers.
    #[track_caller]
    pub fn start_again(&mut self) {
        assert!(self.daemon.is_none(), "the daemon runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("a temporary file can be written");
        let errors = log.try_clone().expect("a file can be shared");
        let mut daemon = Command::new(program::ours("dhowd"))
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run dhowd: {error}"));
        let socket = self.socket();
        let up = within(PATIENCE, || {
            if let Ok(Some(status)) = daemon.try_wait() {
                return Some(Err(status));
            }
            let answer = api::unix(&socket, "GET", "/_ping", None).ok()?;
            (answer.status == 200).then_some(Ok(()))
        });
        self.daemon = Some(daemon);
        match up {
            Some(Ok(())) => {}
            Some(Err(status)) => panic!("dhowd ended: {status}"),
            None => panic!("dhowd does not answer on {}", socket.display()),
        }
    }

    fn own_arguments(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        [
            ("--host", self.host()),
            ("--data-root", path(&self.data_root())),
            ("--exec-root", path(&self.exec_root())),
            ("--pidfile", path(&self.slot.run().join("dhowd.pid"))),
            ("--config-file", path(&self.configuration_file())),
            ("--bridge", self.bridge().to_owned()),
            ("--bip", self.slot.subnet.clone()),
            (
                "--cgroup-parent",
                format!("/{}", self.slot.footprint.cgroup),
            ),
        ]
        .into_iter()
        .map(|(flag, value)| format!("{flag}={value}"))
        .collect()
    }

    fn client(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env("DOCKER_HOST", self.host());
        // The person's own settings must not decide what a test sees.
        command.env("DOCKER_CONFIG", self.slot.run().join("client"));
        for name in [
            "DOCKER_CONTEXT",
            "DOCKER_API_VERSION",
            "DOCKER_TLS_VERIFY",
            "DOCKER_CERT_PATH",
            "DHOW_HOST",
        ] {
            command.env_remove(name);
        }
        command
    }

    fn configuration_file(&self) -> PathBuf {
        self.slot.run().join("daemon.json")
    }

    fn log_file(&self) -> PathBuf {
        self.slot.run().join("dhowd.log")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "── the daemon's last words\n{}",
                last_lines(&self.log(), 60)
            );
        }
        // Without its daemon first, the engine would see containers die.
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        if let Err(error) = self.slot.footprint.remove() {
            let text = format!("the engine left something behind: {error:#}");
            assert!(std::thread::panicking(), "{text}");
            eprintln!("{text}");
        }
    }
}
