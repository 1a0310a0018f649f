//! The app under tauri-driver: its page, asked and clicked as WebDriver does.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use dhow_testkit::{Engine, api, program, until, wait};
use serde_json::{Value, json};

use crate::desktop::Desktop;
use crate::process::{self, Group};

/// The app, with its page driven.
pub struct App {
    address: String,
    session: String,
    driver: Group,
}

impl App {
    /// Starts it for the engine at `host`.
    #[track_caller]
    pub fn start(desktop: &Desktop, host: &str) -> Self {
        Self::start_by(Command::new(tauri_driver()), desktop, host)
    }

    /// The same in a mount namespace of its own, which `script` prepares
    /// before it runs its arguments.
    #[track_caller]
    pub fn start_in(desktop: &Desktop, host: &str, script: &str) -> Self {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private"])
            .args(["sh", "-c", script])
            .arg(tauri_driver());
        Self::start_by(command, desktop, host)
    }

    #[track_caller]
    fn start_by(mut command: Command, desktop: &Desktop, host: &str) -> Self {
        let (port, native) = (free_port(), free_port());
        command
            .args(["--port", &port, "--native-port", &native])
            .arg("--native-driver")
            .arg(desktop.program("native-driver"))
            .envs(desktop.environment())
            .env("DHOW_HOST", host);
        for name in ["DOCKER_HOST", "DOCKER_CONTEXT", "DHOW_CONTEXT"] {
            command.env_remove(name);
        }
        let driver = Group::start(&command);
        let address = format!("127.0.0.1:{port}");
        until("the driver answers", || {
            api::tcp(&address, "GET", "/status", None).ok()
        });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "tauri:options": { "application": own_program() },
        } } });
        let answer = ask(&address, "POST", "/session", &wanted);
        let session = answer["sessionId"].as_str();
        let session = session.unwrap_or_else(|| {
            panic!("no session: {answer}\n{}", desktop.log());
        });
        Self {
            session: session.to_owned(),
            address,
            driver,
        }
    }

    /// The driver's process, whose places are the app's.
    pub fn process(&self) -> i32 {
        self.driver.id()
    }

    /// Runs a function's body in the page.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        let answer = self.ask("POST", "execute/sync", &body);
        assert!(answer.get("error").is_none(), "{script}\n{answer}");
        answer
    }

    /// Runs the body of an async function in the page, and waits for it.
    #[track_caller]
    pub fn run_async(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const invoke = window.__TAURI_INTERNALS__.invoke;
             (async () => {{ {script} }})().then(
                 (value) => done({{ value }}),
                 (error) => done({{ failed: error instanceof Error ? String(error) : error }}));"
        );
        let body = json!({ "script": script, "args": [] });
        let answer = self.ask("POST", "execute/async", &body);
        assert!(answer.get("error").is_none(), "{script}\n{answer}");
        answer
    }

    /// The same, for what has to succeed.
    #[track_caller]
    pub fn evaluate(&self, script: &str) -> Value {
        let answer = self.run_async(script);
        assert!(answer.get("failed").is_none(), "{script}\n{answer}");
        answer["value"].clone()
    }

    /// Everything that the page shows.
    #[track_caller]
    pub fn text(&self) -> String {
        let text = self.run("return document.body.innerText");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows `text`.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        let shown = wait::within(Duration::from_secs(20), || {
            self.text().contains(text).then_some(())
        });
        assert!(shown.is_some(), "{text:?} is not shown:\n{}", self.text());
    }

    /// Waits until the page no longer shows `text`.
    #[track_caller]
    pub fn hides(&self, text: &str) {
        let hidden = wait::within(Duration::from_secs(20), || {
            (!self.text().contains(text)).then_some(())
        });
        assert!(
            hidden.is_some(),
            "{text:?} is still shown:\n{}",
            self.text()
        );
    }

    /// The page's address.
    #[track_caller]
    pub fn address(&self) -> String {
        let address = self.run("return location.href");
        address.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks what the selector finds, as a person does.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let body = json!({ "using": "css selector", "value": selector });
        let found = self.ask("POST", "element", &body);
        let element = found.as_object().and_then(|found| found.values().next());
        let element = element.and_then(Value::as_str);
        let element = element.unwrap_or_else(|| panic!("no {selector}: {found}"));
        self.ask("POST", &format!("element/{element}/click"), &json!({}));
    }

    #[track_caller]
    fn ask(&self, method: &str, what: &str, body: &Value) -> Value {
        let target = format!("/session/{}/{what}", self.session);
        ask(&self.address, method, &target, body)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // The app goes with its session, so that nothing of it is cut off.
        let target = format!("/session/{}", self.session);
        let _ = api::tcp(&self.address, "DELETE", &target, None);
    }
}

/// Starts the app for `engine` with nobody driving its page.
#[track_caller]
pub fn start_undriven(desktop: &Desktop, engine: &Engine, arguments: &[&str]) -> Group {
    let mut command = Command::new(own_program());
    command
        .args(arguments)
        .envs(desktop.environment())
        .env("DHOW_HOST", engine.host());
    Group::start(&command)
}

/// The process of the app on this desktop, if it runs.
pub fn running(desktop: &Desktop) -> Option<i32> {
    let program = own_program().canonicalize().ok()?;
    let home = format!("HOME={}", desktop.home().join("home").display());
    let is_app = |process: &i32| {
        let own = std::fs::read_link(format!("/proc/{process}/exe"));
        let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let mut entries = environment.split(|byte| *byte == 0);
        own.is_ok_and(|own| own == program) && entries.any(|entry| entry == home.as_bytes())
    };
    process::all().into_iter().find(is_app)
}

/// The app under test.
pub fn own_program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_dhow-app"))
}

pub fn free_port() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    address.port().to_string()
}

#[track_caller]
fn ask(address: &str, method: &str, target: &str, body: &Value) -> Value {
    let body = body.to_string();
    // tauri-driver keeps connections to the native driver, which closes them:
    // what went out on a dead one was not done, and is not answered.
    for _ in 0..5 {
        if let Ok(answer) = api::tcp(address, method, target, Some(body.as_bytes())) {
            return answer.json()["value"].clone();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{method} {target}: no answer");
}

/// tauri-driver: the person's own, or the one that `cargo xtask test` keeps
/// beside what it builds.
#[track_caller]
fn tauri_driver() -> PathBuf {
    let kept = own_program();
    let kept = kept
        .ancestors()
        .nth(2)
        .map(|target: &Path| target.join("tools/bin/tauri-driver"));
    program::on_path("tauri-driver")
        .or(kept.filter(|path| path.is_file()))
        .expect("tauri-driver is not here: run the tests with `cargo xtask test`")
}
