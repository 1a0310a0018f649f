//! Debian's (or Ubuntu's) own packages, fetched and unpacked, not installed.
//!
//! Installing `docker-registry`, `nginx` or `postgresql` would start
//! services on the person's machine. Their files are all that tests need.
//! What was fetched is kept in the person's cache folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::{Flock, FlockArg};

use crate::outcome::Outcome;

/// The folder with the files of exactly these packages.
///
/// # Panics
/// When they cannot be had.
#[track_caller]
pub fn unpacked(packages: &[&str]) -> PathBuf {
    once(&format!("debs/{}", packages.join("+")), |folder| {
        fetch(
            &packages
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
            folder,
        );
    })
}

/// The folder with the files of `package` and of everything it depends on,
/// but for `without`: what a root file system needs to run it.
#[track_caller]
pub fn closure(package: &str, without: &[&str]) -> PathBuf {
    once(&format!("closures/{package}"), |folder| {
        let names = dependencies(package);
        let wanted: Vec<String> = names
            .into_iter()
            .filter(|name| !without.iter().any(|prefix| name.starts_with(prefix)))
            .collect();
        fetch(&wanted, folder);
    })
}

/// Whether the package lists have this name.
pub fn knows(package: &str) -> bool {
    let mut command = Command::new("apt-cache");
    command.args(["show", "--no-all-versions", package]);
    Outcome::of(command, b"").code == 0
}

/// Makes the folder `name` of the cache by `fill`, once for all processes
/// and runs. A half-made one is never seen.
pub fn once(name: &str, fill: impl FnOnce(&Path)) -> PathBuf {
    let folder = cache().join(name);
    if folder.exists() {
        return folder;
    }
    let parent = folder.parent().expect("the cache is a folder");
    std::fs::create_dir_all(parent).expect("the cache folder can be made");
    let file =
        File::create(folder.with_extension("lock")).expect("the cache folder can be written");
    let _lock = Flock::lock(file, FlockArg::LockExclusive).expect("the cache can be locked");
    if !folder.exists() {
        let draft = folder.with_extension("draft");
        let _ = std::fs::remove_dir_all(&draft);
        std::fs::create_dir_all(&draft).expect("the cache folder can be written");
        fill(&draft);
        std::fs::rename(&draft, &folder).expect("a finished folder can be published");
    }
    folder
}

/// Where downloads and built images are kept between runs.
pub fn cache() -> PathBuf {
    let home = || std::env::var("HOME").unwrap_or_else(|_| "/root".into());
    let base = std::env::var("XDG_CACHE_HOME").unwrap_or_else(|_| format!("{}/.cache", home()));
    Path::new(&base).join("dhow-testkit")
}

/// The packages that `package` depends on by itself.
pub fn depends(package: &str) -> Vec<String> {
    let mut command = Command::new("apt-cache");
    command.args(["depends", "--no-recommends", "--no-suggests", package]);
    let listing = Outcome::of(command, b"").ok();
    let names = listing
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.map(str::to_owned).collect()
}

/// Renews the package lists unless they have what is looked for: they may be
/// absent.
pub fn refresh_unless(found: impl Fn() -> bool) {
    if !found() {
        update().ok();
    }
}

/// Downloads these packages and lays their files into a folder.
pub(crate) fn fetch(packages: &[String], into: &Path) {
    let download = tempfile::tempdir().expect("a temporary folder can be made");
    let get = || {
        let mut command = Command::new("apt-get");
        // Root's own folder is closed to the user that apt drops to.
        command
            .args(["download", "-qq", "-o", "APT::Sandbox::User=root"])
            .args(packages)
            .current_dir(download.path());
        Outcome::of(command, b"")
    };
    if get().code != 0 {
        // The lists may be absent or older than the archive.
        let updated = update();
        let again = get();
        assert_eq!(again.code, 0, "{updated}\n{again}");
    }
    for entry in std::fs::read_dir(download.path()).expect("the downloads can be listed") {
        let file = entry.expect("the downloads can be listed").path();
        let mut command = Command::new("dpkg-deb");
        command.arg("--extract").arg(&file).arg(into);
        Outcome::of(command, b"").ok();
    }
}

fn update() -> Outcome {
    let mut update = Command::new("apt-get");
    update.args(["update", "-qq"]);
    Outcome::of(update, b"")
}

/// Every package that installing `package` on an empty system would bring.
fn dependencies(package: &str) -> Vec<String> {
    let empty = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    let mut command = Command::new("apt-get");
    command
        .args([
            "install",
            "--print-uris",
            "-qq",
            "--no-install-recommends",
            "-o",
        ])
        .arg(format!("Dir::State::status={}", empty.path().display()))
        .args(["-o", "Debug::NoLocking=1", package]);
    let listing = Outcome::of(command, b"").ok();
    let names: Vec<String> = listing
        .lines()
        .filter_map(package_name)
        .map(str::to_owned)
        .collect();
    assert!(!names.is_empty(), "apt-get names no packages for {package}");
    names
}

/// The package in a line like `'http://…' libc6_2.36_amd64.deb 2759320 …`.
fn package_name(line: &str) -> Option<&str> {
    let file = line.split(' ').nth(1)?;
    file.ends_with(".deb")
        .then(|| file.split('_').next())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::package_name;

    #[test]
    fn reads_what_apt_would_fetch() {
        let line = "'http://deb.debian.org/x/libc6_2.36-9_amd64.deb' libc6_2.36-9_amd64.deb 2759320 MD5Sum:00";
        assert_eq!(package_name(line), Some("libc6"));
        assert_eq!(package_name("Reading package lists..."), None);
    }
}
