//! Device nodes in a container, and which devices it may use.
//!
//! Numbers and kinds of the host's nodes are looked up by the caller.

use dhow_model::{ErrorKind, HasKind};
use oci_spec::runtime::{
    LinuxDevice, LinuxDeviceBuilder, LinuxDeviceCgroup, LinuxDeviceType, Mount,
};
use serde::{Deserialize, Serialize};

use super::mounts;

/// Character or block device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Character device.
    Char,
    /// Block device.
    Block,
}

/// A node of the host that the container gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceNode {
    /// Where it is on the host.
    pub host_path: String,
    /// Where it shall be in the container.
    pub path: String,
    /// Its kind.
    pub kind: Kind,
    /// Its major number.
    pub major: u32,
    /// Its minor number.
    pub minor: u32,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// What may be done with it: some of `r`, `w` and `m`.
    pub access: String,
}

/// A rule of `--device-cgroup-rule`, such as `c 10:* rw`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRule {
    /// The kind, or all of them.
    pub kind: Option<Kind>,
    /// A major number, or all of them.
    pub major: Option<u32>,
    /// A minor number, or all of them.
    pub minor: Option<u32>,
    /// Some of `r`, `w` and `m`.
    pub access: String,
}

/// A device text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDevice {
    /// Not of the form `c 1:3 rwm`.
    #[error("invalid device cgroup rule format: '{0}'")]
    Rule(String),
    /// Permissions other than `r`, `w` and `m`.
    #[error("invalid device mode: {0}")]
    Access(String),
}

impl HasKind for InvalidDevice {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl DeviceRule {
    /// Reads `type major:minor access`, where `*` is any number.
    pub fn parse(text: &str) -> Result<Self, InvalidDevice> {
        Self::read(text).ok_or_else(|| InvalidDevice::Rule(text.to_owned()))
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let kind = match words.next()? {
            "a" => None,
            "b" => Some(Kind::Block),
            "c" => Some(Kind::Char),
            _ => return None,
        };
        let number = |text: &str| match text {
            "*" => Some(None),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().map(Some),
            _ => None,
        };
        let (major, minor) = words.next()?.split_once(':')?;
        let rule = Self {
            kind,
            major: number(major)?,
            minor: number(minor)?,
            access: words.next().filter(|word| valid_access(word))?.to_owned(),
        };
        words.next().is_none().then_some(rule)
    }
}

/// Checks the permissions of a `--device`; an empty text is all of them.
pub fn parse_access(text: &str) -> Result<String, InvalidDevice> {
    match text {
        "" => Ok("rwm".to_owned()),
        _ if valid_access(text) => Ok(text.to_owned()),
        _ => Err(InvalidDevice::Access(text.to_owned())),
    }
}

fn valid_access(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.bytes().all(|b| b"rwm".contains(&b))
}

/// The nodes that are made in `/dev`. The runtime makes no others, so nodes
/// elsewhere are [`binds`].
pub(super) fn nodes(devices: &[DeviceNode]) -> Vec<LinuxDevice> {
    let in_dev = devices.iter().filter(|device| in_dev(device));
    in_dev
        .map(|device| {
            LinuxDeviceBuilder::default()
                .path(device.path.as_str())
                .typ(device.kind.to_oci())
                .major(device.major)
                .minor(device.minor)
                .file_mode(device.mode & 0o7777)
                .uid(device.uid)
                .gid(device.gid)
                .build()
                .expect("every field has a default")
        })
        .collect()
}

/// The nodes outside `/dev`, bound from the host.
pub(super) fn binds(devices: &[DeviceNode]) -> Vec<Mount> {
    let elsewhere = devices.iter().filter(|device| !in_dev(device));
    elsewhere
        .map(|device| {
            let options = ["bind", "rprivate", "nosuid", "noexec"];
            mounts::entry(&device.path, "bind", device.host_path.as_ref(), &options)
        })
        .collect()
}

/// What the devices controller is told: all for a privileged container, else
/// the usual ones and those asked for.
pub(super) fn rules(
    privileged: bool,
    devices: &[DeviceNode],
    rules: &[DeviceRule],
) -> Vec<LinuxDeviceCgroup> {
    if privileged {
        return vec![cgroup_rule(true, None, None, None, "rwm")];
    }
    let usual = USUAL.iter().map(|(allow, major, minor)| {
        cgroup_rule(*allow, Some(Kind::Char), Some(*major), *minor, "rwm")
    });
    let given = devices.iter().map(|device| {
        let (major, minor) = (Some(device.major), Some(device.minor));
        cgroup_rule(true, Some(device.kind), major, minor, &device.access)
    });
    let asked = rules
        .iter()
        .map(|rule| cgroup_rule(true, rule.kind, rule.major, rule.minor, &rule.access));
    std::iter::once(cgroup_rule(false, None, None, None, "rwm"))
        .chain(MAKE.map(|kind| cgroup_rule(true, Some(kind), None, None, "m")))
        .chain(usual)
        .chain(given)
        .chain(asked)
        .collect()
}

/// `mknod` itself is harmless: the node cannot be opened.
const MAKE: [Kind; 2] = [Kind::Char, Kind::Block];

/// zero, null, urandom, random, tty, console, ptmx, pseudo-terminals, full;
/// not fuse.
const USUAL: &[(bool, u32, Option<u32>)] = &[
    (true, 1, Some(5)),
    (true, 1, Some(3)),
    (true, 1, Some(9)),
    (true, 1, Some(8)),
    (true, 1, Some(7)),
    (true, 5, Some(0)),
    (true, 5, Some(1)),
    (true, 5, Some(2)),
    (true, 136, None),
    (false, 10, Some(229)),
];

impl Kind {
    fn to_oci(self) -> LinuxDeviceType {
        match self {
            Self::Char => LinuxDeviceType::C,
            Self::Block => LinuxDeviceType::B,
        }
    }
}

fn in_dev(device: &DeviceNode) -> bool {
    device.path.starts_with("/dev/")
}

fn cgroup_rule(
    allow: bool,
    kind: Option<Kind>,
    major: Option<u32>,
    minor: Option<u32>,
    access: &str,
) -> LinuxDeviceCgroup {
    let mut rule = LinuxDeviceCgroup::default();
    rule.set_allow(allow)
        .set_typ(Some(kind.map_or(LinuxDeviceType::A, Kind::to_oci)))
        .set_major(major.map(i64::from))
        .set_minor(minor.map(i64::from))
        .set_access(Some(access.to_owned()));
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(path: &str) -> DeviceNode {
        DeviceNode {
            host_path: "/dev/fuse".to_owned(),
            path: path.to_owned(),
            kind: Kind::Char,
            major: 10,
            minor: 229,
            mode: 0o20666,
            uid: 0,
            gid: 0,
            access: "rw".to_owned(),
        }
    }

    #[test]
    fn rules_are_read() {
        let rule = DeviceRule::parse("c 10:* rw").unwrap();
        assert_eq!(
            (rule.kind, rule.major, rule.minor),
            (Some(Kind::Char), Some(10), None)
        );
        assert_eq!(DeviceRule::parse("a *:* rwm").unwrap().kind, None);
        for text in [
            "",
            "c",
            "c 1:3",
            "x 1:3 r",
            "c 1 r",
            "c 1:3 x",
            "c 1:3 rwmr",
            "c 1:3 r ",
            "c -1:3 r",
            "c :3 r",
        ] {
            let error = DeviceRule::parse(text).expect_err(text).to_string();
            assert_eq!(
                error,
                format!("invalid device cgroup rule format: '{text}'")
            );
        }
        assert_eq!(parse_access("").unwrap(), "rwm");
        assert_eq!(
            parse_access("rx").unwrap_err().to_string(),
            "invalid device mode: rx"
        );
    }

    #[test]
    fn nodes_outside_dev_are_bound() {
        let devices = [node("/dev/fuse"), node("/opt/fuse")];
        let made = nodes(&devices);
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].file_mode(), Some(0o666));
        let bound = binds(&devices);
        assert_eq!(bound.len(), 1);
        assert_eq!(bound[0].destination(), std::path::Path::new("/opt/fuse"));
    }

    #[test]
    fn rules_come_in_order_so_that_what_is_asked_for_wins() {
        let rule = DeviceRule::parse("b 8:* r").unwrap();
        let list = rules(false, &[node("/dev/fuse")], &[rule]);
        assert!(!list[0].allow() && list[0].typ() == Some(LinuxDeviceType::A));
        let fuse: Vec<bool> = list
            .iter()
            .filter(|rule| (rule.major(), rule.minor()) == (Some(10), Some(229)))
            .map(|rule| rule.allow())
            .collect();
        assert_eq!(fuse, [false, true]);
        assert_eq!(list.last().unwrap().access().as_deref(), Some("r"));
        let all = rules(true, &[], &[]);
        assert!(all.len() == 1 && all[0].allow());
    }
}
