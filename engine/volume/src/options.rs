//! Options of a volume: what is mounted on it while containers use it.

use std::collections::BTreeMap;

use dhow_model::size::{self, InvalidSize};
use dhow_sys::mount::call::{Flag, MountCall};

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
        let (flags, data) = words
            .map(str::to_owned)
            .partition(|word| Flag::of(word).is_some());
        Some(Self {
            fs_type,
            device,
            flags,
            data,
        })
    }

    /// Whether what is written is gone with the last mount.
    pub fn is_memory(&self) -> bool {
        matches!(self.fs_type.as_str(), "tmpfs" | "ramfs")
    }

    /// The host that a network file system names where the kernel takes only
    /// an address: in `addr=`, or for CIFS in the device's URL.
    pub fn host(&self) -> Option<&str> {
        let is_address = |host: &&str| host.parse::<std::net::IpAddr>().is_ok();
        match self.named() {
            Named::Nowhere => None,
            Named::Option(host) | Named::Device(host) => Some(host).filter(|h| !is_address(h)),
        }
    }

    /// The same plan with the host's address instead of its name.
    pub fn with_address(mut self, address: std::net::IpAddr) -> Self {
        match self.named() {
            Named::Nowhere => {}
            Named::Option(_) => {
                for word in &mut self.data {
                    if word.starts_with("addr=") {
                        *word = format!("addr={address}");
                    }
                }
            }
            Named::Device(host) => {
                self.device = self.device.replacen(host, &address.to_string(), 1);
            }
        }
        self
    }

    fn named(&self) -> Named<'_> {
        if !matches!(self.fs_type.as_str(), "nfs" | "cifs") {
            return Named::Nowhere;
        }
        let mut words = self.data.iter();
        let address = words.find_map(|word| word.strip_prefix("addr="));
        if let Some(host) = address.filter(|host| !host.is_empty()) {
            return Named::Option(host);
        }
        let host = self.device.strip_prefix("//").unwrap_or_default();
        match host.split('/').next() {
            Some(host) if !host.is_empty() && self.fs_type == "cifs" => Named::Device(host),
            _ => Named::Nowhere,
        }
    }

    /// The call that mounts it.
    pub fn call(&self) -> MountCall {
        let (mut flags, mut propagation) = (0, 0);
        for flag in self.flags.iter().filter_map(|word| Flag::of(word)) {
            match flag {
                Flag::Set(bits) => flags |= bits,
                Flag::Clear(bits) => flags &= !bits,
                Flag::Propagation(bits) => propagation |= bits,
            }
        }
        MountCall {
            source: self.device.clone(),
            fs_type: self.fs_type.clone(),
            flags,
            propagation,
            data: self.data.join(","),
        }
    }
}

/// Where a plan names a host.
enum Named<'a> {
    Nowhere,
    Option(&'a str),
    Device(&'a str),
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
    }

    #[test]
    fn words_become_flags_and_the_rest_is_data() {
        let call = |words: &str| {
            let given = options(&[("type", "none"), ("device", "/srv"), ("o", words)]);
            MountPlan::of(&given).unwrap().call()
        };
        assert_eq!((call("bind").flags, call("rbind").flags), (0x1000, 0x5000));
        assert_eq!(call("bind,ro,nosuid").flags, 0x1003);
        assert_eq!(call("ro,rw").flags, 0);
        assert_eq!(call("bind,rslave").propagation, 0x8_4000);
        let mixed = call("size=1m,noexec,uid=7");
        assert_eq!((mixed.flags, mixed.data.as_str()), (8, "size=1m,uid=7"));
    }

    #[test]
    fn hosts_are_named_where_each_file_system_names_them() {
        let check = |fs_type: &str, device: &str, words: &str, host: Option<&str>, then: &str| {
            let given = options(&[("type", fs_type), ("device", device), ("o", words)]);
            let plan = MountPlan::of(&given).unwrap();
            assert_eq!(plan.host(), host, "{fs_type} {device} {words}");
            let call = plan.with_address("192.0.2.1".parse().unwrap()).call();
            assert_eq!(format!("{} {}", call.source, call.data), then);
        };
        check(
            "nfs",
            ":/srv",
            "addr=files.example,rw,nfsvers=4",
            Some("files.example"),
            ":/srv addr=192.0.2.1,nfsvers=4",
        );
        check(
            "nfs",
            ":/srv",
            "addr=192.0.2.7",
            None,
            ":/srv addr=192.0.2.1",
        );
        check("nfs", "h:/srv", "soft", None, "h:/srv soft");
        let login = "username=u";
        check(
            "cifs",
            "//h/h",
            login,
            Some("h"),
            "//192.0.2.1/h username=u",
        );
        check("cifs", "//h/s", "addr=g", Some("g"), "//h/s addr=192.0.2.1");
        check("ext4", "//h/s", "addr=g", None, "//h/s addr=g");
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
