//! Layers entry by entry, honest or hostile.
//!
//! The well-behaved entries check nothing either; [`Layer::raw`] even takes
//! names that no decent archiver writes, because the engine has to survive
//! those.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use tar::{Builder, EntryType, Header};

/// A tar archive in the making.
pub struct Layer(Builder<Vec<u8>>);

impl Default for Layer {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer {
    /// An empty layer.
    pub fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    #[must_use]
    pub fn folder(self, path: &str, mode: u32) -> Self {
        self.raw(path, EntryType::Directory, "", mode, b"")
    }

    #[must_use]
    pub fn file(self, path: &str, mode: u32, bytes: &[u8]) -> Self {
        self.raw(path, EntryType::Regular, "", mode, bytes)
    }

    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.raw(path, EntryType::Symlink, target, 0o777, b"")
    }

    #[must_use]
    pub fn hardlink(self, path: &str, target: &str) -> Self {
        self.raw(path, EntryType::Link, target, 0o644, b"")
    }

    /// Says that `path` of the layers below is gone.
    #[must_use]
    pub fn whiteout(self, path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let slash = if folder.is_empty() { "" } else { "/" };
        self.file(&format!("{folder}{slash}.wh.{name}"), 0o644, b"")
    }

    /// Says that nothing of the layers below shows in `folder`.
    #[must_use]
    pub fn opaque(self, folder: &str) -> Self {
        self.file(&format!("{folder}/.wh..wh..opq"), 0o644, b"")
    }

    /// A file with an extended attribute.
    #[must_use]
    pub fn file_with_xattr(mut self, path: &str, bytes: &[u8], name: &str, value: &[u8]) -> Self {
        let key = format!("SCHILY.xattr.{name}");
        self.0
            .append_pax_extensions([(key.as_str(), value)])
            .expect("memory takes every byte");
        self.file(path, 0o755, bytes)
    }

    /// A file that belongs to somebody.
    #[must_use]
    pub fn owned_file(mut self, path: &str, owner: (u64, u64), mode: u32, bytes: &[u8]) -> Self {
        let mut header = header(EntryType::Regular, "", mode, bytes.len());
        header.set_uid(owner.0);
        header.set_gid(owner.1);
        self.append(header, path, bytes);
        self
    }

    /// A folder that belongs to somebody.
    #[must_use]
    pub fn owned_folder(mut self, path: &str, owner: (u64, u64), mode: u32) -> Self {
        let mut header = header(EntryType::Directory, "", mode, 0);
        header.set_uid(owner.0);
        header.set_gid(owner.1);
        self.append(header, path, b"");
        self
    }

    /// An entry exactly as told, with no check of anything.
    #[must_use]
    pub fn raw(mut self, path: &str, kind: EntryType, link: &str, mode: u32, bytes: &[u8]) -> Self {
        let header = header(kind, link, mode, bytes.len());
        self.append(header, path, bytes);
        self
    }

    /// The files of a folder on disk, but for those that `skip` names by
    /// their path from the top. Owners become root.
    #[must_use]
    pub fn tree(mut self, folder: &Path, skip: &dyn Fn(&str) -> bool) -> Self {
        self.add_tree(folder, "", skip);
        self
    }

    /// The archive.
    pub fn bytes(self) -> Vec<u8> {
        self.0.into_inner().expect("memory takes every byte")
    }

    fn append(&mut self, mut header: Header, path: &str, bytes: &[u8]) {
        // Around the crate's own check of names, on purpose.
        let room = header.as_old().name.len();
        if path.len() >= room {
            self.append_long_name(path);
        }
        let short = path.len().min(room);
        header.as_old_mut().name[..short].copy_from_slice(&path.as_bytes()[..short]);
        header.set_cksum();
        self.0
            .append(&header, bytes)
            .expect("memory takes every byte");
    }

    /// The GNU way: an entry whose contents are the next entry's name.
    fn append_long_name(&mut self, path: &str) {
        let mut bytes = path.as_bytes().to_vec();
        bytes.push(0);
        let mut header = header(EntryType::GNULongName, "", 0o644, bytes.len());
        header.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
        header.set_cksum();
        self.0
            .append(&header, bytes.as_slice())
            .expect("memory takes every byte");
    }

    fn add_tree(&mut self, folder: &Path, prefix: &str, skip: &dyn Fn(&str) -> bool) {
        let mut entries: Vec<_> = std::fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()))
            .map(|entry| entry.expect("a listed entry can be read"))
            .collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let metadata = entry.metadata().expect("a listed entry can be read");
            if skip(&path) || metadata.file_type().is_socket() {
                continue;
            }
            let mode = metadata.mode() & 0o7777;
            if metadata.is_dir() {
                self.append(header(EntryType::Directory, "", mode, 0), &path, b"");
                self.add_tree(&entry.path(), &format!("{path}/"), skip);
            } else if metadata.is_symlink() {
                let target = std::fs::read_link(entry.path()).expect("a link can be read");
                self.append(
                    header(EntryType::Symlink, &target.to_string_lossy(), 0o777, 0),
                    &path,
                    b"",
                );
            } else {
                let bytes = std::fs::read(entry.path()).expect("root reads every file");
                self.append(
                    header(EntryType::Regular, "", mode, bytes.len()),
                    &path,
                    &bytes,
                );
            }
        }
    }
}

fn header(kind: EntryType, link: &str, mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    // 1 January 2026; a fixed time keeps equal layers equal.
    header.set_mtime(1_767_225_600);
    header.set_size(size as u64);
    if !link.is_empty() {
        let name = &mut header.as_old_mut().linkname;
        let length = link.len().min(name.len());
        name[..length].copy_from_slice(&link.as_bytes()[..length]);
    }
    header.set_cksum();
    header
}

#[cfg(test)]
mod tests {
    use super::Layer;

    #[test]
    fn names_that_no_decent_archiver_writes_get_through() {
        let long = "../".repeat(50);
        let bytes = Layer::new()
            .file("../../etc/evil", 0o644, b"x")
            .file(&long, 0o644, b"x")
            .whiteout("a/b")
            .bytes();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| String::from_utf8_lossy(&entry.unwrap().path_bytes()).into_owned())
            .collect();
        assert_eq!(names, ["../../etc/evil", &long, "a/.wh.b"]);
    }
}
