//! Where the programs are that tests run.

use std::path::{Path, PathBuf};

use crate::debian;

/// One of our own programs, beside the running test.
///
/// # Panics
/// When it has not been built: `cargo test` builds only the programs of the
/// package under test.
#[track_caller]
pub fn ours(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    let folders = test.ancestors().skip(1).take(2);
    let found = folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is not built: run `cargo build --bins` first, or `cargo xtask test`")
    })
}

/// The `docker` client: the person's own, or Debian's, which is then only
/// unpacked, because installing it would start a second engine.
pub fn docker() -> PathBuf {
    on_path("docker").unwrap_or_else(|| {
        let packages = if debian::knows("docker-cli") {
            "docker-cli"
        } else {
            "docker.io"
        };
        debian::unpacked(&[packages]).join("usr/bin/docker")
    })
}

/// A program that the system has.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .map(|folder| Path::new(folder).join(name))
        .find(|candidate| candidate.is_file())
}
