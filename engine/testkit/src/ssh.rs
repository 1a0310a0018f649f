//! A real ssh server on loopback: Debian's `openssh-server`, unpacked.
//!
//! It lets root in by a key that is made for it, listens on 127.0.0.1, and
//! ends with the test. What it insists on finding on the machine (a user of
//! its own, a folder in `/run`, an account of root's that is not locked) it
//! finds in a mount namespace of its own; the machine's files stay as they
//! are.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::outcome::Outcome;
use crate::wait::{PATIENCE, within};
use crate::{debian, program};

/// A running server, and what a client needs to be let in.
pub struct SshServer {
    folder: PathBuf,
    port: u16,
    child: Child,
}

/// Puts the server's own files where it looks for them, then becomes it.
const ENTER: &str = r#"
set -eu
mkdir -p run
mount --rbind /run run
mount -t tmpfs tmpfs /run
mkdir /run/sshd
for name in "$PWD"/run/dhow-test*; do
    [ -d "$name" ] || continue
    mkdir "/run/${name##*/}"
    mount --rbind "$name" "/run/${name##*/}"
done
for name in passwd shadow group; do mount --bind "$name" "/etc/$name"; done
exec "$@"
"#;

impl SshServer {
    /// Starts one that keeps its files in `folder`; whoever is let in finds
    /// `environment`.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn start(folder: &Path, environment: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(folder).expect("a temporary folder can be made");
        for name in ["host", "client"] {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-f", name]);
            command.current_dir(folder);
            Outcome::of(command, b"").ok();
        }
        let write = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).expect("a temporary file can be written");
        };
        write(
            "passwd",
            "root:x:0:0:root:/root:/bin/sh\nsshd:x:65533:65533::/run/sshd:/usr/sbin/nologin\n",
        );
        write(
            "shadow",
            "root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n",
        );
        write("group", "root:x:0:\nsshd:x:65533:\n");
        // Another program may take the port between finding and using it.
        for _ in 0..10 {
            let port = free_port();
            write("sshd_config", &configuration(folder, port, environment));
            if let Some(child) = launch(folder) {
                let server = Self {
                    folder: folder.to_owned(),
                    port,
                    child,
                };
                server.write_client();
                return server;
            }
        }
        panic!(
            "sshd does not come up:\n{}",
            std::fs::read_to_string(folder.join("log")).unwrap_or_default()
        );
    }

    /// `ssh://root@127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("ssh://root@127.0.0.1:{}", self.port)
    }

    /// A folder with a program `ssh` that is the system's own, told to use
    /// this server's keys and nothing of the person's.
    pub fn client_folder(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// What the server logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn write_client(&self) {
        let folder = self.folder.display();
        let public = std::fs::read_to_string(self.folder.join("host.pub"))
            .expect("ssh-keygen wrote the public key");
        let known = format!("[127.0.0.1]:{} {public}", self.port);
        let settings = format!(
            "IdentityFile {folder}/client\nIdentitiesOnly yes\nIdentityAgent none\n\
             UserKnownHostsFile {folder}/known_hosts\nGlobalKnownHostsFile /dev/null\n\
             StrictHostKeyChecking yes\nBatchMode yes\n"
        );
        let ssh = program::on_path("ssh").expect("this test needs openssh-client");
        let script = format!(
            "#!/bin/sh\nexec {} -F {folder}/ssh_config \"$@\"\n",
            ssh.display()
        );
        let bin = self.client_folder();
        std::fs::create_dir_all(&bin).expect("a temporary folder can be made");
        let write = |path: PathBuf, text: &str| {
            std::fs::write(path, text).expect("a temporary file can be written");
        };
        write(self.folder.join("known_hosts"), &known);
        write(self.folder.join("ssh_config"), &settings);
        write(bin.join("ssh"), &script);
        std::fs::set_permissions(bin.join("ssh"), PermissionsExt::from_mode(0o755))
            .expect("one's own file can be made a program");
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("── sshd's words\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, port: u16, environment: &[(&str, &str)]) -> String {
    let folder = folder.display();
    let mut text = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\n\
         AuthorizedKeysFile {folder}/client.pub\nPidFile none\nUsePAM no\nUseDNS no\n\
         PermitRootLogin prohibit-password\nStrictModes no\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nLogLevel VERBOSE\n"
    );
    let variables: Vec<String> = environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    // sshd counts only the first such line.
    text.push_str(&format!("SetEnv {}\n", variables.join(" ")));
    text
}

/// The server, once it listens; `None` where it ended before.
fn launch(folder: &Path) -> Option<Child> {
    let (sshd, libraries) = server();
    let log = folder.join("log");
    let sink = File::create(&log).expect("a temporary file can be written");
    let mut child = Command::new("unshare")
        .args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            ENTER,
            "sh",
        ])
        .arg("env")
        .arg(format!("LD_LIBRARY_PATH={libraries}"))
        .arg(sshd)
        .args(["-D", "-e", "-f"])
        .arg(folder.join("sshd_config"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(sink)
        .spawn()
        .expect("util-linux has unshare");
    let up = within(PATIENCE, || {
        if child.try_wait().ok().flatten().is_some() {
            return Some(false);
        }
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.contains("Server listening on").then_some(true)
    });
    if up != Some(true) {
        let _ = child.kill();
        let _ = child.wait();
        return None;
    }
    Some(child)
}

/// The program, and the folders of the libraries that came with it.
fn server() -> (PathBuf, String) {
    if let Some(installed) = program::on_path("sshd") {
        return (installed, String::new());
    }
    let root = debian::closure(
        "openssh-server",
        &["libc6", "perl", "libperl", "usrmerge", "gcc"],
    );
    let machine = std::env::consts::ARCH;
    let folders = ["lib", "usr/lib"].map(|folder| {
        let folder = root.join(folder).join(format!("{machine}-linux-gnu"));
        folder.display().to_string()
    });
    (root.join("usr/sbin/sshd"), folders.join(":"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("it is bound").port()
}
