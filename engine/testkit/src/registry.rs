//! A real registry on loopback: Debian's `docker-registry`.
//!
//! It listens on a port that the kernel picks, keeps its blobs in a folder
//! that tests may tamper with, and ends with the test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Result;
use nix::fcntl::{Flock, FlockArg};

use crate::certificate::Authority;
use crate::image::Image;
use crate::outcome::Outcome;
use crate::wait::{PATIENCE, within};
use crate::{api, debian, program};

/// The person that a registry with passwords knows.
pub const USER: &str = "dhow";
pub const PASSWORD: &str = "sesame";

/// The password's bcrypt hash, as `htpasswd -B` would write it.
const HTPASSWD: &str = "dhow:$2y$06$qkTGw/bng/rilgi6x5Lgp.SeaXbHel1rrtYODJtaKiF3jUES7M2ci\n";

const ROOT: &str = "/var/tmp/dhow-test-registry";

/// A running registry.
pub struct Registry {
    address: String,
    folder: PathBuf,
    child: Child,
    authority: Option<Authority>,
    password: bool,
    _lock: Flock<File>,
}

/// What a registry is to be like.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// Speak TLS with a certificate of a private authority.
    pub tls: bool,
    /// Let in only [`USER`] with [`PASSWORD`].
    pub password: bool,
}

impl Registry {
    /// Plain HTTP, open to all.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn with(options: Options) -> Self {
        let (folder, lock) = take_folder();
        let authority = options.tls.then(|| Authority::new(&folder.join("tls")));
        let configuration = folder.join("config.yml");
        std::fs::write(
            &configuration,
            configuration_of(&folder, authority.as_ref(), options),
        )
        .expect("a temporary file can be written");
        let log = folder.join("log");
        let sink = File::create(&log).expect("a temporary file can be written");
        let program = program::on_path("docker-registry").unwrap_or_else(|| {
            debian::unpacked(&["docker-registry"]).join("usr/bin/docker-registry")
        });
        let mut child = Command::new(&program)
            .arg("serve")
            .arg(&configuration)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(sink)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
        let address = within(PATIENCE, || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let ended = child.try_wait().ok().flatten();
            assert!(ended.is_none(), "docker-registry ended at once:\n{text}");
            listening(&text)
        });
        let Some(address) = address else {
            let _ = child.kill();
            panic!(
                "docker-registry does not listen:\n{}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
        };
        Self {
            address,
            folder,
            child,
            authority,
            password: options.password,
            _lock: lock,
        }
    }

    /// `127.0.0.1:port`, as it stands before an image's name.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The certificate that clients have to trust.
    ///
    /// # Panics
    /// When the registry speaks plain HTTP.
    pub fn authority(&self) -> &Authority {
        self.authority
            .as_ref()
            .expect("this registry was started with TLS")
    }

    /// Pushes `image` under `name` (with its tag) with skopeo, as an OCI
    /// image, and returns its full reference.
    #[track_caller]
    pub fn push(&self, image: &Image, name: &str) -> String {
        self.push_as(image, name, "oci")
    }

    /// The same in Docker's own format, schema 2.
    #[track_caller]
    pub fn push_docker(&self, image: &Image, name: &str) -> String {
        self.push_as(image, name, "v2s2")
    }

    #[track_caller]
    fn push_as(&self, image: &Image, name: &str, format: &str) -> String {
        let archive = self.folder.join(format!("push-{:x}.tar", fresh_number()));
        std::fs::write(&archive, image.archive("image:latest"))
            .expect("a temporary file can be written");
        self.push_archive(&archive, name, format)
    }

    /// Pushes an archive that lies on disk.
    #[track_caller]
    pub fn push_archive(&self, archive: &Path, name: &str, format: &str) -> String {
        let reference = format!("{}/{name}", self.address);
        let mut command = Command::new("skopeo");
        command.args([
            "copy",
            "--quiet",
            "--insecure-policy",
            "--dest-tls-verify=false",
            "--format",
            format,
        ]);
        if self.password {
            command.arg(format!("--dest-creds={USER}:{PASSWORD}"));
        }
        command
            .arg(format!("oci-archive:{}", archive.display()))
            .arg(format!("docker://{reference}"));
        Outcome::of(command, b"").ok();
        reference
    }

    /// Asks the registry itself; `path` begins after `/v2/`.
    pub fn get(&self, path: &str) -> api::Response {
        api::tcp(&self.address, "GET", &format!("/v2/{path}"), None).expect("the registry answers")
    }

    /// The file in which the registry keeps a blob, for tests that break it.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let blobs = self.folder.join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }

    /// What the registry logged so far, each request among it.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!(
                "── the registry's last words\n{}",
                last_lines(&self.log(), 10)
            );
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Ends registries whose tests are gone, and says how many there were.
pub fn sweep() -> Result<usize> {
    let mut swept = 0;
    for entry in std::fs::read_dir(ROOT).into_iter().flatten().flatten() {
        let folder = entry.path();
        if folder.is_dir() && lock_of(&folder).is_some() {
            clear(&folder)?;
            swept += 1;
        }
    }
    Ok(swept)
}

fn clear(folder: &Path) -> Result<()> {
    // A footprint without bridge and control group is just what it is.
    crate::footprint::Footprint {
        run: folder.to_owned(),
        data: folder.to_owned(),
        bridge: "no-such-bridge".into(),
        cgroup: "no-such-group".into(),
    }
    .remove()
}

fn take_folder() -> (PathBuf, Flock<File>) {
    std::fs::create_dir_all(ROOT).expect("a temporary folder can be made");
    for number in 1..=200 {
        let folder = Path::new(ROOT).join(number.to_string());
        let Some(lock) = lock_of(&folder) else {
            continue;
        };
        clear(&folder).expect("what a killed registry left can be removed");
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        return (folder, lock);
    }
    panic!("two hundred registries are running below {ROOT}");
}

fn lock_of(folder: &Path) -> Option<Flock<File>> {
    let file = File::create(folder.with_extension("lock")).expect("a lock file can be made");
    Flock::lock(file, FlockArg::LockExclusiveNonblock).ok()
}

fn configuration_of(folder: &Path, authority: Option<&Authority>, options: Options) -> String {
    let mut text = format!(
        "version: 0.1\nlog:\n  accesslog:\n    disabled: false\n  level: info\nstorage:\n  delete:\n    enabled: true\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:0\n",
        folder.join("data").display()
    );
    if let Some(authority) = authority {
        let issued = authority.issue("registry");
        text.push_str(&format!(
            "  tls:\n    certificate: {}\n    key: {}\n",
            issued.certificate.display(),
            issued.key.display()
        ));
    }
    if options.password {
        let file = folder.join("htpasswd");
        std::fs::write(&file, HTPASSWD).expect("a temporary file can be written");
        text.push_str(&format!(
            "auth:\n  htpasswd:\n    realm: dhow-test\n    path: {}\n",
            file.display()
        ));
    }
    text
}

/// The address in the line `listening on 127.0.0.1:38123`.
fn listening(log: &str) -> Option<String> {
    let (_, after) = log.split_once("listening on ")?;
    let end = after.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))?;
    Some(after[..end].to_owned())
}

fn fresh_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Options, PASSWORD, Registry, USER};
    use crate::fixture;
    use crate::outcome::Outcome;

    #[test]
    fn serves_what_was_pushed() {
        let registry = Registry::start();
        registry.push(&fixture::busybox(), "library/busybox:1");
        let tags = registry.get("library/busybox/tags/list").json();
        assert_eq!(tags["tags"][0], "1");
        registry.push_docker(&fixture::busybox(), "busybox:2");
        let manifest = registry.get("busybox/manifests/2").json();
        assert_eq!(
            manifest["mediaType"],
            "application/vnd.docker.distribution.manifest.v2+json"
        );
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        assert!(registry.blob(layer).is_file());
    }

    #[test]
    fn keeps_out_who_has_no_password_and_speaks_tls() {
        let registry = Registry::with(Options {
            tls: true,
            password: true,
        });
        let ask = |more: &[&str]| {
            let mut curl = std::process::Command::new("curl");
            curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"])
                .arg(registry.authority().certificate())
                .args(more)
                .arg(format!("https://{}/v2/", registry.address()));
            Outcome::of(curl, b"").ok()
        };
        assert_eq!(ask(&[]), "401");
        assert_eq!(ask(&["-u", &format!("{USER}:{PASSWORD}")]), "200");
        registry.push(&fixture::busybox(), "busybox:1");
    }
}
