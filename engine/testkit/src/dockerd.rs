//! Debian's dockerd, private: its own roots, socket and bridge, no firewall
//! rules, so that it leaves the machine's own Docker (and Dhow) alone.
//!
//! Without its firewall rules it is somewhat faster than usual, which is a
//! handicap that Dhow can bear.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::footprint::Footprint;
use crate::outcome::Outcome;
use crate::slot::Slot;
use crate::wait::within;
use crate::{api, debian, program};

/// A running dockerd, gone with its roots when dropped.
pub struct Dockerd {
    slot: Slot,
    child: Child,
}

impl Dockerd {
    /// Starts one, and waits until it answers.
    pub fn start() -> Result<Self> {
        let files = debian::unpacked(&[
            "docker.io",
            "containerd",
            "runc",
            "tini",
            "libdevmapper1.02.1",
        ]);
        let slot = Slot::take()?;
        for folder in [slot.run(), slot.data()] {
            std::fs::create_dir_all(folder)?;
        }
        let bridge = &slot.footprint.bridge;
        ip(&["link", "add", bridge, "type", "bridge"])?;
        ip(&["address", "add", &slot.subnet, "dev", bridge])?;
        ip(&["link", "set", bridge, "up"])?;

        let programs =
            ["usr/sbin", "usr/bin"].map(|folder| files.join(folder).display().to_string());
        let libraries = ["usr/lib", "lib"].map(|folder| {
            files
                .join(folder)
                .join(format!("{}-linux-gnu", std::env::consts::ARCH))
                .display()
                .to_string()
        });
        let path = std::env::var("PATH").unwrap_or_default();
        let log = File::create(slot.run().join("dockerd.log"))?;
        let child = Command::new(files.join("usr/sbin/dockerd"))
            .env(
                "PATH",
                format!("{}:{path}:/usr/sbin:/sbin", programs.join(":")),
            )
            .env("LD_LIBRARY_PATH", libraries.join(":"))
            .arg(format!(
                "--host=unix://{}",
                slot.run().join("docker.sock").display()
            ))
            .arg(format!(
                "--data-root={}",
                slot.data().join("root").display()
            ))
            .arg(format!("--exec-root={}", slot.run().join("exec").display()))
            .arg(format!(
                "--pidfile={}",
                slot.run().join("dockerd.pid").display()
            ))
            .arg(format!(
                "--config-file={}",
                slot.run().join("daemon.json").display()
            ))
            .arg(format!("--bridge={bridge}"))
            .arg(format!("--cgroup-parent=/{}", slot.footprint.cgroup))
            .args([
                "--iptables=false",
                "--ip6tables=false",
                "--ip-forward=false",
                "--ip-masq=false",
            ])
            .args([
                "--userland-proxy=false",
                "--storage-driver=overlay2",
                "--log-level=warn",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot run dockerd")?;
        let mut daemon = Self { slot, child };
        std::fs::write(daemon.slot.run().join("daemon.json"), "{}")?;
        let socket = daemon.socket();
        let up = within(Duration::from_secs(60), || {
            if daemon.child.try_wait().ok().flatten().is_some() {
                return Some(false);
            }
            let answer = api::unix(&socket, "GET", "/_ping", None).ok()?;
            (answer.status == 200).then_some(true)
        });
        if up != Some(true) {
            bail!("dockerd does not come up:\n{}", daemon.log());
        }
        Ok(daemon)
    }

    /// Where its API is.
    pub fn socket(&self) -> PathBuf {
        self.slot.run().join("docker.sock")
    }

    /// Runs the real `docker` client against it.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> Outcome {
        let mut command = Command::new(program::docker());
        command
            .args(arguments)
            .env("DOCKER_HOST", format!("unix://{}", self.socket().display()))
            .env("DOCKER_CONFIG", self.slot.run().join("client"))
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DOCKER_API_VERSION");
        Outcome::of(command, b"")
    }

    /// What it leaves on the machine while it runs.
    pub fn footprint(&self) -> Footprint {
        self.slot.footprint.clone()
    }

    /// The version that it says of itself.
    pub fn version(&self) -> String {
        let answer = api::unix(&self.socket(), "GET", "/version", None);
        answer
            .map(|answer| answer.json()["Version"].as_str().unwrap_or("?").to_owned())
            .unwrap_or_default()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.slot.run().join("dockerd.log")).unwrap_or_default()
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("── dockerd's log\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Err(error) = self.slot.footprint.remove() {
            eprintln!("dockerd left something behind: {error:#}");
        }
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("ip");
    command.args(arguments);
    let outcome = Outcome::of(command, b"");
    if outcome.code != 0 {
        bail!("{outcome}");
    }
    Ok(())
}
