//! Options of a volume: what is mounted on it while containers use it.

use std::collections::BTreeMap;

use dhow_model::size::{self, InvalidSize};

/// Options that cannot be, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVolumeOption {
    /// No such option.
    #[error("invalid option: {0:?}")]
    Unknown(String),
    /// An option that needs another.
    #[error("missing required option: {0:?}")]
    Missing(&'static str),
    /// A size that is none.
    #[error(transparent)]
    Size(#[from] InvalidSize),
    /// A size on a file system without quotas.
    #[error("quota size requested but no quota support")]
    NoQuota,
    /// A port in the wrong place.
    #[error("port not allowed in CIFS device URL, include 'port' in 'o='")]
    CifsPort,
}

/// What to mount on a volume's data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountPlan {
    /// The file system's type, such as `tmpfs` or `nfs`; `none` for a bind.
    pub fs_type: String,
    /// What is mounted.
    pub device: String,
    /// Words the kernel has flags for, such as `ro` and `bind`.
    pub flags: Vec<String>,
    /// The other words, for the file system.
    pub data: Vec<String>,
}

impl MountPlan {
    /// The plan of these options, or `None` where nothing is mounted.
    pub(crate) fn of(options: &BTreeMap<String, String>) -> Option<Self> {
        let get = |name: &str| options.get(name).cloned().unwrap_or_default();
        let (fs_type, device) = (get("type"), get("device"));
        if fs_type.is_empty() && device.is_empty() {
            return None;
        }
        let words = get("o");
        let words = words
            .split(',')
            .filter(|word| !word.is_empty() && *word != "defaults");
        let (flags, data) = words.map(str::to_owned).partition(|word| is_flag(word));
        Some(Self {
            fs_type,
            device,
            flags,
            data,
        })
    }

    /// The server's name or address in the options of a network file system.
    /// The kernel takes addresses only, so names are looked up before mounting.
    pub fn server(&self) -> Option<&str> {
        let mut words = self.data.iter();
        words.find_map(|word| word.strip_prefix("addr="))
    }

    /// The same plan with the server's address.
    pub fn with_server(mut self, address: &str) -> Self {
        for word in &mut self.data {
            if word.starts_with("addr=") {
                *word = format!("addr={address}");
            }
        }
        self
    }

    /// The options without secrets, for logs and errors.
    pub fn describe(&self) -> String {
        let data = self.data.iter().map(|word| match word.split_once('=') {
            Some(("password" | "pass", _)) => "password=********",
            _ => word,
        });
        let words: Vec<&str> = self.flags.iter().map(String::as_str).chain(data).collect();
        format!(
            "type='{}' device='{}' o='{}'",
            self.fs_type,
            self.device,
            words.join(",")
        )
    }
}

/// Checks options that are given together.
pub fn check_options(options: &BTreeMap<String, String>) -> Result<(), InvalidVolumeOption> {
    const KNOWN: [&str; 4] = ["type", "o", "device", "size"];
    if let Some(unknown) = options.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(InvalidVolumeOption::Unknown(unknown.clone()));
    }
    let get = |name: &str| options.get(name).map(String::as_str);
    if let (Some("cifs"), Some(device)) = (get("type"), get("device")) {
        let host = device
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        if host.contains(':') {
            return Err(InvalidVolumeOption::CifsPort);
        }
    }
    if let Some(text) = get("size")
        && size::parse_bytes(text)? > 0
    {
        return Err(InvalidVolumeOption::NoQuota);
    }
    for (option, needed) in [
        ("device", "type"),
        ("type", "device"),
        ("o", "device"),
        ("o", "type"),
    ] {
        if get(option).is_some() && get(needed).is_none() {
            return Err(InvalidVolumeOption::Missing(needed));
        }
    }
    Ok(())
}

fn is_flag(word: &str) -> bool {
    matches!(
        word,
        "ro" | "rw"
            | "suid"
            | "nosuid"
            | "dev"
            | "nodev"
            | "exec"
            | "noexec"
            | "sync"
            | "async"
            | "dirsync"
            | "remount"
            | "mand"
            | "nomand"
            | "atime"
            | "noatime"
            | "diratime"
            | "nodiratime"
            | "bind"
            | "rbind"
            | "unbindable"
            | "runbindable"
            | "private"
            | "rprivate"
            | "shared"
            | "rshared"
            | "slave"
            | "rslave"
            | "relatime"
            | "norelatime"
            | "strictatime"
            | "nostrictatime"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        pairs.collect()
    }

    #[test]
    fn options_become_a_plan() {
        assert_eq!(MountPlan::of(&options(&[])), None);
        let given = options(&[
            ("type", "tmpfs"),
            ("device", "tmpfs"),
            ("o", "size=100m,uid=1000,ro,defaults"),
        ]);
        assert_eq!(check_options(&given), Ok(()));
        let plan = MountPlan::of(&given).unwrap();
        assert_eq!(
            (plan.fs_type.as_str(), plan.device.as_str()),
            ("tmpfs", "tmpfs")
        );
        assert_eq!(
            (&plan.flags[..], &plan.data[..]),
            (
                &["ro".to_owned()][..],
                &["size=100m".to_owned(), "uid=1000".to_owned()][..]
            )
        );
        let nfs = options(&[
            ("type", "nfs"),
            ("device", ":/srv"),
            ("o", "addr=files.example,rw,nfsvers=4"),
        ]);
        let plan = MountPlan::of(&nfs).unwrap();
        assert_eq!(plan.server(), Some("files.example"));
        assert_eq!(plan.with_server("192.0.2.1").server(), Some("192.0.2.1"));
        let cifs = options(&[
            ("type", "cifs"),
            ("device", "//h/s"),
            ("o", "username=u,password=secret"),
        ]);
        let shown = MountPlan::of(&cifs).unwrap().describe();
        assert!(
            !shown.contains("secret") && shown.contains("username=u"),
            "{shown}"
        );
    }

    #[test]
    fn wrong_options_are_refused_in_docker_s_words() {
        let refuse = |pairs: &[(&str, &str)], message: &str| {
            assert_eq!(
                check_options(&options(pairs)).unwrap_err().to_string(),
                message
            );
        };
        refuse(&[("color", "red")], "invalid option: \"color\"");
        refuse(&[("type", "tmpfs")], "missing required option: \"device\"");
        refuse(&[("device", "tmpfs")], "missing required option: \"type\"");
        refuse(&[("o", "ro")], "missing required option: \"device\"");
        refuse(&[("size", "big")], "invalid size: 'big'");
        refuse(
            &[("size", "1m")],
            "quota size requested but no quota support",
        );
        refuse(
            &[("type", "cifs"), ("device", "//host:445/share")],
            "port not allowed in CIFS device URL, include 'port' in 'o='",
        );
    }
}
