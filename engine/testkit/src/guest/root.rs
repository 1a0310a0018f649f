//! The guest's disk: a root file system put together from this machine's
//! files and ours, as an ext4 image.
//!
//! [`Root`] only collects what is to be on it; [`Root::write`] makes it.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::outcome::Outcome;
use crate::program;

/// What a disk is to have on it.
#[derive(Default)]
pub struct Root {
    entries: Vec<(PathBuf, Entry)>,
}

enum Entry {
    Folder,
    File(Vec<u8>, u32),
    /// A copy of a file of this machine, with its mode.
    Copy(PathBuf),
    /// A copy of a folder of this machine and of all in it.
    Tree(PathBuf),
    Link(PathBuf),
}

impl Root {
    #[must_use]
    pub fn folder(self, path: &str) -> Self {
        self.with(path, Entry::Folder)
    }

    #[must_use]
    pub fn file(self, path: &str, mode: u32, bytes: &[u8]) -> Self {
        self.with(path, Entry::File(bytes.to_vec(), mode))
    }

    /// The file `source` of this machine.
    #[must_use]
    pub fn copy(self, path: &str, source: &Path) -> Self {
        self.with(path, Entry::Copy(source.to_owned()))
    }

    /// All that is in the folder `source` of this machine.
    #[must_use]
    pub fn tree(self, path: &str, source: &Path) -> Self {
        self.with(path, Entry::Tree(source.to_owned()))
    }

    #[must_use]
    pub fn link(self, path: &str, target: &str) -> Self {
        self.with(path, Entry::Link(target.into()))
    }

    /// A program of this machine, in `/usr/bin`, and the libraries that it
    /// is linked with, where it looks for them.
    ///
    /// # Panics
    /// When it cannot run here either.
    #[must_use]
    #[track_caller]
    pub fn program(mut self, program: &Path) -> Self {
        let mut ldd = Command::new("ldd");
        ldd.arg(program);
        let name = program.file_name().expect("a program has a name");
        for library in libraries(&Outcome::of(ldd, b"").ok()) {
            self = self.copy(library, Path::new(library));
        }
        self.copy(&format!("/usr/bin/{}", name.to_string_lossy()), program)
    }

    /// Makes the image `file`, of `bytes` at most; what is not used takes no
    /// room on this machine.
    ///
    /// # Panics
    /// When it does not fit, or something to be copied is not there.
    #[track_caller]
    pub fn write(&self, file: &Path, bytes: u64) {
        let staging = tempfile::tempdir().expect("a temporary folder can be made");
        for (path, entry) in &self.entries {
            let inside = path.strip_prefix("/").unwrap_or(path);
            put(&staging.path().join(inside), entry);
        }
        let format = program::on_path("mke2fs").expect("this machine has e2fsprogs");
        let mut command = Command::new(format);
        command
            .args(["-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=1"])
            // A journal guards against what no test does to its guest.
            .args(["-O", "^has_journal", "-d"])
            .arg(staging.path())
            .arg(file)
            .arg(format!("{}k", bytes / 1024));
        Outcome::of(command, b"").ok();
    }

    fn with(mut self, path: &str, entry: Entry) -> Self {
        self.entries.push((path.into(), entry));
        self
    }
}

fn put(place: &Path, entry: &Entry) {
    let done = || -> std::io::Result<()> {
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match entry {
            Entry::Folder => std::fs::create_dir_all(place),
            Entry::File(bytes, mode) => {
                std::fs::write(place, bytes)?;
                std::fs::set_permissions(place, std::fs::Permissions::from_mode(*mode))
            }
            Entry::Copy(source) => std::fs::copy(source, place).map(drop),
            Entry::Tree(source) => copy_tree(source, place),
            Entry::Link(target) => symlink(target, place),
        }
    };
    done().unwrap_or_else(|error| panic!("cannot put {}: {error}", place.display()));
}

fn copy_tree(source: &Path, place: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(place)?;
    for entry in std::fs::read_dir(source)? {
        let entry = entry?;
        let (from, to) = (entry.path(), place.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&from, &to)?;
        } else if kind.is_symlink() {
            symlink(std::fs::read_link(&from)?, &to)?;
        } else {
            std::fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

/// The libraries, and the loader, that `ldd` lists with their places.
fn libraries(listing: &str) -> Vec<&str> {
    listing
        .lines()
        .filter_map(|line| {
            // `libc.so.6 => /lib/libc.so.6 (0x…)`, `/lib64/ld.so (0x…)`
            let line = line.split_once("=> ").map_or(line, |(_, place)| place);
            let place = line.trim().split(' ').next()?;
            place.starts_with('/').then_some(place)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::{Root, libraries};
    use crate::Outcome;

    #[test]
    fn libraries_are_found_where_ldd_says() {
        let listing = "\tlinux-vdso.so.1 (0x00007ffd)\n\
                       \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f8e)\n\
                       \t/lib64/ld-linux-x86-64.so.2 (0x00007f8f)\n";
        assert_eq!(
            libraries(listing),
            [
                "/lib/x86_64-linux-gnu/libc.so.6",
                "/lib64/ld-linux-x86-64.so.2"
            ]
        );
        assert!(libraries("\tstatically linked\n").is_empty());
    }

    #[test]
    fn an_image_has_what_was_put_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("disk");
        Root::default()
            .folder("/proc")
            .file("/etc/motd", 0o640, b"welcome\n")
            .link("/bin/sh", "busybox")
            .program(Path::new("/bin/ls"))
            .write(&image, 64 << 20);
        let ask = |request: &str| {
            let mut command = Command::new("/usr/sbin/debugfs");
            command.args(["-R", request]).arg(&image);
            Outcome::of(command, b"").ok()
        };
        assert_eq!(ask("cat /etc/motd"), "welcome");
        assert!(ask("stat /etc/motd").contains("Mode:  0640"));
        assert!(ask("stat /bin/sh").contains("\"busybox\""));
        assert!(ask("ls /usr/bin").contains("ls"));
        assert!(ask("stat /lib64/ld-linux-x86-64.so.2").contains("regular"));
    }
}
