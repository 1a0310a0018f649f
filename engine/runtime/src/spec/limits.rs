//! Limits of a process (`--ulimit`) and kernel parameters (`--sysctl`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use dhow_model::{ErrorKind, HasKind};
use oci_spec::runtime::{PosixRlimit, PosixRlimitBuilder, PosixRlimitType};
use serde::{Deserialize, Serialize};

use super::namespaces::{Namespace, Namespaces};

/// A limit of a process; -1 is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// Without `RLIMIT_`, in lower case.
    pub name: String,
    /// What applies.
    pub soft: i64,
    /// How far the process may raise it.
    pub hard: i64,
}

/// A limit or parameter that cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimit {
    /// Not of the form `name=soft[:hard]`.
    #[error("invalid ulimit argument: {0}")]
    Form(String),
    /// No such limit.
    #[error("invalid ulimit type: {0}")]
    Name(String),
    /// Not a number.
    #[error("strconv.ParseInt: parsing {0:?}: invalid syntax")]
    Number(String),
    /// More than two numbers.
    #[error("too many limit value arguments - {0}, can only have up to two, `soft[:hard]`")]
    TooMany(String),
    /// Unlimited below a limit.
    #[error(
        "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: {0}"
    )]
    UnlimitedSoft(i64),
    /// Soft above hard.
    #[error("ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")]
    SoftAboveHard {
        /// What was asked to apply.
        soft: i64,
        /// How far it may be raised.
        hard: i64,
    },
    /// A parameter that would change the host.
    #[error("sysctl {0:?} is not in a separate kernel namespace")]
    SysctlNotNamespaced(String),
    /// A parameter of a namespace shared with the host.
    #[error("sysctl {name:?} not allowed in host {namespace} namespace")]
    SysctlOfHost {
        /// The parameter.
        name: String,
        /// The shared namespace.
        namespace: &'static str,
    },
}

impl HasKind for InvalidLimit {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Ulimit {
    /// Checks the parts of an API request.
    pub fn new(name: &str, soft: i64, hard: i64) -> Result<Self, InvalidLimit> {
        if rlimit_type(name).is_none() {
            return Err(InvalidLimit::Name(name.to_owned()));
        }
        if hard != -1 && soft == -1 {
            return Err(InvalidLimit::UnlimitedSoft(hard));
        }
        if hard != -1 && soft > hard {
            return Err(InvalidLimit::SoftAboveHard { soft, hard });
        }
        Ok(Self {
            name: name.to_owned(),
            soft,
            hard,
        })
    }

    pub(super) fn to_oci(&self) -> Option<PosixRlimit> {
        // -1 is all ones, which is the kernel's word for none.
        let limit = PosixRlimitBuilder::default()
            .typ(rlimit_type(&self.name)?)
            .soft(self.soft as u64)
            .hard(self.hard as u64);
        Some(limit.build().expect("every field has a default"))
    }
}

impl FromStr for Ulimit {
    type Err = InvalidLimit;

    /// Reads `name=soft[:hard]`.
    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        let (name, values) = text
            .split_once('=')
            .ok_or_else(|| InvalidLimit::Form(text.to_owned()))?;
        if rlimit_type(name).is_none() {
            return Err(InvalidLimit::Name(name.to_owned()));
        }
        let number = |text: &str| {
            text.parse()
                .map_err(|_| InvalidLimit::Number(text.to_owned()))
        };
        match values.split(':').collect::<Vec<_>>()[..] {
            [both] => Self::new(name, number(both)?, number(both)?),
            [soft, hard] => Self::new(name, number(soft)?, number(hard)?),
            _ => Err(InvalidLimit::TooMany(values.to_owned())),
        }
    }
}

impl fmt::Display for Ulimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}:{}", self.name, self.soft, self.hard)
    }
}

/// Refuses parameters that do not belong to one of the container's own
/// namespaces.
pub fn check_sysctls(
    sysctls: &BTreeMap<String, String>,
    namespaces: &Namespaces,
) -> Result<(), InvalidLimit> {
    for name in sysctls.keys() {
        let dotted = name.replace('/', ".");
        let of_host = |namespace| InvalidLimit::SysctlOfHost {
            name: name.clone(),
            namespace,
        };
        if IPC_SYSCTLS.contains(&dotted.as_str()) || dotted.starts_with("fs.mqueue.") {
            if namespaces.ipc == Namespace::Host {
                return Err(of_host("ipc"));
            }
        } else if dotted.starts_with("net.") {
            if namespaces.network == Namespace::Host {
                return Err(of_host("network"));
            }
        } else if dotted == "kernel.domainname" {
            if namespaces.uts == Namespace::Host {
                return Err(of_host("uts"));
            }
        } else {
            return Err(InvalidLimit::SysctlNotNamespaced(name.clone()));
        }
    }
    Ok(())
}

/// Parameters every container with a network of its own gets, unless it asks
/// otherwise: ping and low ports without capabilities.
pub const NETWORK_SYSCTLS: &[(&str, &str)] = &[
    ("net.ipv4.ping_group_range", "0 2147483647"),
    ("net.ipv4.ip_unprivileged_port_start", "0"),
];

const IPC_SYSCTLS: &[&str] = &[
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

fn rlimit_type(name: &str) -> Option<PosixRlimitType> {
    Some(match name {
        "core" => PosixRlimitType::RlimitCore,
        "cpu" => PosixRlimitType::RlimitCpu,
        "data" => PosixRlimitType::RlimitData,
        "fsize" => PosixRlimitType::RlimitFsize,
        "locks" => PosixRlimitType::RlimitLocks,
        "memlock" => PosixRlimitType::RlimitMemlock,
        "msgqueue" => PosixRlimitType::RlimitMsgqueue,
        "nice" => PosixRlimitType::RlimitNice,
        "nofile" => PosixRlimitType::RlimitNofile,
        "nproc" => PosixRlimitType::RlimitNproc,
        "rss" => PosixRlimitType::RlimitRss,
        "rtprio" => PosixRlimitType::RlimitRtprio,
        "rttime" => PosixRlimitType::RlimitRttime,
        "sigpending" => PosixRlimitType::RlimitSigpending,
        "stack" => PosixRlimitType::RlimitStack,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulimits_are_read() {
        let check = |text: &str, soft, hard| {
            let limit: Ulimit = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!((limit.soft, limit.hard), (soft, hard), "{text}");
            assert_eq!(limit.to_string().parse(), Ok(limit));
        };
        check("nofile=512:1024", 512, 1024);
        check("nofile=512", 512, 512);
        check("core=-1", -1, -1);
        check("core=0:-1", 0, -1);
        let limit: Ulimit = "core=0:-1".parse().unwrap();
        assert_eq!(limit.to_oci().unwrap().hard(), u64::MAX);
        let refuse = |text: &str, message: &str| {
            assert_eq!(text.parse::<Ulimit>().expect_err(text).to_string(), message);
        };
        refuse("nofile", "invalid ulimit argument: nofile");
        refuse("bad=1", "invalid ulimit type: bad");
        refuse("core=x", "strconv.ParseInt: parsing \"x\": invalid syntax");
        refuse(
            "core=1:2:3",
            "too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`",
        );
        refuse(
            "core=2:1",
            "ulimit soft limit must be less than or equal to hard limit: 2 > 1",
        );
        refuse(
            "core=-1:1",
            "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: 1",
        );
    }

    #[test]
    fn only_namespaced_parameters_are_set() {
        let check = |name: &str, namespaces: &Namespaces, message: Option<&str>| {
            let sysctls = BTreeMap::from([(name.to_owned(), "1".to_owned())]);
            let error = check_sysctls(&sysctls, namespaces)
                .err()
                .map(|e| e.to_string());
            assert_eq!(error.as_deref(), message, "{name}");
        };
        let own = Namespaces::default();
        check("net.core.somaxconn", &own, None);
        check("net/core/somaxconn", &own, None);
        check("kernel.shmmax", &own, None);
        check("fs.mqueue.msg_max", &own, None);
        check(
            "vm.swappiness",
            &own,
            Some("sysctl \"vm.swappiness\" is not in a separate kernel namespace"),
        );
        check(
            "kernel.hostname",
            &own,
            Some("sysctl \"kernel.hostname\" is not in a separate kernel namespace"),
        );
        let shared = Namespaces {
            network: Namespace::Host,
            ipc: Namespace::Host,
            ..own
        };
        check(
            "net.core.somaxconn",
            &shared,
            Some("sysctl \"net.core.somaxconn\" not allowed in host network namespace"),
        );
        check(
            "kernel.sem",
            &shared,
            Some("sysctl \"kernel.sem\" not allowed in host ipc namespace"),
        );
    }
}
