//! overlayfs mounts, made as detached mounts where the kernel has the new
//! mount interface with one option per layer (Linux 6.8), else by `mount(2)`:
//! Debian 12 and Ubuntu 22.04 have older kernels.
//!
//! Redirects and metadata-only copies are switched off: the writable layer
//! alone must say what a container changed.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags};

use crate::mount;

/// What an overlay is made of.
#[derive(Debug, Clone, Copy)]
pub struct Overlay<'a> {
    /// Read-only layers, top first; at least one (and two where there is no
    /// writable layer).
    pub lower: &'a [PathBuf],
    /// The writable layer and the scratch directory beside it.
    pub writable: Option<(&'a Path, &'a Path)>,
}

/// Options in both interfaces.
const SWITCHES: [(&str, &str); 3] = [
    ("index", "off"),
    ("redirect_dir", "off"),
    ("metacopy", "off"),
];
/// The kernel takes no longer string for one option.
const LONGEST_OPTION: usize = 255;
/// What `mount(2)` takes for all options: a page with its terminator.
const LONGEST_DATA: usize = 4095;

impl Overlay<'_> {
    /// Mounts at `target`.
    pub fn mount(&self, target: &Path) -> io::Result<()> {
        match self.by_options() {
            Ok(detached) => mount::attach(detached.as_fd(), target),
            Err(e) if is_unknown(&e) => self.mount_by_string(target),
            Err(e) => Err(e),
        }
    }

    /// Makes the mount without attaching it anywhere: visible through the
    /// descriptor only, gone with it.
    pub fn detached(&self) -> io::Result<OwnedFd> {
        match self.by_options() {
            Err(e) if is_unknown(&e) => self.copied_from_elsewhere(),
            result => result,
        }
    }

    /// Makes the mount the new way, layer by layer.
    fn by_options(&self) -> io::Result<OwnedFd> {
        use rustix::mount::{fsconfig_create, fsconfig_set_string, fsmount, fsopen};
        if !takes_single_layers() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&context, "source", "overlay")?;
        for layer in self.lower {
            let layer = Spelling::new(layer, LONGEST_OPTION)?;
            fsconfig_set_string(&context, "lowerdir+", layer.text.as_str())?;
        }
        if let Some((upper, work)) = self.writable {
            let upper = Spelling::new(upper, LONGEST_OPTION)?;
            fsconfig_set_string(&context, "upperdir", upper.text.as_str())?;
            let work = Spelling::new(work, LONGEST_OPTION)?;
            fsconfig_set_string(&context, "workdir", work.text.as_str())?;
        }
        for (key, value) in SWITCHES {
            fsconfig_set_string(&context, key, value)?;
        }
        fsconfig_create(&context)?;
        let flags = FsMountFlags::FSMOUNT_CLOEXEC;
        Ok(fsmount(&context, flags, MountAttrFlags::empty())?)
    }

    /// Mounts the old way in a namespace that ends with this call, and takes a
    /// copy of the mount along. Anything will do as the place to mount at.
    fn copied_from_elsewhere(&self) -> io::Result<OwnedFd> {
        let place = self.lower.first().ok_or(io::ErrorKind::InvalidInput)?;
        let elsewhere = || {
            mount::private_namespace(&[])?;
            self.mount_by_string(place)?;
            mount::clone_tree(rustix::fs::CWD, place)
        };
        // Namespaces are a thread's own.
        std::thread::scope(|scope| scope.spawn(elsewhere).join())
            .unwrap_or_else(|_| Err(io::Error::other("the mounting thread panicked")))
    }

    /// Mounts at `target` the old way.
    fn mount_by_string(&self, target: &Path) -> io::Result<()> {
        // Where the plain paths are too long together, descriptors stand in.
        for longest in [LONGEST_OPTION, 0] {
            let layers: Vec<Spelling> = self
                .lower
                .iter()
                .map(|layer| Spelling::new(layer, longest))
                .collect::<io::Result<_>>()?;
            let texts: Vec<&str> = layers.iter().map(|layer| layer.text.as_str()).collect();
            let mut data = format!("lowerdir={}", texts.join(":"));
            let mut held = Vec::new();
            if let Some((upper, work)) = self.writable {
                for (key, path) in [("upperdir", upper), ("workdir", work)] {
                    let path = Spelling::new(path, longest)?;
                    data.push_str(&format!(",{key}={}", path.text));
                    held.push(path);
                }
            }
            for (key, value) in SWITCHES {
                data.push_str(&format!(",{key}={value}"));
            }
            if data.len() <= LONGEST_DATA {
                let data = std::ffi::CString::new(data)?;
                let flags = MountFlags::empty();
                rustix::mount::mount("overlay", target, "overlay", flags, data.as_c_str())?;
                return Ok(());
            }
        }
        Err(io::Error::other("too many layers for one mount"))
    }
}

/// A path as an option can hold it: as it is, or through a descriptor where it
/// is too long or has characters that mean something there.
struct Spelling {
    text: String,
    _held: Option<OwnedFd>,
}

impl Spelling {
    fn new(path: &Path, longest: usize) -> io::Result<Self> {
        if let Some(text) = path.to_str()
            && text.len() <= longest
            && !text.contains([':', ',', '\\'])
        {
            return Ok(Self {
                text: text.to_owned(),
                _held: None,
            });
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let held = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self {
            text: format!("/proc/self/fd/{}", held.as_raw_fd()),
            _held: Some(held),
        })
    }
}

/// Whether the kernel may have an option per layer. An older one would be asked
/// in vain, and complain in its log each time.
fn takes_single_layers() -> bool {
    // It came to be with 6.7, and to be of use with 6.8.
    let release = rustix::system::uname();
    let release = release.release().to_string_lossy();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let mut number = || numbers.next().and_then(|part| part.parse::<u32>().ok());
    (number(), number()) >= (Some(6), Some(7))
}

/// Whether the kernel did not understand, rather than refuse.
fn is_unknown(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || matches!(
            error.raw_os_error(),
            Some(libc::ENOSYS | libc::EINVAL | libc::EOPNOTSUPP)
        )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Layers `0` (top) to `n-1`, each with a file of its own and one in all.
    fn layers(root: &Path, n: usize) -> Vec<PathBuf> {
        let name = |i: usize| root.join(format!("layer,{i}:x"));
        for i in 0..n {
            fs::create_dir_all(name(i)).unwrap();
            fs::write(name(i).join(format!("f{i}")), b"").unwrap();
            fs::write(name(i).join("all"), i.to_string()).unwrap();
        }
        (0..n).map(name).collect()
    }

    fn check(by_string: bool, n: usize) {
        let root = std::env::temp_dir().join(format!(
            "dhow-overlay-{}-{by_string}-{n}",
            std::process::id()
        ));
        let lower = layers(&root, n);
        let [upper, work, merged] = ["upper", "work", "merged"].map(|name| root.join(name));
        for dir in [&upper, &work, &merged] {
            fs::create_dir(dir).unwrap();
        }
        let overlay = Overlay {
            lower: &lower,
            writable: Some((&upper, &work)),
        };
        // In a thread with a namespace of its own, nothing can be left mounted.
        let result = std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    mount::private_namespace(&[]).expect("this test needs root");
                    if by_string {
                        overlay.mount_by_string(&merged).unwrap();
                    } else {
                        overlay.mount(&merged).unwrap();
                    }
                    assert_eq!(fs::read_to_string(merged.join("all")).unwrap(), "0");
                    assert!(merged.join(format!("f{}", n - 1)).exists());
                    fs::write(merged.join("new"), b"x").unwrap();
                    mount::detach(&merged).unwrap();
                })
                .join()
        });
        let written = upper.join("new").exists();
        fs::remove_dir_all(&root).unwrap();
        result.unwrap();
        assert!(written);
    }

    #[test]
    fn layers_are_merged_top_first() {
        check(false, 3);
        check(true, 3);
    }

    #[test]
    fn older_kernels_make_a_detached_mount_as_well() {
        let root = std::env::temp_dir().join(format!("dhow-overlay-copied-{}", std::process::id()));
        let lower = layers(&root, 40);
        let [upper, work] = ["upper", "work"].map(|name| root.join(name));
        fs::create_dir(&upper).unwrap();
        fs::create_dir(&work).unwrap();
        let overlay = Overlay {
            lower: &lower,
            writable: Some((&upper, &work)),
        };
        let mount = overlay
            .copied_from_elsewhere()
            .expect("this test needs root");
        let inside = PathBuf::from(format!("/proc/self/fd/{}", mount.as_raw_fd()));
        let read = |name: &str| fs::read_to_string(inside.join(name));
        let seen = (read("all").unwrap(), read("f39").is_ok());
        fs::write(inside.join("new"), b"x").unwrap();
        let written = upper.join("new").exists();
        let covered = lower[0].join("f39").exists();
        drop(mount);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(seen, ("0".to_owned(), true));
        assert!(written && !covered, "{written} {covered}");
    }

    #[test]
    fn a_hundred_layers_fit() {
        check(false, 100);
        check(true, 100);
    }
}
