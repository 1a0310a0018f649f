//! The kernel that guests run: a distribution's own, as its package has it,
//! with its modules.
//!
//! Whatever people run the engine on is such a kernel. Nothing is compiled,
//! and nothing is installed on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::outcome::Outcome;

/// Packages that stand for the newest kernel made for virtual machines:
/// Debian's name, then Ubuntu's.
const NAMES: &[&str] = &["linux-image-cloud-amd64", "linux-image-virtual"];
/// What such a package leads to: the kernel, and its modules if apart.
const PARTS: &[&str] = &["linux-image-", "linux-modules-"];

/// A kernel and where its modules are.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// What a boot loader would load.
    pub image: PathBuf,
    /// As `uname -r` prints it.
    pub release: String,
    /// What `/lib/modules/<release>` has to be in the guest.
    pub modules: PathBuf,
}

impl Kernel {
    /// The distribution's newest when it was first asked for.
    ///
    /// # Panics
    /// When it cannot be had.
    #[track_caller]
    pub fn of_distribution() -> Self {
        assert_eq!(
            std::env::consts::ARCH,
            "x86_64",
            "guests are made for this architecture only"
        );
        debian::refresh_unless(|| NAMES.iter().any(|name| debian::knows(name)));
        let name = NAMES.iter().find(|name| debian::knows(name));
        let name = name.unwrap_or_else(|| panic!("the package lists have none of {NAMES:?}"));
        let folder = debian::once(&format!("kernels/{name}"), |folder| {
            debian::fetch(&parts(name), folder);
            let kernel = Self::found_in(folder);
            decompress(&kernel.modules);
            index(folder, &kernel.release);
        });
        Self::found_in(&folder)
    }

    /// The files of the modules `names` and of all that they need, in the
    /// order in which they have to be inserted. What is built in is left out.
    ///
    /// # Panics
    /// When the kernel has no such module.
    #[track_caller]
    pub fn insertion_order(&self, names: &[&str]) -> Vec<PathBuf> {
        let read = |file: &str| {
            let path = self.modules.join(file);
            std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
        };
        let (loadable, built_in) = (read("modules.dep"), read("modules.builtin"));
        let order = insertion_order(&loadable, &built_in, names);
        let order = order.unwrap_or_else(|name| panic!("{} has no module {name}", self.release));
        order.iter().map(|path| self.modules.join(path)).collect()
    }

    fn found_in(folder: &Path) -> Self {
        // Where `/lib` is a part of `/usr`, so it may be in the package.
        let modules = ["lib/modules", "usr/lib/modules"]
            .iter()
            .map(|place| folder.join(place))
            .find(|place| place.is_dir())
            .unwrap_or_else(|| panic!("no modules in {}", folder.display()));
        let release = only_entry(&modules);
        Self {
            image: folder.join(format!("boot/vmlinuz-{release}")),
            modules: modules.join(&release),
            release,
        }
    }
}

/// The packages that `name` leads to, itself not among them.
fn parts(name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut unseen = vec![name.to_owned()];
    while let Some(package) = unseen.pop() {
        for part in debian::depends(&package) {
            let wanted = PARTS.iter().any(|prefix| part.starts_with(prefix));
            if wanted && !found.contains(&part) {
                found.push(part.clone());
                unseen.push(part);
            }
        }
    }
    assert!(!found.is_empty(), "{name} leads to no kernel");
    found
}

fn only_entry(folder: &Path) -> String {
    let mut names = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()))
        .map(|entry| entry.expect("a listed entry can be read").file_name());
    let name = names.next().expect("a kernel's package has modules");
    name.to_string_lossy().into_owned()
}

/// Compressed modules are beyond the small programs of the guest.
fn decompress(modules: &Path) {
    for (ending, program) in [("xz", "xz"), ("zst", "zstd"), ("gz", "gzip")] {
        let script = format!(
            "find \"$1\" -name '*.ko.{ending}' -print0 | xargs -0 --no-run-if-empty {program} -d -q"
        );
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).arg(modules);
        Outcome::of(command, b"").ok();
        let script = format!("find \"$1\" -name '*.ko.{ending}' -delete");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).arg(modules);
        Outcome::of(command, b"").ok();
    }
}

/// Writes down who needs whom and who is loaded for what, as installing the
/// package would.
fn index(folder: &Path, release: &str) {
    let mut command = Command::new("busybox");
    command.args(["depmod", "-b"]).arg(folder).arg(release);
    Outcome::of(command, b"").ok();
}

/// The modules' paths, needed ones first; `Err` names what is missing.
fn insertion_order<'a>(
    dependencies: &'a str,
    built_in: &str,
    names: &[&'a str],
) -> Result<Vec<&'a str>, &'a str> {
    let modules: Vec<(&str, &str)> = dependencies
        .lines()
        .filter_map(|line| line.split_once(':'))
        .collect();
    let mut order = Vec::new();
    for name in names {
        let loaded = add(name, &modules, &mut order);
        if !loaded && !built_in.lines().any(|path| name_of(path) == *name) {
            return Err(name);
        }
    }
    Ok(order)
}

/// Adds a module behind those it needs, each looked up by itself: programs
/// that write the list do not agree on the order within a line.
fn add<'a>(name: &str, modules: &[(&'a str, &'a str)], order: &mut Vec<&'a str>) -> bool {
    let Some((path, needs)) = modules.iter().find(|(path, _)| name_of(path) == name) else {
        return false;
    };
    for need in needs.split_whitespace() {
        add(name_of(need), modules, order);
    }
    if !order.contains(path) {
        order.push(path);
    }
    true
}

/// `virtio_blk` of `kernel/drivers/block/virtio_blk.ko`.
fn name_of(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".ko").unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::insertion_order;

    #[test]
    fn what_is_needed_comes_first_and_once() {
        let dependencies = "k/blk.ko: k/virtio.ko k/ring.ko\n\
                            k/mmio.ko: k/virtio.ko k/ring.ko\n\
                            k/ring.ko:\n\
                            k/virtio.ko: k/ring.ko\n\
                            k/other.ko:\n";
        let order = |names: &[&'static str]| insertion_order(dependencies, "k/ext4.ko\n", names);
        assert_eq!(
            order(&["mmio", "blk", "ext4"]),
            Ok(vec!["k/ring.ko", "k/virtio.ko", "k/mmio.ko", "k/blk.ko"])
        );
        assert_eq!(order(&["nothing"]), Err("nothing"));
    }
}
