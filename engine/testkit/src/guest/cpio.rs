//! An archive as the kernel unpacks it before there is any disk: cpio in its
//! "newc" form. Pure: bytes in, bytes out.

/// An archive in the making.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
/// Every part of the archive starts at a multiple of this.
const ALIGNMENT: usize = 4;
const END: &str = "TRAILER!!!";

impl Archive {
    #[must_use]
    pub fn folder(mut self, path: &str) -> Self {
        self.entry(path, FOLDER | 0o755, (0, 0), b"");
        self
    }

    #[must_use]
    pub fn file(mut self, path: &str, mode: u32, bytes: &[u8]) -> Self {
        self.entry(path, FILE | mode, (0, 0), bytes);
        self
    }

    /// A node of a character device.
    #[must_use]
    pub fn device(mut self, path: &str, major: u32, minor: u32) -> Self {
        self.entry(path, CHARACTER_DEVICE | 0o600, (major, minor), b"");
        self
    }

    /// The whole archive.
    pub fn bytes(mut self) -> Vec<u8> {
        self.entry(END, 0, (0, 0), b"");
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), bytes: &[u8]) {
        self.entries += 1;
        let links = 1;
        let size = u32::try_from(bytes.len()).expect("a file of an initial archive is small");
        let name = u32::try_from(path.len() + 1).expect("a path is short");
        // Inode, mode, owner, group, links, time, size, the device it lies
        // on, the device it is, length of the name, sum (unused).
        let fields = [
            self.entries,
            mode,
            0,
            0,
            links,
            0,
            size,
            0,
            0,
            device.0,
            device.1,
            name,
            0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes
                .extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(bytes);
        self.align();
    }

    fn align(&mut self) {
        let length = self.bytes.len().next_multiple_of(ALIGNMENT);
        self.bytes.resize(length, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::Archive;
    use crate::Outcome;

    #[test]
    fn another_reader_finds_what_was_put_in() {
        let archive = Archive::default()
            .folder("bin")
            .file("bin/tool", 0o755, b"odd")
            .file("init", 0o700, b"#!/bin/tool\n")
            .device("console", 5, 1);
        let mut list = Command::new("busybox");
        list.args(["cpio", "-tv"]);
        let listing = Outcome::of(list, &archive.bytes()).ok();
        let columns = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!("{} {}", words[0], words[words.len() - 1])
        };
        let found: Vec<String> = listing.lines().map(columns).collect();
        assert_eq!(
            found,
            [
                "drwxr-xr-x bin",
                "-rwxr-xr-x bin/tool",
                "-rwx------ init",
                "crw------- console"
            ]
        );
    }
}
