//! The Debian and Ubuntu packages that tasks need, and how they get here.
//!
//! Only packages that start no service are installed. What would start one
//! (docker-registry, nginx, PostgreSQL, openssh-server, docker.io) is
//! downloaded and unpacked in the cache folder by the testkit instead.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};

use crate::command::{as_root, command, find, may_use_sudo, output, run};

/// Needed to compile the engine.
pub const BUILD: &[&str] = &["gcc", "libc6-dev", "pkg-config", "libseccomp-dev"];

/// Needed to clear up after an engine, however it ended.
pub const RUN: &[&str] = &["iproute2", "nftables"];

/// Needed by the tests on top of the above.
pub const TEST: &[&str] = &[
    "apache2-utils",
    "busybox-static",
    "ca-certificates",
    "curl",
    "e2fsprogs",
    "fish",
    "openssh-client",
    "openssl",
    "procps",
    "python3-docker",
    "qemu-system-x86",
    "skopeo",
    "umoci",
    "util-linux",
    "xz-utils",
    "zsh",
    "zstd",
];

/// Needed to compile the app.
pub const APP: &[&str] = &[
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libwebkit2gtk-4.1-dev",
];

/// Needed by the app's tests: a display, a bus, a window manager, a tray, and
/// what drives them.
pub const APP_TEST: &[&str] = &[
    "dbus-daemon",
    "openbox",
    "webkit2gtk-driver",
    "xdotool",
    "xfce4-panel",
    "xvfb",
];

/// Needed to draw the icons anew.
pub const ICONS: &[&str] = &["librsvg2-bin"];

/// Installs those of `wanted` that are missing.
pub fn ensure(wanted: &[&[&str]]) -> Result<()> {
    let wanted: BTreeSet<&str> = wanted.iter().copied().flatten().copied().collect();
    if find("apt-get").is_none() {
        eprintln!(
            "this is no Debian or Ubuntu: make sure that these (Debian's names) are here: {}",
            wanted.iter().copied().collect::<Vec<_>>().join(" ")
        );
        return Ok(());
    }
    let missing = missing(&wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("sudo apt-get install {}", missing.join(" "));
    may_use_sudo("installing packages", &by_hand)?;
    eprintln!("installing {}", missing.join(" "));
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(missing.iter().copied());
    // Package lists may be absent (a fresh container) or out of date.
    run(as_root("apt-get", &["update", "-q"]).stdout(std::process::Stdio::null()))?;
    run(as_root("apt-get", &install)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::process::Stdio::null()))?;
    Ok(())
}

fn missing<'a>(wanted: &BTreeSet<&'a str>) -> Result<Vec<&'a str>> {
    if !Path::new("/var/lib/dpkg/status").exists() {
        bail!("dpkg's database is missing, though apt-get is here");
    }
    // dpkg-query fails when it does not know one of the names, so all are
    // asked for.
    let listing = output(&mut command(
        "dpkg-query",
        &["-W", "-f", "${Package} ${db:Status-Status} ${Provides}\n"],
    ))?;
    let installed = installed(&listing);
    Ok(wanted
        .iter()
        .copied()
        .filter(|name| !installed.contains(name))
        .collect())
}

/// The installed packages, and the names they provide.
fn installed(listing: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for line in listing.lines() {
        let mut words = line.split([' ', ',']).filter(|word| !word.is_empty());
        let Some(name) = words.next() else { continue };
        if words.next() != Some("installed") {
            continue;
        }
        names.insert(name);
        names.extend(words.filter(|word| !word.starts_with('(')));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::installed;

    #[test]
    fn provided_names_count_as_installed() {
        let listing = "pkgconf installed pkg-config (= 1.8), pkgconfig\ngdb config-files \n";
        let names = installed(listing);
        assert!(names.contains("pkgconf") && names.contains("pkg-config"));
        assert!(
            !names.contains("gdb"),
            "removed, only its configuration is left"
        );
    }
}
