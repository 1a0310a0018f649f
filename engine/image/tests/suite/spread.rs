//! Where ext4 puts layers: a file system of our own tells for sure.

use std::path::Path;
use std::process::Command;

use rustix::fs::{IFlags, Mode, OFlags, ioctl_getflags, open as open_fd};

use crate::fixture::*;

/// An ext4 of several groups, mounted as long as it lives.
struct Ext4(tempfile::TempDir);

fn run(command: &mut Command) {
    let output = command.output().expect("command runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
}

impl Ext4 {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let disk = dir.path().join("disk");
        let file = std::fs::File::create(&disk).expect("disk");
        file.set_len(1 << 30).expect("sparse");
        // A table of inodes for each group, not one for sixteen.
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-O", "^flex_bg"])
            .arg(&disk));
        std::fs::create_dir(dir.path().join("mounted")).expect("mkdir");
        run(Command::new("mount")
            .args(["-o", "loop"])
            .arg(&disk)
            .arg(dir.path().join("mounted")));
        Self(dir)
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("mounted")
    }
}

impl Drop for Ext4 {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(self.path()).status();
        assert!(done.is_ok_and(|s| s.success()) || std::thread::panicking());
    }
}

fn is_top(path: &Path) -> bool {
    let dir = open_fd(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
    let flags = ioctl_getflags(dir.expect("opens")).expect("flags");
    flags.contains(IFlags::TOPDIR)
}

#[test]
fn layers_get_tables_of_inodes_of_their_own() {
    let ext4 = Ext4::new();
    let store = open(&ext4.path());
    assert!(is_top(&store.root().join("tmp")));
    assert!(!is_top(&store.root().join("layers")));
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let layers = names.map(|name| small_layer(name, b"content"));
    let id = image(&store, &layers, &["app"]);
    let per_group = 8192;
    let groups: std::collections::HashSet<u64> = store
        .rootfs(&id)
        .expect("rootfs")
        .iter()
        .map(|dir| {
            let stat = std::fs::metadata(&dir.path).expect("stat");
            std::os::unix::fs::MetadataExt::ino(&stat) / per_group
        })
        .collect();
    // All layers in one place were one group.
    assert!(groups.len() > 2, "{groups:?}");
    drop(store);
}
