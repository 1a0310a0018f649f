//! Which capabilities a container gets: Docker's default set, what is added and
//! dropped, and what the engine itself has to give.

use std::str::FromStr;

use dhow_model::{ErrorKind, HasKind};
use oci_spec::runtime::{Capabilities, Capability, LinuxCapabilities, LinuxCapabilitiesBuilder};

/// All capabilities, by their numbers in the kernel.
pub const ALL: [Capability; 41] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::DacReadSearch,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Setgid,
    Capability::Setuid,
    Capability::Setpcap,
    Capability::LinuxImmutable,
    Capability::NetBindService,
    Capability::NetBroadcast,
    Capability::NetAdmin,
    Capability::NetRaw,
    Capability::IpcLock,
    Capability::IpcOwner,
    Capability::SysModule,
    Capability::SysRawio,
    Capability::SysChroot,
    Capability::SysPtrace,
    Capability::SysPacct,
    Capability::SysAdmin,
    Capability::SysBoot,
    Capability::SysNice,
    Capability::SysResource,
    Capability::SysTime,
    Capability::SysTtyConfig,
    Capability::Mknod,
    Capability::Lease,
    Capability::AuditWrite,
    Capability::AuditControl,
    Capability::Setfcap,
    Capability::MacOverride,
    Capability::MacAdmin,
    Capability::Syslog,
    Capability::WakeAlarm,
    Capability::BlockSuspend,
    Capability::AuditRead,
    Capability::Perfmon,
    Capability::Bpf,
    Capability::CheckpointRestore,
];

/// What a container gets where nothing else is asked for.
pub const DEFAULT: [Capability; 14] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fsetid,
    Capability::Fowner,
    Capability::Mknod,
    Capability::NetRaw,
    Capability::Setgid,
    Capability::Setuid,
    Capability::Setfcap,
    Capability::Setpcap,
    Capability::NetBindService,
    Capability::SysChroot,
    Capability::Kill,
    Capability::AuditWrite,
];

/// A capability that cannot be given or taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCapability {
    /// No kernel has it.
    #[error("unknown capability: {0:?}")]
    Unknown(String),
    /// This kernel does not have it, or the engine itself lacks it.
    #[error(
        "capability not supported by your kernel or not available in the current environment: {0:?}"
    )]
    Unavailable(String),
}

impl HasKind for InvalidCapability {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

/// One word of `--cap-add` or `--cap-drop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// `ALL`.
    All,
    /// A capability.
    One(Capability),
}

/// The capabilities in a mask of `/proc/<pid>/status`, such as `CapBnd`.
pub fn from_mask(mask: u64) -> Vec<Capability> {
    (0..)
        .zip(ALL)
        .filter(|(bit, _)| mask & (1u64 << bit) != 0)
        .map(|(_, capability)| capability)
        .collect()
}

/// What a process can hand on, by the text of its `/proc/<pid>/status`: what it
/// has in effect and has not given up for good.
pub fn from_status(status: &str) -> Vec<Capability> {
    let mask = |field: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(field));
        value.and_then(|value| u64::from_str_radix(value.trim(), 16).ok())
    };
    match (mask("CapEff:"), mask("CapBnd:")) {
        (Some(effective), Some(bounding)) => from_mask(effective & bounding),
        _ => Vec::new(),
    }
}

/// The name with its prefix: `CAP_NET_ADMIN`.
pub fn name(capability: Capability) -> String {
    format!("CAP_{capability}")
}

/// Reads words with or without `CAP_`, in any case, and refuses what is not
/// among `available`.
pub fn parse(words: &[String], available: &[Capability]) -> Result<Vec<Word>, InvalidCapability> {
    words
        .iter()
        .map(|word| {
            let upper = word.to_uppercase();
            if upper == "ALL" {
                return Ok(Word::All);
            }
            let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
            match Capability::from_str(bare) {
                Err(_) => Err(InvalidCapability::Unknown(format!("CAP_{bare}"))),
                Ok(capability) if available.contains(&capability) => Ok(Word::One(capability)),
                Ok(capability) => Err(InvalidCapability::Unavailable(name(capability))),
            }
        })
        .collect()
}

/// The words as the API shows them after creation: upper case, with prefix.
pub fn normalize(
    words: &[String],
    available: &[Capability],
) -> Result<Vec<String>, InvalidCapability> {
    let words = parse(words, available)?;
    Ok(words
        .into_iter()
        .map(|word| match word {
            Word::All => "ALL".to_owned(),
            Word::One(capability) => name(capability),
        })
        .collect())
}

/// The set of a container. What the engine lacks is left out of the default
/// set and of a privileged container's; asking for it by name is refused, while
/// dropping it changes nothing.
pub fn resolve(
    add: &[String],
    drop: &[String],
    privileged: bool,
    available: &[Capability],
) -> Result<Vec<Capability>, InvalidCapability> {
    let add = parse(add, available)?;
    let drop = parse(drop, &ALL)?;
    if privileged {
        return Ok(available.to_vec());
    }
    let dropped = |capability: &Capability| drop.contains(&Word::One(*capability));
    let added = add.iter().filter_map(|word| match word {
        Word::All => None,
        Word::One(capability) => Some(*capability),
    });
    let mut set: Vec<Capability> = if add.contains(&Word::All) {
        let all = available.iter().copied();
        return Ok(all.filter(|capability| !dropped(capability)).collect());
    } else if drop.contains(&Word::All) {
        Vec::new()
    } else {
        let default = DEFAULT.into_iter();
        default
            .filter(|capability| available.contains(capability) && !dropped(capability))
            .collect()
    };
    for capability in added {
        if !set.contains(&capability) {
            set.push(capability);
        }
    }
    Ok(set)
}

/// The set as the OCI spec has it. As in Docker, nothing is inheritable, so a
/// process that is not root has none.
pub(super) fn to_oci(set: &[Capability]) -> LinuxCapabilities {
    let set: Capabilities = set.iter().copied().collect();
    LinuxCapabilitiesBuilder::default()
        .bounding(set.clone())
        .effective(set.clone())
        .permitted(set)
        .inheritable(Capabilities::default())
        .ambient(Capabilities::default())
        .build()
        .expect("every field has a default")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| word.to_string()).collect()
    }

    fn check(add: &[&str], drop: &[&str], expected: &[Capability]) {
        let set = resolve(&words(add), &words(drop), false, &ALL).unwrap();
        let (set, expected): (HashSet<_>, HashSet<_>) = (
            set.into_iter().collect(),
            expected.iter().copied().collect(),
        );
        assert_eq!(set, expected, "+{add:?} -{drop:?}");
    }

    #[test]
    fn sets_are_added_to_and_dropped_from() {
        check(&[], &[], &DEFAULT);
        check(&[], &["ALL"], &[]);
        check(&["net_admin"], &["all"], &[Capability::NetAdmin]);
        check(
            &["CAP_NET_ADMIN", "NET_ADMIN", "CHOWN"],
            &[],
            &[&DEFAULT[..], &[Capability::NetAdmin]].concat(),
        );
        check(&["ALL"], &[], &ALL);
        let without: Vec<_> = ALL
            .into_iter()
            .filter(|c| *c != Capability::SysAdmin)
            .collect();
        check(&["ALL"], &["SYS_ADMIN"], &without);
        check(
            &[],
            &DEFAULT.map(name).each_ref().map(String::as_str)[1..],
            &DEFAULT[..1],
        );
    }

    #[test]
    fn what_the_engine_lacks_is_left_out_or_refused_by_name() {
        // A host whose root lacks CAP_SYS_RESOURCE (bit 24) and CAP_MKNOD (27).
        let available = from_mask(!(1 << 24 | 1 << 27));
        assert_eq!(available.len(), 39);
        let set = resolve(&[], &[], false, &available).unwrap();
        assert!(set.len() == 13 && !set.contains(&Capability::Mknod));
        assert_eq!(resolve(&[], &[], true, &available).unwrap(), available);
        let error = resolve(&words(&["sys_resource"]), &[], false, &available).unwrap_err();
        assert_eq!(
            error.to_string(),
            "capability not supported by your kernel or not available in the current environment: \"CAP_SYS_RESOURCE\""
        );
        let set = resolve(&[], &words(&["sys_resource"]), false, &available).unwrap();
        assert_eq!(set.len(), 13);
        let error = resolve(&[], &words(&["fly"]), false, &ALL).unwrap_err();
        assert_eq!(error.to_string(), "unknown capability: \"CAP_FLY\"");
    }

    #[test]
    fn every_capability_s_name_reads_back() {
        for capability in ALL {
            let word = name(capability);
            assert_eq!(parse(&[word], &ALL), Ok(vec![Word::One(capability)]));
        }
        assert_eq!(
            normalize(&words(&["all", "kill"]), &ALL).unwrap(),
            ["ALL", "CAP_KILL"]
        );
        assert_eq!(from_mask(1 << 21), [Capability::SysAdmin]);
        let status = "Name:\tx\nCapEff:\t0000000000200001\nCapBnd:\t000001fffeffffff\n";
        assert_eq!(
            from_status(status),
            [Capability::Chown, Capability::SysAdmin]
        );
        assert_eq!(from_status(""), []);
    }
}
