//! Everything that an engine may leave on a machine, and its removal.
//!
//! The order matters: first the daemon, which would start things again;
//! then the shims, which would restart containers; then the containers;
//! and when nobody holds anything any more, mounts, links, tables, control
//! groups and folders. Processes are only ever killed by id, and only those
//! that name this engine's folders or sit in its control group.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wait::within;

/// The programs of an engine and its clients. Somebody's editor that has
/// one of the engine's files open is not ours to kill.
const PROGRAMS: &[&str] = &[
    "dhowd",
    "dockerd",
    "containerd",
    "dhow-shim",
    "containerd-shim-runc-v2",
    "dhow",
    "docker",
    "docker-registry",
];

/// The names by which one engine's traces are known.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Footprint {
    /// Sockets, the run folder, logs.
    pub run: PathBuf,
    /// Images, containers, volumes.
    pub data: PathBuf,
    pub bridge: String,
    /// The parent of the containers' control groups, without slash.
    pub cgroup: String,
}

impl Footprint {
    /// Whether there is any obvious trace.
    pub fn is_visible(&self) -> bool {
        self.run.exists()
            || self.data.exists()
            || Path::new("/sys/class/net").join(&self.bridge).exists()
            || !self.cgroups().is_empty()
    }

    /// Removes every trace. What is not there is no error.
    pub fn remove(&self) -> Result<()> {
        if !self.is_visible() {
            return Ok(());
        }
        let gone = within(Duration::from_secs(20), || {
            let left = self.kill_once();
            left.is_empty().then_some(())
        });
        if gone.is_none() {
            bail!(
                "processes {:?} of {} do not die",
                self.processes(),
                self.run.display()
            );
        }
        self.unmount()?;
        self.remove_links()?;
        self.remove_tables()?;
        within(Duration::from_secs(5), || {
            self.remove_cgroups().then_some(())
        })
        .with_context(|| format!("control group {} stays busy", self.cgroup))?;
        for folder in [&self.run, &self.data] {
            remove_folder(folder)?;
        }
        Ok(())
    }

    /// The processes of this engine: daemons first, then shims, then the
    /// rest.
    pub fn processes(&self) -> Vec<i32> {
        let mut named: Vec<(usize, i32)> = Vec::new();
        for process in process_ids() {
            if let Some(rank) = self.rank_of(process) {
                named.push((rank, process));
            }
        }
        named.sort_unstable();
        let mut found: Vec<i32> = named.into_iter().map(|(_, process)| process).collect();
        for process in self.cgroup_members() {
            if !found.contains(&process) {
                found.push(process);
            }
        }
        found
    }

    fn rank_of(&self, process: i32) -> Option<usize> {
        let line = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
        let mut words = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let program = words.next()?;
        let name = program.rsplit('/').next()?.to_owned();
        let rank = PROGRAMS.iter().position(|known| *known == name)?;
        let folders = [self.run.to_string_lossy(), self.data.to_string_lossy()];
        let ours = words.any(|word| folders.iter().any(|folder| names_path(&word, folder)));
        ours.then_some(rank)
    }

    fn kill_once(&self) -> Vec<i32> {
        let processes = self.processes();
        for process in &processes {
            // One that died since is just what is wanted.
            let _ = kill(Pid::from_raw(*process), Signal::SIGKILL);
        }
        for folder in self.cgroups() {
            // A frozen process dies only when it thaws.
            let _ = std::fs::write(folder.join("freezer.state"), "THAWED");
            let _ = std::fs::write(folder.join("cgroup.freeze"), "0");
        }
        processes
    }

    fn cgroup_members(&self) -> BTreeSet<i32> {
        let mut members = BTreeSet::new();
        for folder in self.cgroups() {
            let Ok(text) = std::fs::read_to_string(folder.join("cgroup.procs")) else {
                continue;
            };
            members.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
        }
        members
    }

    /// This engine's control groups in every hierarchy, deepest first.
    fn cgroups(&self) -> Vec<PathBuf> {
        let root = Path::new("/sys/fs/cgroup");
        let mut found = Vec::new();
        let hierarchies = std::fs::read_dir(root).into_iter().flatten().flatten();
        let roots = hierarchies
            .map(|entry| entry.path())
            .chain([root.to_owned()]);
        for hierarchy in roots {
            collect_folders(&hierarchy.join(&self.cgroup), &mut found);
        }
        found
    }

    fn remove_cgroups(&self) -> bool {
        for folder in self.cgroups() {
            let _ = std::fs::remove_dir(folder);
        }
        self.cgroups().is_empty()
    }

    fn unmount(&self) -> Result<()> {
        let table = std::fs::read_to_string("/proc/self/mountinfo")?;
        let mut points: Vec<&str> = table
            .lines()
            .filter_map(|line| line.split(' ').nth(4))
            .filter(|point| {
                [&self.run, &self.data]
                    .iter()
                    .any(|root| Path::new(point).starts_with(root))
            })
            .collect();
        points.reverse();
        for point in points {
            umount2(point, MntFlags::MNT_DETACH)
                .with_context(|| format!("cannot unmount {point}"))?;
        }
        Ok(())
    }

    fn remove_links(&self) -> Result<()> {
        if Path::new("/sys/class/net").join(&self.bridge).exists() {
            quietly("ip", &["link", "delete", &self.bridge])?;
        }
        Ok(())
    }

    /// Removes the engine's table, and its accept rules in others' chains,
    /// which carry the bridge's name as a comment.
    fn remove_tables(&self) -> Result<()> {
        let output = Command::new("nft")
            .args(["--json", "--handle", "list", "ruleset"])
            .output()
            .context("cannot run nft")?;
        let ruleset: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for object in ruleset["nftables"].as_array().into_iter().flatten() {
            let table = &object["table"];
            if is_table_of(&text(&table["name"]), &self.bridge) {
                quietly(
                    "nft",
                    &[
                        "delete",
                        "table",
                        &text(&table["family"]),
                        &text(&table["name"]),
                    ],
                )?;
            }
            let rule = &object["rule"];
            if rule["comment"] == format!("dhow:{}", self.bridge) {
                let place = [&rule["family"], &rule["table"], &rule["chain"]].map(text);
                let handle = rule["handle"].to_string();
                // It may just have gone with its table.
                let _ = quietly(
                    "nft",
                    &[
                        "delete", "rule", &place[0], &place[1], &place[2], "handle", &handle,
                    ],
                );
            }
        }
        Ok(())
    }
}

/// An engine's table is named after its bridge, in one spelling or another.
fn is_table_of(table: &str, bridge: &str) -> bool {
    let plain = |name: &str| name.replace(['-', '_', '.'], "");
    let (table, bridge) = (plain(table), plain(bridge));
    table == bridge || table.strip_prefix("dhow") == Some(&bridge)
}

/// Whether `word` speaks of `folder` or of something inside it.
fn names_path(word: &str, folder: &str) -> bool {
    word.match_indices(folder)
        .any(|(at, _)| matches!(word.as_bytes().get(at + folder.len()), None | Some(b'/')))
}

fn process_ids() -> impl Iterator<Item = i32> {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(move |process| *process != own)
}

fn collect_folders(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect_folders(&entry.path(), found);
        }
    }
    found.push(folder.to_owned());
}

fn remove_folder(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn quietly(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{is_table_of, names_path};

    #[test]
    fn a_folder_is_not_taken_for_another_that_begins_alike() {
        assert!(names_path(
            "unix:///run/dhow-test/1/dhow.sock",
            "/run/dhow-test/1"
        ));
        assert!(names_path(
            "--exec-root=/run/dhow-test/1",
            "/run/dhow-test/1"
        ));
        assert!(!names_path(
            "/run/dhow-test/12/dhow.sock",
            "/run/dhow-test/1"
        ));
    }

    #[test]
    fn tables_go_by_the_bridge() {
        assert!(is_table_of("dhow_test1", "dhow-test1"));
        assert!(is_table_of("dhow-dhow-test1", "dhow-test1"));
        assert!(!is_table_of("dhow_test12", "dhow-test1"));
        assert!(!is_table_of("dhow", "dhow-test1"));
    }
}
