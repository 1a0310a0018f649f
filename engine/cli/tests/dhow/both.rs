//! The two clients, each with a configuration of its own and otherwise in
//! the same surroundings.

use std::path::{Path, PathBuf};
use std::process::Command;

use dhow_testkit::{Outcome, program};

/// What one client is run with.
pub struct Client {
    program: PathBuf,
    /// The name in its messages.
    pub name: &'static str,
    home: PathBuf,
    /// Where it is run.
    pub folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl Client {
    /// The real `docker`, with its configuration below `home`.
    pub fn docker(home: &Path) -> Self {
        Self::new(program::docker(), "docker", home)
    }

    /// Our own client, with its configuration below `home`.
    pub fn dhow(home: &Path) -> Self {
        Self::new(program::ours("dhow"), "dhow", home)
    }

    /// Our own client, called by the name `docker`.
    pub fn dhow_as_docker(home: &Path) -> Self {
        let link = home.join("docker");
        std::fs::create_dir_all(home).expect("a temporary folder can be made");
        std::os::unix::fs::symlink(program::ours("dhow"), &link).expect("a link can be made");
        Self::new(link, "docker", home)
    }

    fn new(program: PathBuf, name: &'static str, home: &Path) -> Self {
        std::fs::create_dir_all(home).expect("a temporary folder can be made");
        Self {
            program,
            name,
            home: home.to_owned(),
            folder: home.to_owned(),
            variables: Vec::new(),
        }
    }

    /// One more variable for every run.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder of its configuration.
    pub fn config(&self) -> PathBuf {
        self.home.join(".docker")
    }

    /// The client, about to be run. Nothing of the person's own settings
    /// reaches it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder);
        command
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_fed(arguments, b"")
    }

    /// The same, with something on stdin.
    #[track_caller]
    pub fn run_fed(&self, arguments: &[&str], stdin: &[u8]) -> Outcome {
        Outcome::of(self.command(arguments), stdin)
    }

    /// What a person saw, without what is only the client's own: its home and
    /// its name where it speaks of itself.
    pub fn said(&self, outcome: &Outcome) -> Said {
        let name = self.name;
        let plain = |bytes: &[u8]| {
            let mut text =
                String::from_utf8_lossy(bytes).replace(&self.home.display().to_string(), "HOME");
            for (own, common) in [
                (format!("{name}: "), "CLIENT: "),
                (format!("'{name} "), "'CLIENT "),
                (format!("Usage:  {name} "), "Usage:  CLIENT "),
                (format!("command: {name} "), "command: CLIENT "),
                (format!("\t{name} "), "\tCLIENT "),
            ] {
                text = text.replace(&own, common);
            }
            text
        };
        Said {
            code: outcome.code,
            stdout: plain(&outcome.stdout),
            stderr: plain(&outcome.stderr),
        }
    }
}

/// An answer as a person sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}
